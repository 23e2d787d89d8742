{{ odoo_shadow.stage('stock.lot', {
    'id': 'bigint',
    'name': 'text'
}) }}
