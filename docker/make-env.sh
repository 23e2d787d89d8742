#!/bin/sh
# Writes .env from docker/env.example, with fresh secrets; the lines for Odoo are yours to fill in.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo ".env is there already: move it away first." >&2
    exit 1
fi
random_text() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
random_key() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }
umask 077
while IFS= read -r line; do
    case $line in
    ODOO_*=) echo "$line" ;;
    AIRFLOW_FERNET_KEY=) echo "$line$(random_key)" ;;
    [A-Z]*=) echo "$line$(random_text)" ;;
    *) echo "$line" ;;
    esac
done <docker/env.example >.env
echo "Now fill in ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD in .env."
