{{ odoo_shadow.stage('res.users', {
    'id': 'bigint',
    'partner_id': 'bigint',
    'login': 'text'
}) }}
