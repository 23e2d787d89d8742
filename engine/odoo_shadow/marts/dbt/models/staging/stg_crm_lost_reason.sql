{{ odoo_shadow.stage('crm.lost.reason', {
    'id': 'bigint',
    'name': 'text'
}) }}
