{{ odoo_shadow.stage('stock.quant', {
    'id': 'bigint',
    'company_id': 'bigint',
    'location_id': 'bigint',
    'product_id': 'bigint',
    'lot_id': 'bigint',
    'package_id': 'bigint',
    'owner_id': 'bigint',
    'quantity': 'numeric',
    'reserved_quantity': 'numeric',
    'in_date': 'timestamp with time zone'
}) }}
