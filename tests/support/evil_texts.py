"""An Odoo whose names and texts attack whoever is shown them, and what is left when they are shown as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from odoo_stand_in import Fault, StandIn

ATTACKS = {
    "markup": "[/red][link=http://evil.example]honest[/link][/] :smiley:",
    "clear the screen": "\x1b[2J\x1b[1;1H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "eight bits": "\x9b2J\x9d0;owned\x9c",
    "bidi": "\u202egnp.exe\u2066",
    "lines": "one\r\nError: all is well\x0b\x85\u2028two",
    "log groups": "::group::hidden ::endgroup::",
    "hidden": "a\u200bb\ufeffc\U000e0041\x7f",
}
EVIL = " ".join(ATTACKS.values())
HONEST = "[draft] costs [/b] 5 [€] [link]"
BROKEN = json.dumps({"name": f"odoo.exceptions.UserError{EVIL}", "message": f"{HONEST} {EVIL}", "debug": EVIL})
JSON_TYPE = {"Content-Type": "application/json"}
# What rich itself writes: colours, and the cursor, which a spinner hides and moves.
OWN_CODES = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGK])")


@contextmanager
def evil_odoo(postgres: str, database: str) -> Iterator[StandIn]:
    """A stand-in of 19 with such names of a model, of a field and of records."""
    with StandIn(postgres, flavour="19", database=database, scale=0.3, copied=True) as running:
        running.add_model("x_evil", {"x_name": "char", "x_kind": {"type": "char", "string": EVIL}}, label=EVIL)
        running.add_model(f"x_evil_{EVIL}")
        running.execute("x_evil", "create", {"x_name": EVIL})
        running.execute("res.company", "write", [1], {"name": EVIL})
        yield running


def refuse(odoo: StandIn, model: str, method: str) -> None:
    odoo.faults.add(Fault(model, method, times=1000, status=422, headers=JSON_TYPE, body=BROKEN))


def assert_plain(text: str, *, terminal: bool = False) -> None:
    """Nothing is left that a terminal or a log viewer obeys."""
    rest = OWN_CODES.sub("", text).replace("\r\n", "\n").replace("\r", "") if terminal else text
    foreign = sorted({char for char in rest if char != "\n" and not char.isprintable()})
    assert foreign == []
    assert "::group::" not in rest and "::endgroup::" not in rest
    assert not re.search(r"(?m)^\W*Error: all is well", rest)
    assert "Traceback" not in rest


def words(text: str) -> str:
    """What a table says, without its lines and the breaks within its cells."""
    return "".join(re.sub(r"[│┃\s]+", "", text))
