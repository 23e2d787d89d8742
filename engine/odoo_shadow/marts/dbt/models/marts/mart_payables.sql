{% call odoo_shadow.mart() %}
{{ odoo_shadow.ageing('liability_payable', -1) }}
{% endcall %}
