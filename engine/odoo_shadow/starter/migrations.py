"""Timestamped migrations for `supabase db push`: a piece is written again only when its text has changed.

A migration that was pushed is history, so it is never rewritten: a new text becomes a new migration, later than all
that there are. Its first line says which piece of which schema it is, and the digest of its statements.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA
from odoo_shadow.starter.files import StarterFile

FOLDER = "supabase/migrations"

_TIMESTAMP = "%Y%m%d%H%M%S"
_NAME = re.compile(r"(\d{14})_.*\.sql")
_MARKER = re.compile(r"^-- odoo-shadow init supabase: (.*), digest ([0-9a-f]{64})$", re.MULTILINE)
_HEAD_BYTES = 2_000
"""A marker stands among the first lines of a migration."""


@dataclass(frozen=True)
class Piece:
    """A migration without its time.

    :param name: what it makes, such as `base`: part of the file's name.
    :param statements: may be run twice.
    """

    name: str
    schema: str
    statements: str

    @property
    def what(self) -> str:
        """How the marker names it: on one line, whatever the schema is called."""
        return f"{self.name} of schema {self.schema!r}"

    @property
    def digest(self) -> str:
        """The digest of its statements."""
        return hashlib.sha256(self.statements.encode()).hexdigest()

    def migration(self, time: datetime) -> StarterFile:
        """Return the migration of a time."""
        # The default schema's files are called …_odoo_shadow_base.sql; others say which schema they are about.
        of = "" if self.schema == DEFAULT_SCHEMA else f"{re.sub(r'[^a-z0-9]+', '_', self.schema.lower()).strip('_')}_"
        name = f"{time.strftime(_TIMESTAMP)}_odoo_shadow_{of}{self.name}.sql"
        marker = f"-- odoo-shadow init supabase: {self.what}, digest {self.digest}"
        return StarterFile(f"{FOLDER}/{name}", f"{marker}\n{self.statements}")


def new_migrations(project: Path, pieces: Sequence[Piece], now: datetime) -> list[StarterFile]:
    """Return migrations of the pieces whose newest migration has other statements, or that have none.

    :param now: in UTC.
    :raises MirrorConfigurationError: the folder of the migrations cannot be read.
    """
    there = sorted(_existing(project / FOLDER))
    newest = {what: digest for _, marks in there for what, digest in marks}
    last = max((time for time, _ in there), default=None)
    changed = [piece for piece in pieces if newest.get(piece.what) != piece.digest]
    try:
        # The CLI pushes only what is later than everything that it has pushed.
        time = now if last is None else max(now, last + timedelta(seconds=1))
        return [piece.migration(time + timedelta(seconds=number)) for number, piece in enumerate(changed)]
    except OverflowError:
        raise MirrorConfigurationError(
            f"{project / FOLDER} has a migration of the last second of the year 9999: nothing can be later; rename it."
        ) from None


def _existing(folder: Path) -> Iterator[tuple[datetime, list[tuple[str, str]]]]:
    """Yield the time of each migration in a folder, and what it says to be."""
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in paths:
            named = _NAME.fullmatch(path.name)
            if named is None or not path.is_file():
                continue
            try:
                time = datetime.strptime(named[1], _TIMESTAMP).replace(tzinfo=UTC)
            except ValueError:
                continue
            with path.open("rb") as opened:
                head = opened.read(_HEAD_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
            yield time, [(found[1], found[2]) for found in _MARKER.finditer(head)]
    except OSError as error:
        raise MirrorConfigurationError(f"{folder} cannot be read: {error.strerror}.") from None
