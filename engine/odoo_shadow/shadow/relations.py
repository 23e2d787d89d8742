"""The names of the control tables and of the mirror's functions."""

from __future__ import annotations

META = "odoo_shadow_meta"
WATERMARK = "odoo_shadow_watermark"
SYNC_LOG = "odoo_shadow_sync_log"
FIELD = "odoo_shadow_field"
SELECTION = "odoo_shadow_selection"
SCHEMA_LOG = "odoo_shadow_schema_log"
VERIFICATION = "odoo_shadow_verification"
LEFT_OUT = "odoo_shadow_left_out"
COMPANY_ACCESS = "odoo_shadow_company_access"
MART_VERIFICATION = "odoo_shadow_mart_verification"
DOCUMENT_MODEL = "odoo_shadow_document_model"
EMBEDDING_MODEL = "odoo_shadow_embedding_model"

CONTROL_TABLES = (
    *(META, WATERMARK, SYNC_LOG, FIELD, SELECTION, SCHEMA_LOG, VERIFICATION, LEFT_OUT, COMPANY_ACCESS),
    *(MART_VERIFICATION, DOCUMENT_MODEL, EMBEDDING_MODEL),
)
"""In the mirror's schema, for readers as well."""

STORED_DOCUMENT = "odoo_shadow_stored_document"
DOCUMENT = "odoo_shadow_document"
"""The view of the documents: it adds how fresh they are, and the embeddings that are in use."""
SEARCH = "odoo_shadow_search"
"""The function that finds documents."""

NEWEST_OF_KIND = "ix_odoo_shadow_verification_newest"
"""The index by which the last comparison of each table is found without reading all."""

MIRROR = "mirror"
TABLE_STATE = "table_state"
LEASE = "lease"
SYNC_DETAIL = "sync_detail"
HASH_SECRET = "hash_secret"  # noqa: S105 - a table's name
MADE_OBJECT = "made_object"
RELATIONSHIP = "relationship"
PROOF = "proof"
DUE_ROW = "due_row"
ROW_POLICY = "row_policy"
KNOWN_LINK = "known_link"
EMBEDDING_CLAIM = "embedding_claim"
VERSION = "version"
VERSION_BLOCK = "version_block"
SCAN_RANGE = "scan_range"

READ_VERSION = "odoo_shadow_read_version"
FUNCTIONS = ("get_shadow_watermark", "update_shadow_watermark", READ_VERSION)
"""For other writers and readers, in the mirror's schema and in `public`."""

MART_FRESHNESS = "mart_freshness"
"""In each schema of marts, which other schemas than the mirror's own are."""

MARTS = (
    *("mart_invoices", "mart_payables", "mart_pipeline", "mart_purchases", "mart_receivables", "mart_sales"),
    *("mart_stock", "mart_trial_balance"),
)
"""What a build of the marts makes, of the models that are mirrored."""

COMPANIES = "odoo_shadow_companies"
CLAIMS = "odoo_shadow_claims"
DOCUMENT_MODELS = "odoo_shadow_document_models"
DOCUMENT_COMPANIES = "odoo_shadow_document_companies"
READING_FUNCTIONS = (COMPANIES, CLAIMS, DOCUMENT_MODELS, DOCUMENT_COMPANIES)
"""What policies ask for the companies of whoever queries, and for their documents; in the mirror's schema."""

ACCEPT_DATABASE = "accept_database"
"""The function that lets a mirror continue with another database; only the sync's role can call it."""
