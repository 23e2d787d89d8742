"""The same Odoo mirrored once more, from its own database: whatever happens, both shadows are equal in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.port import Clock
from odoo_stand_in import StandIn
from tests.support.stories.mortal import Killed, Life, Moment, MortalShadow
from tests.support.stories.odoo_side import OdooSide
from tests.support.stories.plans import Plan
from tests.support.stories.shadow_side import ShadowSide, differences

_OWN_COLUMNS = ("_synced_at", "_sync_hash")


class MortalTables(DatabaseSource):
    """Odoo's own database, whose transactions are moments of a life, and which has the stand-in's clock."""

    def __init__(self, database: OdooDatabase, clock: Callable[[], datetime]) -> None:
        super().__init__(database)
        self.life = Life()
        self._now = clock
        begin = self._sessions.transaction

        @contextmanager
        def transaction(*args: Any, **named: Any) -> Iterator[Transaction]:
            self.life.pass_by(Moment.BEFORE_CALL)
            with begin(*args, **named) as tx:
                yield tx
            self.life.pass_by(Moment.AFTER_CALL)

        self._sessions.transaction = transaction  # type: ignore[method-assign]

    def clock(self) -> Clock:
        now = self._now()
        return Clock(now.replace(microsecond=0), now)


class Twin:
    """The second mirror."""

    def __init__(self, odoo: OdooSide, database: str) -> None:
        self.shadow = ShadowSide(database)
        self._odoo = odoo
        where = OdooDatabase.from_url(odoo.odoo.dsn, name="property", login=StandIn.login)
        self._source = MortalTables(where, lambda: odoo.now)
        self._mirror = MortalShadow(database)
        self._dead: dict[str, Run] = {}
        self._runs = 0

    def close(self) -> None:
        """End everything."""
        with self._source:
            self._mirror.close()
            self.shadow.close()

    def reset(self) -> None:
        """Begin another story."""
        self.shadow.reset()
        self._dead.clear()

    def run(self, model: str, plan: Plan, on_delete: OnDelete, life: Life, run: Run | None = None) -> None:
        """Run one model; whatever the end of the run is, the next one that is not killed makes up for it."""
        self._runs += 1
        dead = self._dead.get(model)
        run = run or (dead if dead is not None and plan.again else Run(holder=f"twin {self._runs}"))
        if self.shadow.has_base():
            self.shadow.expire_leases()
        schema_changes = self._odoo.schema_changes
        self._dead[model] = run
        options = MirrorOptions(full=plan.full, batch_size=plan.batch, on_delete=on_delete, wait=timedelta(0))
        try:
            with self._living(life):
                mirror_model(self._source, self._mirror, model, run=run, options=options)
        except Killed:
            return
        except OdooError:
            if self._odoo.schema_changes == schema_changes:
                raise
            return
        except ShadowOwnershipError:  # as for the first mirror
            if plan.full or model not in self._odoo.set_back:
                raise
            self.run(model, replace(plan, full=True), on_delete, Life(), run)
        self._dead.pop(model, None)

    def settle(self, models: tuple[str, ...], batch: int, on_delete: OnDelete) -> None:
        """Run all models once; and once more if rows were older than here, which a run believes only after a while."""
        self._run_all(models, batch, on_delete)
        if self.shadow.sql("UPDATE {internal}.due_row SET due_from = now() WHERE due_from > now() RETURNING id"):
            self._run_all(models, batch, on_delete)

    def _run_all(self, models: tuple[str, ...], batch: int, on_delete: OnDelete) -> None:
        run = Run(holder=f"twin settles {self._runs}")
        for model in models:
            self.run(model, Plan(batch=batch), on_delete, Life(), run)
        options = MirrorOptions(batch_size=batch, on_delete=on_delete, wait=timedelta(0))
        for closed in close_run(self._source, self._mirror, run=run, options=options):
            if closed.error is not None:
                raise closed.error

    def lost(self, model: str) -> dict[int, str]:
        """Return what differs from Odoo: nothing may, since versions of records tell of every change."""
        return differences(self._odoo, self.shadow, model)

    def differs_from(self, first: ShadowSide, model: str) -> dict[int, set[str]]:
        """Return the cells in which the two shadows differ, by id."""
        theirs, ours = first.rows(model), self.shadow.rows(model)
        found: dict[int, set[str]] = {one: {"one has it"} for one in theirs.keys() ^ ours.keys()}
        for one in theirs.keys() & ours.keys():
            names = (theirs[one].keys() & ours[one].keys()) - {*_OWN_COLUMNS}
            if differing := {name for name in names if theirs[one][name] != ours[one][name]}:
                found[one] = differing
        return found

    @contextmanager
    def _living(self, life: Life) -> Iterator[None]:
        self._source.life = self._mirror.life = life
        try:
            yield
        except Killed:
            self._mirror.close()
            raise
        finally:
            self._source.life = self._mirror.life = Life()
