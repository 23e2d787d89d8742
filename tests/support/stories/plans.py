"""What a story may contain: how its runs are, what happens meanwhile, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from odoo_shadow.shadow.on_delete import OnDelete
from tests.support.stories import writes
from tests.support.stories.mortal import Death, Moment
from tests.support.stories.odoo_side import PLAIN, PRODUCT, TEMPLATE, THING
from tests.support.stories.writes import Event, Write


@dataclass(frozen=True)
class Plan:
    """How a run is, and what happens meanwhile.

    :param model: which of the story's models, modulo their number.
    :param again: the same run once more, if its last try was killed.
    :param waits: another run's lease has run out by then.
    :param replay: seconds that a person sets the watermark back.
    :param meanwhile: what happens in Odoo just before the so many-th call.
    """

    model: int = 0
    batch: int = 2
    full: bool = False
    again: bool = False
    waits: bool = True
    replay: float | None = None
    death: Death | None = None
    meanwhile: tuple[tuple[int, Event], ...] = ()


deaths = (
    *[None] * 8,
    *(Death(Moment.AFTER_COMMIT, count) for count in range(2, 10)),
    *(Death(Moment.BEFORE_STATEMENT, count) for count in range(1, 61, 4)),
    *(Death(moment, count) for moment in (Moment.BEFORE_CALL, Moment.AFTER_CALL) for count in range(2, 6)),
)
ALL_RULES = frozenset(
    {
        "in_odoo",
        "in_a_transaction",
        "time_passes",
        "fields_change",
        "unseen",
        "backup",
        "run",
        "overlapping_runs",
        "verify",
    }
)


_MEANWHILE_AT = (2, 3, 4, 5, 5, 6, 6, 7)
"""Before which of a run's calls something happens; from the fourth on, pages are read."""


@dataclass(frozen=True)
class Profile:
    """Which stories are told.

    :param models: the models of a story, one of these.
    :param loaded: whether there is a shadow already.
    :param rules: what happens besides runs that settle everything.
    :param often: writes that are half of all.
    :param seconds: how time passes.
    :param has_twin: whether the same Odoo is mirrored from its own database, too.
    """

    models: tuple[tuple[str, ...], ...] = ((THING,), (THING,), (THING, PLAIN), (TEMPLATE, PRODUCT))
    on_delete: tuple[OnDelete, ...] = (OnDelete.DELETE, OnDelete.DELETE, OnDelete.MARK)
    loaded: tuple[bool, ...] = (False, True)
    rules: frozenset[str] = ALL_RULES
    often: tuple[str, ...] = ()
    seconds: tuple[float, ...] = writes.SECONDS
    deaths: tuple[Death | None, ...] = deaths
    full: tuple[bool, ...] = (False, False, False, False, True)
    has_twin: bool = False


@cache
def writes_of(profile: Profile, models: tuple[str, ...]) -> st.SearchStrategy[Write]:
    names = tuple(name for model in models for name in writes.OF_MODEL[model])
    everything = writes.writes_of(names)
    return st.one_of(everything, writes.writes_of(profile.often)) if profile.often else everything


@cache
def event_of(profile: Profile, models: tuple[str, ...]) -> st.SearchStrategy[Event]:
    some = writes_of(profile, models)
    short = writes.events_of(some, writes.ticks_of(profile.seconds))
    return st.one_of(short, writes.transactions_of(some)) if "in_a_transaction" in profile.rules else short


@cache
def events_of(profile: Profile, models: tuple[str, ...]) -> st.SearchStrategy[list[Event]]:
    return st.lists(event_of(profile, models), min_size=1, max_size=4)


@cache
def plans_of(profile: Profile, models: tuple[str, ...]) -> st.SearchStrategy[Plan]:
    meanwhile = event_of(profile, models)
    if "fields_change" in profile.rules:
        meanwhile = st.one_of(*[meanwhile] * 8, writes.fields)
    return st.builds(
        Plan,
        model=st.integers(0, len(models) - 1),
        batch=st.integers(1, 3),
        full=st.sampled_from(profile.full),
        again=st.booleans(),
        waits=st.sampled_from((True, True, True, False)),
        replay=st.sampled_from((None, None, None, None, None, 0.0, 1200.0, 86400.0)),
        death=st.sampled_from(profile.deaths),
        meanwhile=st.lists(st.tuples(st.sampled_from(_MEANWHILE_AT), meanwhile), max_size=4).map(tuple),
    )
