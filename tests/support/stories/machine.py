"""The story of a mirror: whatever happens in Odoo and to the runs, in the end the shadow is equal to the source."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from threading import Thread
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.sync import scan
from odoo_shadow.mirror.sync.model import mirror_model, no_report
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state.verifications import Verification
from odoo_shadow.source.errors import OdooError
from odoo_stand_in import Flavour
from tests.support.clients import client_of
from tests.support.stories import writes
from tests.support.stories.mortal import Death, Killed, Life, MortalShadow, MortalSource
from tests.support.stories.odoo_side import PLAIN, PRODUCT, TABLES, TEMPLATE, THING, OdooSide
from tests.support.stories.plans import Plan, Profile, deaths, events_of, plans_of, writes_of
from tests.support.stories.shadow_side import ShadowSide, differences
from tests.support.stories.timing import Freezer, happen_at, in_step
from tests.support.stories.twin import Twin
from tests.support.stories.writes import Event, Tick, Write

NOW = timedelta(0)


class LostError(AssertionError):
    """The shadow is not what Odoo is after the dust has settled, or two runs have written one table."""


class World:
    """What all stories of one flavour share: a stand-in, a shadow database, and two processes that can die.

    :param twin: the database of a second shadow, which is made from Odoo's own database.
    """

    def __init__(self, postgres: str, database: str, flavour: Flavour, *, twin: str) -> None:
        self.odoo = OdooSide(postgres, flavour)
        self.shadow = ShadowSide(database)
        self.twin = Twin(self.odoo, twin)
        connection = client_of(self.odoo.odoo).connection
        self.processes = [
            (MortalSource(connection, lambda: self.odoo.now), MortalShadow(database)) for _ in ("one", "another")
        ]

    def close(self) -> None:
        """End everything."""
        for source, shadow in self.processes:
            source.client.close()
            shadow.close()
        self.twin.close()
        self.shadow.close()
        self.odoo.close()

    def reset(self) -> None:
        """Begin another story."""
        self.odoo.reset()
        self.shadow.reset()
        self.twin.reset()


class Outcome(Enum):
    """How a run ended."""

    DONE = auto()
    KILLED = auto()
    REFUSED = auto()
    FAILED = auto()


def _of_story(strategy: Callable[[Profile, tuple[str, ...]], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.runner().flatmap(lambda story: strategy(story.profile, story.models))


def _has(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return precondition(lambda story: name in story.profile.rules)


class Story(RuleBasedStateMachine):
    """One mirror's life."""

    def __init__(self, world: World, profile: Profile) -> None:
        super().__init__()
        self.odoo, self.shadow = world.odoo, world.shadow
        self.twin = world.twin if profile.has_twin else None
        self._processes = world.processes
        self.profile = profile
        self.models: tuple[str, ...] = profile.models[0]
        self._on_delete = OnDelete.DELETE
        self._dead: dict[str, Run] = {}
        self._runs = 0
        self.runs_since_settled = 0
        world.reset()

    @initialize(data=st.data(), rows=st.sampled_from((4, 5, 6, 7, 3, 2, 0)))
    def begin(self, data: st.DataObject, rows: int) -> None:
        """There are some rows, written long ago, and perhaps there is a shadow of them already."""
        self.models = data.draw(st.sampled_from(self.profile.models))
        self._on_delete = data.draw(st.sampled_from(self.profile.on_delete))
        first = {THING: "create", PLAIN: "create_plain", TEMPLATE: "create_product", PRODUCT: "create_product"}
        for number in range(rows):
            writes.do(self.odoo, Write(first[self.models[number % len(self.models)]], 3 * number, number))
        writes.do(self.odoo, Tick(7200.0))
        if data.draw(st.sampled_from(self.profile.loaded)):
            for number in range(len(self.models)):
                assert self.run_once(Plan(model=number)) is Outcome.DONE
            writes.do(self.odoo, Tick(7200.0))

    @_has("in_odoo")
    @rule(events=_of_story(events_of))
    def in_odoo(self, events: list[Event]) -> None:
        """Something happens in Odoo."""
        for event in events:
            writes.do(self.odoo, event)

    @_has("in_a_transaction")
    @rule(write=_of_story(writes_of))
    def in_a_transaction(self, write: Write) -> None:
        """Somebody opens a transaction, writes, and does not commit yet."""
        writes.do(self.odoo, writes.Begin(write))

    @_has("time_passes")
    @rule(tick=st.runner().flatmap(lambda story: writes.ticks_of(story.profile.seconds)))
    def time_passes(self, tick: Tick) -> None:
        """Time passes."""
        writes.do(self.odoo, tick)

    @_has("fields_change")
    @rule(change=writes.fields)
    def fields_change(self, change: Event) -> None:
        """Somebody adds or removes a field."""
        writes.do(self.odoo, change)

    @_has("unseen")
    @rule(write=writes.hidden)
    def unseen(self, write: Write) -> None:
        """Something changes that no `write_date` tells of."""
        writes.do(self.odoo, write)

    @_has("backup")
    @rule(event=writes.backups)
    def backup(self, event: Event) -> None:
        """Somebody takes a backup of Odoo, or restores it."""
        writes.do(self.odoo, event)

    @rule(plan=_of_story(plans_of))
    def run(self, plan: Plan) -> None:
        """A run, which may be killed."""
        self.run_once(plan)
        if self.twin is not None:
            life = Life(plan.death, _meanwhile(self.odoo, plan.meanwhile))
            self.twin.run(self._model(plan), plan, self._on_delete, life)
        self.runs_since_settled += 1

    @_has("overlapping_runs")
    @rule(
        first=_of_story(plans_of),
        second=_of_story(plans_of),
        freeze_at=st.integers(1, 3),
        expires=st.sampled_from((True, True, False)),
        meanwhile=_of_story(events_of),
        thaw_at=st.integers(1, 8),
    )
    def overlapping_runs(
        self, first: Plan, second: Plan, freeze_at: int, expires: bool, meanwhile: list[Event], thaw_at: int
    ) -> None:
        """A second run comes while the first is writing, or has been asleep for longer than its lease lasts."""
        with patch.object(scan, "read_ahead", in_step):
            self._overlap(replace(first, meanwhile=()), second, freeze_at, expires, meanwhile, thaw_at)

    def _overlap(
        self, first: Plan, second: Plan, freeze_at: int, expires: bool, meanwhile: list[Event], thaw_at: int
    ) -> None:
        freezer, outcomes = Freezer(freeze_at), list[Outcome | BaseException]()
        thread = Thread(target=self._run_apart, args=(first, freezer, outcomes))
        thread.start()
        freezer.reached.wait()

        def go_on() -> None:
            freezer.thaw()
            thread.join()

        for event in meanwhile:
            writes.do(self.odoo, event)
        same_table = self._model(second) == self._model(first)
        other = self.run_once(
            replace(second, again=False, waits=expires or not freezer.is_frozen), on_progress=happen_at(thaw_at, go_on)
        )
        go_on()
        self.runs_since_settled += 1
        (outcome,) = outcomes
        if isinstance(outcome, BaseException):
            raise outcome
        if freezer.is_frozen and same_table and not expires and other is Outcome.DONE:
            raise LostError("two runs wrote one table")
        if freezer.is_frozen and same_table and expires and other is outcome is Outcome.DONE:
            raise LostError("a run went on after another had taken its table over")

    def _run_apart(self, plan: Plan, freezer: Freezer, outcomes: list[Outcome | BaseException]) -> None:
        try:
            outcomes.append(self.run_once(plan, on_progress=freezer, process=1))
        except BaseException as error:  # noqa: BLE001 - is raised in the thread of the test
            outcomes.append(error)
        finally:
            freezer.reached.set()

    @_has("verify")
    @rule(repair=st.booleans(), number=st.integers(0, 1), death=st.sampled_from(deaths))
    def verify(self, repair: bool, number: int, death: Death | None) -> None:
        """A verification at any time; what it finds then is not judged."""
        model = self.models[number % len(self.models)]
        try:
            with self._living(Life(death)):
                self._verify(model, repair=repair)
        except (Killed, ShadowBusyError, MirrorConfigurationError):
            pass
        except ShadowOwnershipError:
            assert model in self.odoo.set_back

    @precondition(lambda story: story.runs_since_settled > 0)
    @rule(batch=st.integers(1, 4))
    def settle(self, batch: int) -> None:
        """Everybody goes home; one run of all models, and the shadow is equal to the source."""
        self.odoo.end_all(commit=True)
        if self.shadow.has_base():
            self.shadow.expire_leases()
        self.run_all(batch)
        if self.twin is not None:
            self.twin.settle(self.models, batch, self._on_delete)
        for model in self.models:
            self._judge(model)
            if self.twin is not None and (lost := self.twin.lost(model) or self.twin.differs_from(self.shadow, model)):
                raise LostError(f"{model} from Odoo's own database: {lost}")
        self.odoo.hidden = {}
        self.runs_since_settled = 0

    def run_all(self, batch: int) -> None:
        """Run all models, and close the run."""
        run = self._new_run()
        for number in range(len(self.models)):
            assert self.run_once(Plan(model=number, batch=batch), run=run) is Outcome.DONE
        source, shadow = self._processes[0]
        for closed in close_run(source, shadow, run=run, options=self._options(Plan(batch=batch))):
            if closed.error is not None:
                raise closed.error

    def teardown(self) -> None:
        """So it is in the end."""
        if sys.exc_info()[0] is None:
            self.settle(3)
        self.odoo.end_all(commit=False)

    def _judge(self, model: str) -> None:
        found = differences(self.odoo, self.shadow, model)
        lost = {one: told for one, told in found.items() if one not in self.odoo.hidden.get(model, ())}
        if lost:
            raise LostError(f"{model}: {lost}")
        writes.do(self.odoo, Tick(2.0))  # what was written in the very second of a verification is left out
        told = self._verify(model, repair=False)
        ids = {one for ids in told.ids.values() for one in ids}
        if ids != set(found):
            raise LostError(f"verify tells of {model} {told.ids}, but it is {found}")
        if found:
            assert self._verify(model, repair=True).is_settled
            left = differences(self.odoo, self.shadow, model)
            if left:
                raise LostError(f"{model} after a repair: {left}")
        self._judge_books(model)

    def _judge_books(self, model: str) -> None:
        table = f"odoo_shadow_{TABLES[model]}"
        ((counted,),) = self.shadow.sql(
            "SELECT row_count FROM {schema}.odoo_shadow_meta WHERE table_name = {table}", table=table
        )
        assert counted == len(self.shadow.rows(model)), f"{table}: {counted} rows in the books"
        ((running,),) = self.shadow.sql(
            "SELECT count(*) FROM {schema}.odoo_shadow_sync_log WHERE table_name = {table} AND status = 'running'",
            table=table,
        )
        assert running == 0, f"{table}: {running} runs seem to be running"

    def _model(self, plan: Plan) -> str:
        return self.models[plan.model % len(self.models)]

    def run_once(
        self,
        plan: Plan,
        *,
        on_progress: Callable[[Progress], None] = no_report,
        process: int = 0,
        run: Run | None = None,
    ) -> Outcome:
        """Run one model; say how it ended."""
        model = self._model(plan)
        dead = self._dead.get(model)
        run = run or (dead if dead is not None and plan.again else self._new_run())
        if plan.waits and self.shadow.has_base():
            self.shadow.expire_leases()
        holder = self.shadow.holder(model)
        schema_changes, removed = self.odoo.schema_changes, set(self.odoo.removed)
        moment = None if plan.replay is None else self.odoo.now - timedelta(seconds=plan.replay)
        self._dead[model] = run
        try:
            with self._living(Life(plan.death, _meanwhile(self.odoo, plan.meanwhile)), process):
                source, shadow = self._processes[process]
                mirror_model(
                    source,
                    shadow,
                    model,
                    run=run,
                    options=self._options(plan),
                    replay_from=lambda _table: moment,
                    on_progress=on_progress,
                )
        except Killed:
            return Outcome.KILLED
        except ShadowBusyError:
            assert on_progress is not no_report or holder not in (None, run.holder), "nobody holds the table"
            return Outcome.REFUSED
        except OdooError:
            if self.odoo.schema_changes == schema_changes:
                raise
            return Outcome.FAILED
        except ShadowOwnershipError:  # a backup was restored, or the newest row set back: somebody knows better
            if plan.full or model not in self.odoo.set_back:
                raise
            return self.run_once(replace(plan, full=True), on_progress=on_progress, process=process, run=run)
        if model == THING:
            self.odoo.removed -= removed
        self._dead.pop(model, None)
        return Outcome.DONE

    def _options(self, plan: Plan) -> MirrorOptions:
        return MirrorOptions(full=plan.full, batch_size=plan.batch, on_delete=self._on_delete, wait=NOW)

    def _new_run(self) -> Run:
        self._runs += 1
        return Run(holder=f"run {self._runs}")

    def _verify(self, model: str, *, repair: bool) -> Verification:
        source, shadow = self._processes[0]
        options = MirrorOptions(batch_size=3, on_delete=self._on_delete, wait=NOW)
        return verify_model(
            source, shadow, model, run=self._new_run(), options=options, verify=VerifyOptions(repair=repair)
        )

    @contextmanager
    def _living(self, life: Life, process: int = 0) -> Iterator[None]:
        source, shadow = self._processes[process]
        source.mortal.life = shadow.life = life
        try:
            yield
        except Killed:
            shadow.close()
            raise
        finally:
            source.mortal.life = shadow.life = Life()


def _meanwhile(odoo: OdooSide, events: tuple[tuple[int, Event], ...]) -> Callable[[int], None]:
    def before_call(count: int) -> None:
        for at, event in events:
            if at == count:
                writes.do(odoo, event)

    return before_call
