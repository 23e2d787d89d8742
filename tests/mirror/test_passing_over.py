"""Nothing is lost by passing over: what a plan leaves alone is equal to Odoo, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooServerError
from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, Call, CountingProxy, in_odoo, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.running import column, wait_until_after
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows

pytestmark = pytest.mark.one_flavour

ROWS = 30
NO_LOOK_BACK = MirrorOptions(look_back=timedelta(0))
SEVERAL = (VISIT, "res.partner", "res.partner.category", "project.project")


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    age(odoo, "res.partner.category")
    with source_of(odoo) as opened, visits(odoo, ROWS):
        yield opened


def once(action: Callable[[], object], when: Callable[[Call], bool]) -> Callable[[Call], None]:
    """Return what does something before the first call of a kind is passed on."""
    done: list[object] = []

    def before(call: Call) -> None:
        if when(call) and not done:
            done.append(None)
            action()

    return before


def counts_all(call: Call) -> bool:
    """Whether a call asks how many records there are: the second of a plan's two."""
    names = [name for name, _, _ in call.conditions]
    return (call.model, call.method) == (VISIT, "search_count") and "write_date" not in names


def test_a_row_that_is_committed_late_is_found_by_the_next_plan(
    source: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    """The transaction began before the plan that passed over its model, and is committed after it."""
    plan_and_mirror(source, shadow)
    with odoo.transaction() as slow:
        slow.execute(VISIT, "write", [7], {"x_name": "Late"})
        wait_until_after(source, slow.execute(VISIT, "read", [7], ["write_date"])[0]["write_date"])
        assert passed_over(plan(source, shadow)) == [VISIT]
    assert list(work_of(plan_and_mirror(source, shadow))) == [VISIT]
    assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize("action", ["write", "create", "unlink"])
def test_what_happens_between_the_two_counts_is_found_by_the_next_plan(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str, action: str
) -> None:
    """No look-back helps here: the watermark must not be later than the first count."""
    actions = {
        "write": lambda: odoo.execute(VISIT, "write", [7], {"x_name": "Between"}),
        "create": lambda: odoo.execute(VISIT, "create", [{"x_name": "Between"}]),
        "unlink": lambda: odoo.execute(VISIT, "unlink", [7]),
    }
    with source_of(odoo, host=proxy.url) as watched:
        plan_and_mirror(watched, shadow, options=NO_LOOK_BACK)
        proxy.before = once(actions[action], counts_all)
        first = plan_and_mirror(watched, shadow, options=NO_LOOK_BACK)
        assert (passed_over(first) == [VISIT]) is (action == "write")
        plan_and_mirror(watched, shadow, options=NO_LOOK_BACK)
        assert_equal(odoo, database, [VISIT])


def test_a_table_that_must_be_read_again_is_not_advanced(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """While it is planned, another run begins to read it in French, and fails before its first page."""
    in_odoo(odoo, """UPDATE res_partner SET x_slogan = '{"en_US": "Onward", "fr_FR": "En avant"}' WHERE id = 7""")
    plan_and_mirror(source, shadow, ["res.partner"])
    with source_of(odoo, extras={"lang": "fr_FR"}) as french:

        def begin_in_french(table: str) -> None:
            odoo.faults.add(Fault("res.partner", "search_count", times=100, status=503))
            with ShadowDatabase.from_url(database) as second, pytest.raises(OdooServerError):
                mirror_with(french, second, model="res.partner")
            odoo.faults.clear()

        assert passed_over(plan(source, shadow, ["res.partner"], replay_from=begin_in_french)) == []
        plan_and_mirror(french, shadow, ["res.partner"])
    assert column(shadow, "x_slogan", [7]) == {7: "En avant"}
    assert_equal(odoo, database, ["res.partner"], lang="fr_FR")


def test_a_domain_counts_on_both_sides(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    early = ModelSettings(domain=(["id", "<=", 20],))
    plan_and_mirror(source, shadow, settings=early)
    odoo.execute(VISIT, "unlink", [25])
    odoo.execute(VISIT, "write", [26], {"x_name": "Outside"})
    assert passed_over(plan(source, shadow, settings=early)) == [VISIT]
    odoo.execute(VISIT, "unlink", [7])
    assert work_of(plan_and_mirror(source, shadow, settings=early)) == {VISIT: "Odoo has 19 rows, the shadow 20"}
    wanted = {number: row for number, row in expected_rows(odoo, VISIT).items() if number <= 20}
    assert shadow_rows(database, VISITS) == wanted


class Story:
    """Things that happen to an Odoo, one after the other, as chance will have it."""

    def __init__(self, odoo: StandIn, seed: int) -> None:
        self._odoo = odoo
        self._random = Random(seed)  # noqa: S311 - the same story for the same seed
        self._created: dict[str, list[int]] = {model: [] for model in SEVERAL}
        self._fields = 0

    def go_on(self) -> None:
        """Let nothing, one thing or a few things happen."""
        for _ in range(self._random.choice((0, 1, 1, 3))):
            model = self._random.choice(SEVERAL)
            self._random.choice((self._write, self._create, self._unlink, self._archive, self._translate))(model)
            if model == VISIT and self._random.random() < 0.3:
                self._fields += 1
                self._odoo.add_field(VISIT, f"x_field_{self._fields}", "char", default=f"value {self._fields}")

    def end(self) -> None:
        """Delete what was created."""
        for model, ids in self._created.items():
            if model != VISIT and ids:
                self._odoo.execute(model, "unlink", ids)

    def _name(self, model: str) -> str:
        return "x_name" if model == VISIT else "name"

    def _some(self, model: str) -> list[int]:
        ids = sorted(self._odoo.execute(model, "search", [], context={"active_test": False}))
        return self._random.sample(ids, 2)

    def _write(self, model: str) -> None:
        text = f"Written {self._random.random()}"
        self._odoo.execute(model, "write", self._some(model), {self._name(model): text})

    def _create(self, model: str) -> None:
        self._created[model] += self._odoo.execute(model, "create", [{self._name(model): "Created"}])

    def _unlink(self, model: str) -> None:
        if self._created[model]:
            self._odoo.execute(model, "unlink", [self._created[model].pop()])

    def _archive(self, model: str) -> None:
        if self._created[model] and model != VISIT:
            self._odoo.execute(model, "write", [self._created[model][0]], {"active": False})

    def _translate(self, model: str) -> None:
        if model in ("res.partner.category", "project.project"):
            some = self._some(model)
            self._odoo.execute(model, "write", some, {"name": "Traduit"}, context={"lang": "fr_FR"})


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(3))
def test_what_is_passed_over_is_equal(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, seed: int
) -> None:
    story, over = Story(odoo, seed), 0
    try:
        plan_and_mirror(source, shadow, SEVERAL, NO_LOOK_BACK)
        for _ in range(6):
            story.go_on()
            planned = plan_and_mirror(source, shadow, SEVERAL, NO_LOOK_BACK)
            over += len(passed_over(planned))
            assert_equal(odoo, database, SEVERAL)
        assert over >= len(SEVERAL)
    finally:
        story.end()
