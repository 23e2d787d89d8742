{% call odoo_shadow.mart() %}
{{ odoo_shadow.ageing('asset_receivable', 1) }}
{% endcall %}
