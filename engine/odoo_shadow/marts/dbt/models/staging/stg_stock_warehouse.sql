{{ odoo_shadow.stage('stock.warehouse', {
    'id': 'bigint',
    'name': 'text'
}) }}
