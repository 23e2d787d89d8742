"""Keeps how a table was read, and decides which rows are read again when that changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from odoo_shadow.mirror.config.model_settings import ModelSettings, key_in
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state import registry, watermarks
from odoo_shadow.shadow.tables.apply_changes import forget_values, recorded_fields
from odoo_shadow.text.log import logger

log = logger(__name__)


def read_settings_of(reading: str, layout: Layout, options: MirrorOptions) -> registry.ReadSettings:
    """Return how a run reads a table.

    :param reading: the text of `read_as`.
    """
    return registry.ReadSettings(
        reading,
        options.removal,
        layout.settings.as_text(),
        layout.unreadable,
        labels_text(layout.variant_labels),
        unreadable_fields=layout.refused,
    )


def labels_text(labels: Mapping[str, Sequence[str]]) -> str | None:
    """Return languages and companies by kind as a text, None when there are none."""
    return json.dumps(labels, sort_keys=True) if labels else None


def labels_from(text: str | None) -> dict[str, list[str]]:
    """Return what `labels_text` has written."""
    return dict(json.loads(text)) if text else {}


def keep_settings(tx: Transaction, table: str, layout: Layout, settings: registry.ReadSettings) -> None:
    """Keep how a table is read; with another login, language, company or domain, rows of any age have other values.

    Plain values of fields that are hashed from now on are removed at once, even in rows that are never read again. So
    are hashes with another key: it may have been changed because somebody knows the former one.
    """
    before = registry.read_settings(tx, table)
    if before == settings:
        return
    registry.note_settings(tx, table, settings)
    known = ModelSettings.from_text(before.settings)
    hashed = {item.column.field for item in layout.all_columns if layout.settings.hashes(item.column.field)}
    outdated = {field for field in hashed if not known.hashes(field)}
    if hashed and known.hashed_fields and key_in(before.read_as or "") != key_in(settings.read_as or ""):
        outdated |= {field for field in recorded_fields(tx, table) if known.hashes(field)}
    forget_values(tx, table, sorted(outdated))
    why = why_read_again(before, settings, layout.settings)
    if why is None:
        return
    if why is ScanKind.NEW_DOMAIN:
        _warn_of_new_domain(layout, known, settings.on_delete)
    elif before.read_as != settings.read_as:
        log.warning(
            "%s was read as %s, and is now read as %s: everything is read again",
            layout.model,
            before.read_as,
            settings.read_as,
        )
    else:
        log.warning("%s: other languages or companies than before: everything is read again", layout.model)
    watermarks.forget(tx, table)


def why_read_again(
    before: registry.ReadSettings, now: registry.ReadSettings, settings: ModelSettings
) -> Literal[ScanKind.NEW_DOMAIN, ScanKind.READ_AGAIN] | None:
    """Return why rows of any age have other values than before, None if they do not.

    :param settings: how the model is mirrored now.
    """
    has_other_variants = None not in (before.variants, now.variants) and before.variants != now.variants
    if before.read_as in (None, now.read_as) and not has_other_variants:
        return None
    is_other_domain = ModelSettings.from_text(before.settings).domain != settings.domain
    return ScanKind.NEW_DOMAIN if is_other_domain else ScanKind.READ_AGAIN


def _warn_of_new_domain(layout: Layout, before: ModelSettings, on_delete: OnDelete) -> None:
    was, now = (json.dumps(domain) if domain else "none" for domain in (before.domain, layout.settings.domain))
    what = "all rows are read again"
    if layout.settings.domain:
        what = f"rows within it are read again, rows outside of it {on_delete.fate} (on_delete: {on_delete})"
    log.warning("%s: its domain was %s, and is now %s: %s", layout.model, was, now, what)
