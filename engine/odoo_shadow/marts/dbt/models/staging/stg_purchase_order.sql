{{ odoo_shadow.stage('purchase.order', {
    'id': 'bigint',
    'name': 'text',
    'date_order': 'timestamp with time zone',
    'date_approve': 'timestamp with time zone',
    'partner_id': 'bigint',
    'user_id': 'bigint',
    'company_id': 'bigint',
    'currency_id': 'bigint',
    'currency_rate': 'numeric',
    'state': 'text'
}) }}
