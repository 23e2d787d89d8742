{{ odoo_shadow.stage('res.currency', {
    'id': 'bigint',
    'name': 'text'
}) }}
