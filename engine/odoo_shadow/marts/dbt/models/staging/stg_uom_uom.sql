{{ odoo_shadow.stage('uom.uom', {
    'id': 'bigint',
    'name': 'text',
    'factor': 'numeric'
}) }}
