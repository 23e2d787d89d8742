"""Mixed writes through Odoo's own API, for soak tests on test databases: records are made, changed and deleted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.types import Argument

PARTNER, TAG, TASK = "res.partner", "res.partner.category", "project.task"
MODELS = (PARTNER, TAG, TASK)

_MARK = "soak"
_LARGEST_IMPORT = 120


class MixedWriter(threading.Thread):
    """Writes until it is told to stop.

    :ivar done: how many operations of each kind were carried out.
    :ivar refused: how many Odoo refused, such as two writes of one record at once.
    """

    def __init__(self, odoo: OdooClient, seed: int, until: float) -> None:
        super().__init__(name=f"writer-{seed}")
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._odoo = odoo
        self._random = Random(seed)  # noqa: S311 - variety, not secrecy
        self._until = until
        self._ids: dict[str, list[int]] = {model: [] for model in MODELS}

    def run(self) -> None:
        """Write until the time is over."""
        changes = (self._create, self._import, self._edit, self._edit, self._edit_many, self._archive, self._delete)
        operations = (*changes, self._tag_from_partner, self._tag_from_tag, self._adopt)
        while time.monotonic() < self._until:
            operation = self._random.choice(operations)
            name = operation.__name__.strip("_")
            try:
                operation()
                self.done[name] += 1
            except OdooError:
                self.refused[name] += 1

    def _call(self, model: str, method: str, *args: Argument) -> list[int]:
        answer = self._odoo.execute_kw(model, method, args)
        return [item for item in answer if isinstance(item, int)] if isinstance(answer, list) else []

    def _pick(self, model: str, most: int = 1) -> list[int]:
        ids = self._ids[model]
        return self._random.sample(ids, min(len(ids), self._random.randint(1, most)))

    def _values(self, model: str) -> dict[str, Argument]:
        values: dict[str, Argument] = {"name": f"{_MARK} {self._random.random()}"}
        if model == PARTNER:
            values |= {"city": self._random.choice(("Here", "There", "")), "comment": "a\tb\\c\n'\"; ☃"}
        return values

    def _create(self) -> None:
        model = self._random.choice(MODELS)
        self._ids[model] += self._call(model, "create", [self._values(model)])

    def _import(self) -> None:
        """One long transaction: all its rows share the moment at which it began."""
        count = self._random.randint(20, _LARGEST_IMPORT)
        self._ids[PARTNER] += self._call(PARTNER, "create", [self._values(PARTNER) for _ in range(count)])

    def _edit(self) -> None:
        model = self._random.choice(MODELS)
        self._call(model, "write", self._pick(model), self._values(model))

    def _edit_many(self) -> None:
        self._call(PARTNER, "write", self._pick(PARTNER, most=200), {"city": f"bulk {self._random.random()}"})

    def _archive(self) -> None:
        self._call(PARTNER, "write", self._pick(PARTNER, most=5), {"active": self._random.random() < 0.5})

    def _delete(self) -> None:
        model = self._random.choice(MODELS)
        gone = self._pick(model, most=5)
        self._call(model, "unlink", gone)
        self._ids[model] = [item for item in self._ids[model] if item not in gone]

    def _tag_from_partner(self) -> None:
        tags: list[Argument] = [[6, 0, self._pick(TAG, most=3)]]
        self._call(PARTNER, "write", self._pick(PARTNER), {"category_id": tags})

    def _tag_from_tag(self) -> None:
        self._call(TAG, "write", self._pick(TAG), {"partner_ids": [[6, 0, self._pick(PARTNER, most=20)]]})

    def _adopt(self) -> None:
        """Give partners a parent, whose name their stored names repeat."""
        parent = self._ids[PARTNER][:1]
        if parent:
            self._call(PARTNER, "write", self._pick(PARTNER, most=3), {"parent_id": parent[0]})
