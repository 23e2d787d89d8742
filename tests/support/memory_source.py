"""An Odoo of a few models in memory: a source without protocols, servers and domains."""

from __future__ import annotations

import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.fields import Field, FieldsState
from odoo_shadow.source.groups import Grouping, Groups
from odoo_shadow.source.models import Discovery, ModelKind, ServerModel
from odoo_shadow.source.pages import CopyPage, Page, Unreadable
from odoo_shadow.source.port import Access, Clock, DatabaseState, ModelAbout, RecordDates, Source
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Labels, Reading, Where
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import moment_in
from odoo_shadow.source.versions import BLOCK_IDS, Versions
from odoo_shadow.text.findings import Finding, Verdict

_KEPT_BY_ODOO = (Field("id", "integer"), Field("write_date", "datetime"), Field("create_date", "datetime"))


@dataclass
class MemoryModel:
    """A model and its records, by id."""

    fields: dict[str, Field]
    records: dict[int, Record] = field(default_factory=dict)


class MemorySource:
    """See `odoo_shadow.source.port.Source`. Its clock stands still until `wait` moves it.

    :param gives_copies: windows come as text for COPY, as from Odoo's own database.
    :param tells_versions: changes show whatever `write_date` says, as in Odoo's own database.
    :ivar unreadable: ids of records that it cannot give, at most one a page.
    :ivar pages_read: which model each page was of, and how many records it had.
    """

    def __init__(self, *, gives_copies: bool = False, tells_versions: bool = False) -> None:
        self.access = Access("the memory", "memory://", "odoo", "ada")
        self.protocol = "memory"
        self.opened_at = time.monotonic()
        self.calls = 0
        self.models: dict[str, MemoryModel] = {}
        self.unreadable: set[int] = set()
        self.pages_read: list[tuple[str, int]] = []
        self._gives_copies = gives_copies
        self._tells_versions = tells_versions
        self._now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

    # What happens in this Odoo.

    def add_model(self, name: str, *fields: Field) -> None:
        """Install a model."""
        self.models[name] = MemoryModel({item.name: item for item in (*_KEPT_BY_ODOO, *fields)})

    def add_field(self, model: str, field: Field) -> None:
        """Add a field that is empty everywhere."""
        self.models[model].fields[field.name] = field
        for record in self.models[model].records.values():
            record[field.name] = False

    def create(self, model: str, count: int = 1, *, first: int | None = None, **values: Json) -> list[int]:
        """Create records, with ids from `first` on or after the last one; return their ids."""
        records = self.models[model].records
        first = first or max(records, default=0) + 1
        for number in range(first, first + count):
            records[number] = {**dict.fromkeys(self.models[model].fields, False), "id": number}
            records[number]["create_date"] = self._stamp()
            self.write(model, [number], **values)
        return list(range(first, first + count))

    def write(self, model: str, ids: Sequence[int], **values: Json) -> None:
        """Change records as Odoo does."""
        self.write_silently(model, ids, write_date=self._stamp(), **values)

    def write_silently(self, model: str, ids: Sequence[int], **values: Json) -> None:
        """Change records as SQL does: without `write_date`."""
        for number in ids:
            self.models[model].records[number].update(values)

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records."""
        for number in ids:
            del self.models[model].records[number]

    def wait(self, minutes: float = 60) -> None:
        """Let time pass."""
        self._now += timedelta(minutes=minutes)

    def _stamp(self) -> str:
        return f"{self._now:%Y-%m-%d %H:%M:%S}"

    # What the engine asks.

    def user_id(self) -> int:
        return 2

    def database_state(self) -> DatabaseState:
        return DatabaseState("4f6d", is_neutralized=False)

    def clock(self) -> Clock:
        return Clock(self._now, self._now)

    def one_moment(self) -> AbstractContextManager[None]:
        return nullcontext()

    def examine(self) -> Iterator[Finding]:
        yield Finding("Odoo", Verdict.OK, "in memory")

    @property
    def readable_models(self) -> Mapping[str, str]:
        return {name: name.title() for name in self.models}

    def discover(self) -> Discovery:
        return Discovery(tuple(ServerModel(name, ModelKind.TABLE) for name in sorted(self.models)), is_complete=True)

    def has_model(self, model: str) -> bool:
        return model in self.models

    def about(self, model: str) -> ModelAbout:
        return ModelAbout(model.title(), "base")

    def describe(self, model: str) -> list[Field]:
        if model not in self.models:
            raise OdooUnknownModelError(f"{self.access} has no model {model}.")
        return [self.models[model].fields[name] for name in sorted(self.models[model].fields)]

    def stored_fields(self, models: Sequence[str]) -> Mapping[str, Collection[str]]:
        return {name: self.models[name].fields.keys() for name in models if name in self.models}

    def field_states(self, models: Sequence[str]) -> dict[str, FieldsState]:
        known = {name: self.models[name].fields for name in models if name in self.models}
        return {name: FieldsState(repr(fields), True, frozenset(fields)) for name, fields in known.items()}

    def field_identities(self, models: Sequence[str]) -> dict[str, dict[str, str]]:
        return {name: {} for name in models}

    def languages(self) -> Labels:
        return Labels("en_US")

    def companies(self) -> Labels:
        return Labels("1")

    def check_language(self) -> None:
        pass

    def foundations(
        self, model: str, properties: Sequence[str], *, company_dependent: bool, related: Sequence[str] = ()
    ) -> str:
        return "nothing changes"

    def _found(self, reading: Reading, where: Where) -> list[Record]:
        """The records that match, by ascending id."""
        assert not reading.domain, "there are no domains here"
        return [
            record
            for number, record in sorted(self.models[reading.model].records.items())
            if where.after_id < number
            and (where.up_to_id is None or number <= where.up_to_id)
            and (where.ids is None or number in where.ids)
            and (where.written_since is None or _moment(record) >= where.written_since)
        ]

    def count(self, reading: Reading, where: Where = EVERYWHERE) -> int:
        return len(self._found(reading, where))

    def count_all(self, reading: Reading) -> int:
        return self.count(reading)

    def count_without_id(self, reading: Reading) -> int:
        return 0

    def ids(self, reading: Reading, where: Where = EVERYWHERE, *, expected: int | None = None) -> set[int]:
        return set(map(_id, self._found(reading, where)))

    def outermost_id(self, reading: Reading, *, lowest: bool) -> int:
        return (min if lowest else max)(self.ids(reading))

    def highest_id(self, reading: Reading, where: Where = EVERYWHERE) -> int | None:
        return max(self.ids(reading, where), default=None)

    def nth_id(self, reading: Reading, where: Where, number: int) -> int | None:
        ids = sorted(self.ids(reading, where))
        return ids[number - 1] if number <= len(ids) else None

    def newest_write_date(self, reading: Reading, where: Where, up_to: datetime) -> datetime | None:
        return max((m for m in map(_moment, self._found(reading, where)) if m <= up_to), default=None)

    def pages(
        self,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        for records, last_id, is_last in self._pages(reading, where, after_id, up_to_id, page_size):
            given = [record for record in records if _id(record) not in self.unreadable]
            lost = next((_id(record) for record in records if _id(record) in self.unreadable), None)
            yield Page(given, last_id, is_last, None if lost is None else Unreadable(lost, None, "it is torn"))

    def versions(self, reading: Reading) -> Versions | None:
        if not self._tells_versions:
            return None
        found = self._found(reading, EVERYWHERE)
        blocks: dict[int, int] = {}
        for record in found:
            block = _id(record) // BLOCK_IDS
            blocks[block] = (blocks.get(block, 0) + zlib.crc32(repr(record).encode())) % 2**62
        return Versions("the memory", None, len(found), blocks)

    def copy_pages(
        self, reading: Reading, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage | Page] | None:
        if not self._gives_copies:
            return None
        fields = self.models[reading.model].fields
        types = [fields[name].type for name in reading.fields]
        pages = self._pages(reading, where, after_id, up_to_id, page_size)
        return (
            CopyPage("".join(_line(record, types) for record in records).encode(), last_id, is_last)
            for records, last_id, is_last in pages
        )

    def _pages(
        self, reading: Reading, where: Where, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[tuple[list[Record], int, bool]]:
        """Yield what is there when each page is read."""
        reached, is_last = after_id, up_to_id is None
        while not is_last:
            window = Where(where.written_since, where.ids, reached, up_to_id)
            found = self._found(reading, window)
            records = [{name: record[name] for name in reading.fields} for record in found[:page_size]]
            is_last = len(found) <= page_size
            reached = reached if not records else _id(records[-1])
            self.pages_read.append((reading.model, len(records)))
            yield records, reached, is_last
        if up_to_id is None:
            yield [], after_id, True

    def dates(self, model: str, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        records = self.models[model].records
        return {
            number: RecordDates(_moment(records[number]), moment_in(str(records[number]["create_date"])))
            for number in ids
            if number in records
        }

    def groups(self, grouping: Grouping) -> Groups:
        raise OdooUnknownModelError("nothing is grouped here")

    def hides(self, model: str, ids: Sequence[int]) -> bool:
        return False


def _line(record: Record, types: Sequence[str]) -> str:
    """A record as PostgreSQL's `COPY … TO` writes it out of Odoo's own database."""
    return "\t".join(_copied(value, kind) for value, kind in zip(record.values(), types, strict=True)) + "\n"


def _copied(value: Json, kind: str) -> str:
    if kind == "boolean":
        return "t" if value else "f"
    if value is False or value is None:
        return r"\N"
    text = f"{value}+00" if kind == "datetime" else str(value)
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def _moment(record: Record) -> datetime:
    moment = moment_in(str(record["write_date"]))
    assert moment is not None
    return moment


def _id(record: Record) -> int:
    number = record["id"]
    assert isinstance(number, int)
    return number


def as_source(memory: MemorySource) -> Source:
    """Let the type checker say whether it is one."""
    return memory
