{{ odoo_shadow.stage('stock.location', {
    'id': 'bigint',
    'name': 'text',
    'complete_name': 'text',
    'display_name': 'text',
    'usage': 'text',
    'company_id': 'bigint',
    'warehouse_id': 'bigint'
}) }}
