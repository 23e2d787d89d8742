"""Stories that are told as they are: each comes to a good end, unless one safeguard is taken away.

Chance tells such a story too seldom: most safeguards stand behind others by now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias
from unittest.mock import patch

from odoo_shadow.mirror.run import closing
from odoo_shadow.mirror.sync import scan
from tests.support.stories import writes
from tests.support.stories.machine import Outcome, Story
from tests.support.stories.mortal import Death, Moment
from tests.support.stories.odoo_side import THING
from tests.support.stories.plans import Plan
from tests.support.stories.timing import happen_at, in_step
from tests.support.stories.writes import AddField, BackUp, Begin, End, Event, Restore, Tick, Write

Tale: TypeAlias = Callable[[Story], None]

ALIKE = Plan()
"""A run in pages of two rows, in which nothing else happens."""

_X_NAME_A, _X_NAME_B = 0, 1
"""Numbers of two values of `x_name`."""


def begin(story: Story, rows: int) -> None:
    """There are some rows, and a shadow of them that is two hours old."""
    story.models = (THING,)
    for number in range(rows):
        writes.do(story.odoo, Write("create", 3 * number, _X_NAME_A))
    happens(story, Tick(7200.0))
    story.run_all(2)
    happens(story, Tick(7200.0))


def happens(story: Story, *events: Event) -> None:
    """Let it happen in Odoo, one after the other."""
    for event in events:
        writes.do(story.odoo, event)


def rows_go_while_pages_are_read(story: Story) -> None:
    """An edit of earlier stands right after the page behind which another row goes."""
    begin(story, 7)
    happens(story, Write("edit", 4, _X_NAME_B), Tick(1200.0), *(Write("edit", row, 6) for row in (0, 1, 2, 3, 5, 6)))
    with patch.object(scan, "read_ahead", in_step):
        story.run_once(ALIKE, on_progress=happen_at(1, lambda: happens(story, Write("unlink", 0, 0))))


def a_transaction_is_as_long_as_the_look_back(story: Story) -> None:
    """What it wrote has just the date with which the next window begins."""
    begin(story, 4)
    happens(story, Begin(Write("edit", 0, _X_NAME_B)), Tick(100.0), Write("edit", 3, _X_NAME_B), Tick(800.0, True))
    story.run_once(ALIKE)
    happens(story, End(0, True))


def a_transaction_ends_after_a_later_one(story: Story) -> None:
    """What it wrote is older than what is here by then."""
    begin(story, 4)
    happens(story, Begin(Write("edit", 0, _X_NAME_B)), Tick(60.0), Write("edit", 3, _X_NAME_B))
    story.run_once(ALIKE)
    happens(story, End(0, True))


def a_row_is_edited_behind_a_slow_run(story: Story) -> None:
    """A page was read before a row of it was edited, a later one long afterwards."""
    begin(story, 7)
    happens(story, *(Write("edit", row, _X_NAME_B) for row in range(7)))

    def meanwhile() -> None:
        happens(story, Tick(10.0), Write("edit", 0, 6), Tick(1200.0), Write("edit", 6, 6))

    with patch.object(scan, "read_ahead", in_step):
        story.run_once(ALIKE, on_progress=happen_at(1, meanwhile))
    happens(story, Tick(7200.0))


def runs_die_after_each_commit(story: Story) -> None:
    """Each at another one, and each has an edit of another row to bring."""
    begin(story, 16)
    for count in range(3, 16):
        happens(story, Write("edit", count, _X_NAME_B))
        story.run_once(replace(ALIKE, death=Death(Moment.AFTER_COMMIT, count)))
        happens(story, Tick(7200.0))


def a_run_dies_and_others_go_on(story: Story) -> None:
    """The next run finishes what it left; what was written since is that run's own."""
    begin(story, 7)
    for count in range(9, 17):
        happens(story, Write("edit_many", 0, count % 3))
        outcome = story.run_once(replace(ALIKE, death=Death(Moment.AFTER_COMMIT, count)))
        happens(story, Tick(1200.0), Write("edit", 0, (count + 1) % 3), Tick(1.0))
        if outcome is Outcome.KILLED:
            story.settle(2)


def a_field_is_added(story: Story) -> None:
    """With a default, which Odoo gives to the rows that are there, without a new `write_date`."""
    begin(story, 3)
    happens(story, AddField("x_new", "char", True))
    story.run_once(ALIKE)


def a_target_is_deleted(story: Story) -> None:
    """The database empties what pointed to it."""
    begin(story, 3)
    happens(story, Write("follow", 0, 2), Tick(7200.0))
    story.run_once(ALIKE)
    happens(story, Tick(7200.0), Write("unlink", 2, 0))


def a_backup_is_restored(story: Story) -> None:
    """It takes an edit back that the shadow has."""
    begin(story, 3)
    happens(story, BackUp(), Tick(1200.0), Write("edit", 0, _X_NAME_B))
    story.run_once(ALIKE)
    happens(story, Tick(7200.0), Restore())


TALES: tuple[Tale, ...] = (
    rows_go_while_pages_are_read,
    a_transaction_is_as_long_as_the_look_back,
    a_transaction_ends_after_a_later_one,
    a_row_is_edited_behind_a_slow_run,
    runs_die_after_each_commit,
    a_run_dies_and_others_go_on,
    a_field_is_added,
    a_target_is_deleted,
    a_backup_is_restored,
)


def told(story: Story, tale: Tale) -> None:
    """Tell one to its end, as of a large table, of which the last safeguards look only once a day.

    Raises a `LostError` when the end is wrong.
    """
    try:
        with patch.object(closing, "due_check", lambda *_: None):
            tale(story)
            story.settle(2)
    finally:
        story.odoo.end_all(commit=False)
