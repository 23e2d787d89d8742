{{ odoo_shadow.stage('account.journal', {
    'id': 'bigint',
    'name': 'text',
    'code': 'text',
    'type': 'text'
}) }}
