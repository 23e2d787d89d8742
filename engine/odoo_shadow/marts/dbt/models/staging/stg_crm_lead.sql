{{ odoo_shadow.stage('crm.lead', {
    'id': 'bigint',
    'name': 'text',
    'type': 'text',
    'active': 'boolean',
    'company_id': 'bigint',
    'stage_id': 'bigint',
    'user_id': 'bigint',
    'team_id': 'bigint',
    'partner_id': 'bigint',
    'partner_name': 'text',
    'expected_revenue': 'numeric',
    'probability': 'double precision',
    'won_status': 'text',
    'create_date': 'timestamp with time zone',
    'date_deadline': 'date',
    'date_closed': 'timestamp with time zone',
    'lost_reason_id': 'bigint'
}, renamed={'lost_reason_id': ['lost_reason']}) }}
