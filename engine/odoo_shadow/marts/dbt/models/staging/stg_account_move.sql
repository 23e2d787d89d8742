{{ odoo_shadow.stage('account.move', {
    'id': 'bigint',
    'name': 'text',
    'ref': 'text',
    'move_type': 'text',
    'state': 'text',
    'payment_state': 'text',
    'invoice_date': 'date',
    'date': 'date',
    'partner_id': 'bigint',
    'commercial_partner_id': 'bigint',
    'invoice_user_id': 'bigint',
    'journal_id': 'bigint',
    'currency_id': 'bigint',
    'company_id': 'bigint',
    'invoice_origin': 'text'
}) }}
