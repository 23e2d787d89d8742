-- What a run of version 6 left: one row, an unfinished proof, and an error that names an address and a login.
INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, name, _odoo_write_date, _sync_hash)
VALUES (1, 'Zoë', '2026-01-01 00:00:00+00', 'v1:0123456789abcdef0123456789abcdef');
UPDATE odoo_shadow_internal.mirror
SET odoo_url = 'https://erp.example.com', odoo_database = 'acme', odoo_uuid = 'uuid-of-acme';
UPDATE odoo_shadow.odoo_shadow_meta SET sync_errors = 1, row_count = 1;
INSERT INTO odoo_shadow_internal.table_state (table_name, read_as, last_error)
VALUES ('odoo_shadow_res_partner', '''someone'', en_US, all companies', 'https://erp.example.com refused ''someone''');
INSERT INTO odoo_shadow.odoo_shadow_watermark (table_name, last_write_date)
VALUES ('odoo_shadow_res_partner', '2026-01-01 00:00:00+00');
INSERT INTO odoo_shadow.odoo_shadow_sync_log (sync_run_id, table_name, status, error_message)
VALUES ('5c0ffee0-0000-4000-8000-000000000001', 'odoo_shadow_res_partner', 'error', 'OdooAuthenticationError');
INSERT INTO odoo_shadow_internal.sync_detail (log_id, holder, message)
SELECT id, 'odoo-shadow on worker-7, process 1', 'https://erp.example.com refused ''someone'''
FROM odoo_shadow.odoo_shadow_sync_log;
UPDATE odoo_shadow.odoo_shadow_meta SET unreadable_fields = '{ref}', proven_up_to = '2026-01-01 00:00:00+00';
INSERT INTO odoo_shadow_internal.proof (table_name, round_started_at, last_id, slice_at, unproven)
VALUES ('odoo_shadow_res_partner', '2026-01-01 00:00:00+00', 1, '2026-01-01 00:00:00+00', '{1}');
INSERT INTO odoo_shadow_internal.due_row (table_name, ids, due_from)
VALUES ('odoo_shadow_res_partner', '{1}', '2026-01-01 00:00:00+00');
