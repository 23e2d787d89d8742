{{ odoo_shadow.stage('sale.order.line', {
    'id': 'bigint',
    'order_id': 'bigint',
    'product_id': 'bigint',
    'product_uom_id': 'bigint',
    'name': 'text',
    'product_uom_qty': 'numeric',
    'qty_delivered': 'numeric',
    'qty_invoiced': 'numeric',
    'price_subtotal': 'numeric',
    'display_type': 'text',
    'is_downpayment': 'boolean'
}, renamed={'product_uom_id': ['product_uom']}) }}
