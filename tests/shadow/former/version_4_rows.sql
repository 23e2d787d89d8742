-- What a run of version 4 left: one row, and an error that names an address, a login and a host.
INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, name, _odoo_write_date, _sync_hash)
VALUES (1, 'Zoë', '2026-01-01 00:00:00+00', '0123456789abcdef0123456789abcdef');
UPDATE odoo_shadow.odoo_shadow_mirror
SET odoo_url = 'https://erp.example.com', odoo_database = 'acme', odoo_uuid = 'uuid-of-acme';
UPDATE odoo_shadow.odoo_shadow_meta
SET read_as = '''someone'', en_US, all companies', sync_errors = 1, last_error = 'https://erp.example.com refused ''someone''',
    row_count = 1;
INSERT INTO odoo_shadow.odoo_shadow_watermark (table_name, last_write_date, held_by, held_token, held_until)
VALUES ('odoo_shadow_res_partner', '2026-01-01 00:00:00+00', 'odoo-shadow on worker-7, process 1',
    '5c0ffee0-0000-4000-8000-000000000002', now() - interval '1 hour');
INSERT INTO odoo_shadow.odoo_shadow_sync_log (sync_run_id, table_name, status, error_message, metadata)
VALUES ('5c0ffee0-0000-4000-8000-000000000001', 'odoo_shadow_res_partner', 'error',
    'https://erp.example.com refused ''someone''', '{"holder": "odoo-shadow on worker-7, process 1", "full": false}');
