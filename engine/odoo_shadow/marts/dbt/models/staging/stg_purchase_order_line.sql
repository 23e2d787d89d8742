{{ odoo_shadow.stage('purchase.order.line', {
    'id': 'bigint',
    'order_id': 'bigint',
    'product_id': 'bigint',
    'product_uom_id': 'bigint',
    'name': 'text',
    'product_qty': 'numeric',
    'qty_received': 'numeric',
    'qty_invoiced': 'numeric',
    'price_subtotal': 'numeric',
    'date_planned': 'timestamp with time zone',
    'display_type': 'text'
}, renamed={'product_uom_id': ['product_uom']}) }}
