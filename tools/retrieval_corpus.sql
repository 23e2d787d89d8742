-- Made-up documents <first> to <last>; a vector is the sum of two of the table made.
INSERT INTO odoo_shadow.odoo_shadow_stored_document
    (odoo_model, odoo_id, title, body, names, companies, company_id, dated_at, url, content_hash, rows_digest, embedding_1)
SELECT (ARRAY['sale.order', 'account.move', 'purchase.order', 'project.task', 'res.partner'])[1 + n % 5], n,
    (ARRAY['Sales Order S', 'Customer Invoice INV/2026/', 'Purchase Order P', 'Task ', 'Contact '])[1 + n % 5]
        || lpad(n::text, 7, '0') || ', ' || firm,
    format(E'Status: %s\nCustomer: %s\nDate: 2026-%s-%s\nSalesperson: %s Desk\nTotal: %s.00 EUR\n- %s %s %s, quantity %s'
        '\n- %s %s, quantity 1', (ARRAY['Draft', 'Open', 'Done'])[1 + n % 3], firm, 1 + n % 12, 1 + n % 28,
        (ARRAY['Sales', 'Web', 'Key'])[1 + n % 3], n % 9000, (ARRAY['Oak', 'Steel', 'Slim', 'Silent'])[1 + n % 4],
        (ARRAY['Desk', 'Lamp', 'Pump', 'Valve', 'Motor', 'Chair', 'Filter'])[1 + n % 7], 'K' || n % 5003, n % 40,
        'part' || n % 50021, (ARRAY['blue', 'red', 'green'])[1 + n % 3]),
    lpad(n::text, 7, '0') || ' ' || firm, ARRAY[c], c, timestamptz '2026-01-01' + n % 365 * interval '1 day',
    'https://odoo.example.com/' || n, 'x', 1, one.v OPERATOR(public.+) other.v
FROM generate_series(<first>, <last>) n
CROSS JOIN LATERAL (SELECT (ARRAY['Nord', 'Kupfer', 'Silver', 'Alder', 'Bright', 'Ocean'])[1 + n % 6] || chr(97 + n / 6 % 26)
    || chr(97 + n / 156 % 26) || (ARRAY['wind', 'tal', 'brook', 'way'])[1 + n % 4] || ' '
    || (ARRAY['Foods', 'Glass', 'Timber'])[1 + n % 3] AS firm, CASE WHEN n % 200 = 0 THEN 2 ELSE 1 END AS c) f
JOIN made one ON one.number = n % 3000 JOIN made other ON other.number = n::bigint * 7 % 2999
