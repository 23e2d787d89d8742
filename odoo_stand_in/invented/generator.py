"""Invented data for all tables: the same for the same seed, up to the time at which it ends, which is mostly now."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import LOG_ACCESS, Field, Model
from odoo_stand_in.invented import words
from odoo_stand_in.orm import files

Row = dict[str, Any]
HISTORY = timedelta(days=730)
# Columns that the ORM keeps to itself.
_NO_FIELDS = {"res.users": {"password"}, "res.users.apikeys": {"key", "index", "expiration_date"}}


class Generator:
    """Fills the tables of a registry, row by row in memory, table by table over COPY."""

    def __init__(
        self, registry: Registry, seed: int, scale: float, counts: dict[str, int], end: datetime | None = None
    ) -> None:
        self.registry = registry
        self.random = Random(seed)  # noqa: S311 - invented data, no secret
        self.scale = scale
        # Naive: these are the UTC times of "timestamp without time zone" columns.
        self.end = end or datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=1)
        self.counts = {name: number for name, number in counts.items() if name in registry.models}
        self.rows: dict[str, list[Row]] = {}
        self.relations: dict[str, set[tuple[int, int]]] = {}

    def moment(self, after: datetime | None = None) -> datetime:
        """Draw a time within the history, to the microsecond."""
        start = after or self.end - HISTORY
        span = (self.end - start).total_seconds()
        return start + timedelta(seconds=self.random.random() * span)

    def make(self, name: str, override: Callable[[int, Row], None]) -> list[Row]:
        """Make the rows of one model: plausible values of each type, then what `override(id, row)` decides.

        It may set what only the other flavour has as a column.
        """
        model = self.registry.models[name]
        # In the order in which they are declared, so that all have the same values as ever.
        fields = [one for one in model.fields.values() if one in model.columns or one in model.attachments]
        columns = {"id", *(field.name for field in fields), *_NO_FIELDS.get(name, ())}
        rows: list[Row] = []
        left = 0
        for number in range(1, self.counts.get(name, 0) + 1):
            row: Row = {"id": number}
            for field in fields:
                row[field.name] = self.value(field)
            if model.log_access:
                if left == 0:
                    # A bulk import or a mass edit leaves one write_date on many rows.
                    left = self.random.choice((1, 1, 1, 2, 3, 5, 8, 40))
                    created, written = self.moment(), None
                    written = created if self.random.random() < 0.4 else self.moment(created)
                left -= 1
                row.update(
                    create_uid=2, write_uid=self.random.choice((1, 2, 2)), create_date=created, write_date=written
                )
            override(number, row)
            for other in row.keys() - columns:
                del row[other]
            rows.append(row)
        self.rows[name] = rows
        return rows

    def value(self, field: Field) -> Any:
        """Make a value for a column by its type; a quarter of what may be empty is NULL."""
        if field.name in LOG_ACCESS:
            return None
        if field.name == "active":
            return True
        if not field.required and self.random.random() < 0.25:
            return None
        if field.company_dependent:
            companies = range(1, self.counts["res.company"] + 1)
            return {str(company): self._plain(field) for company in companies if self.random.random() < 0.7} or None
        if field.translate:
            text = self._plain(field)
            return {"en_US": text, "fr_FR": f"{text} (fr)"} if self.random.random() < 0.3 else {"en_US": text}
        return self._plain(field)

    def _plain(self, field: Field) -> Any:
        random = self.random
        makers: dict[str, Callable[[], Any]] = {
            "char": lambda: words.word(random),
            "text": lambda: words.sentence(random),
            "html": lambda: f"<p>{words.task(random)}</p>",
            "integer": lambda: random.randint(0, 11 if field.name == "color" else 90),
            "float": lambda: round(random.random() * 400, min(field.digits[1] if field.digits else 2, 6)),
            "monetary": lambda: round(random.random() * 400, 2),
            "boolean": lambda: random.random() < 0.4,
            "date": lambda: self.moment().date(),
            "datetime": lambda: self.moment().replace(microsecond=0),
            "selection": lambda: random.choice(field.selection) if field.selection else None,
            "many2one": lambda: self._some_id(field),
            "many2one_reference": lambda: random.randint(1, 9) if field.required else None,
            "json": lambda: {str(random.randint(1, 5)): 100.0},
            "binary": lambda: random.randbytes(random.randint(20, 3000)) if random.random() < 0.2 else None,
        }
        return makers.get(field.type, lambda: None)()

    def _some_id(self, field: Field) -> int | None:
        total = self.counts.get(field.relation or "", 0)
        return self.random.randint(1, total) if total else None

    def relate(self, table: str, own: int, other: int) -> None:
        """One row of a many2many."""
        self.relations.setdefault(table, set()).add((own, other))

    def relate_some(self, model: str, field_name: str, share: float, most: int = 3) -> None:
        """Make some rows of a many2many for a share of the model's records."""
        field = self.registry.models[model].fields.get(field_name)
        if field is None or field.rel_table is None:
            return
        total = self.counts.get(field.relation or "", 0)
        for row in self.rows[model]:
            if total and self.random.random() < share:
                for _ in range(self.random.randint(1, most)):
                    self.relate(
                        f"{field.rel_table}/{field.rel_own}/{field.rel_other}", row["id"], self.random.randint(1, total)
                    )

    def load(self, connection: psycopg.Connection[Any]) -> None:
        """Write all rows, and set the sequences behind them."""
        sequences: list[sql.Composable] = []
        for name, rows in self.rows.items():
            if rows:
                model = self.registry.models[name]
                self._copy(connection, model, rows)
                sequences.append(
                    sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), {})").format(
                        sql.Literal(sql.Identifier(model.extends_table or model.table).as_string(connection)),
                        sql.Literal(len(rows)),
                    )
                )
        for target, pairs in self.relations.items():
            table, own, other = target.split("/")
            statement = sql.SQL("COPY {} ({}, {}) FROM STDIN").format(*map(sql.Identifier, (table, own, other)))
            with connection.cursor().copy(statement) as copy:
                for pair in sorted(pairs):
                    copy.write_row(pair)
        connection.execute(sql.SQL("; ").join(sequences))

    @staticmethod
    def _copy(connection: psycopg.Connection[Any], model: Model, rows: list[Row]) -> None:
        attached = {field.name: field for field in model.attachments}
        names = list(dict.fromkeys(name for row in rows for name in row if name not in attached))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model.table), sql.SQL(", ").join(sql.Identifier(_column_name(model, name)) for name in names)
        )
        with connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row([_column(row.get(name)) for name in names])
        for name, field in attached.items():
            files.load(connection, model, field, ((row["id"], row.get(name)) for row in rows))


def _column_name(model: Model, name: str) -> str:
    return model.fields[name].column_name if name in model.fields else name


def _column(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else value
