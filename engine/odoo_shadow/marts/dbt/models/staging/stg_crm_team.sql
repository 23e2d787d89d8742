{{ odoo_shadow.stage('crm.team', {
    'id': 'bigint',
    'name': 'text'
}) }}
