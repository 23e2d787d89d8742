{{ odoo_shadow.stage('crm.stage', {
    'id': 'bigint',
    'name': 'text',
    'sequence': 'bigint',
    'is_won': 'boolean'
}) }}
