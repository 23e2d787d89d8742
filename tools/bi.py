"""`make bi`: the dashboards in Apache Superset, on the marts of the demo's shadow or of one's own, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tools import bi_assets, processes, signals
from tools.bi_database import SETTING, as_reader, make_reader, read_marts, sqlalchemy_url
from tools.bi_superset import ADMIN, RunningSuperset, SupersetHome, serving
from tools.parts import add_flavour, running_parts, temporary_folder
from tools.stages import Stages, run
from tools.trouble import ToolError

USUAL_PORT = 8088


def bi(stages: Stages, options: argparse.Namespace) -> None:
    """Show the dashboards, or only check them. Raises `ToolError`, an `OdooError` or a `ShadowError`."""
    own = os.environ.get(SETTING)
    if options.archive:
        _write_archive(stages, own, options)
        return
    with ExitStack() as stack:
        if own:
            folder, url = stack.enter_context(temporary_folder()), own
        else:
            folder, url = stack.enter_context(_demo(stages, options.flavour, options.marts_schema))
        assets = _assets(stages, url, sqlalchemy_url(url), options.marts_schema)
        home = SupersetHome(folder / "superset")
        with stages.stage("Preparing Superset") as stage:
            home.prepare(assets)
            charts = len(bi_assets.of_kind(assets, "charts"))
            stage.done(f"Superset's metadata in SQLite, with {charts} charts from bi/assets")
        with stages.stage("Starting Superset") as stage:
            superset = stack.enter_context(serving(home, port=processes.free_port(USUAL_PORT)))
            stage.done("Superset on loopback")
        _check(stages, superset, assets)
        if options.check:
            return
        stack.callback(signals.ignore)
        _show_address(stages, superset, assets, own_shadow=bool(own))
        with suppress(KeyboardInterrupt):
            superset.wait()
            raise ToolError("Superset has ended by itself.", log=superset.log)
        stages.say("Ending")


@contextmanager
def _demo(stages: Stages, flavour: str, marts_schema: str) -> Iterator[tuple[Path, str]]:
    """Mirror the demo's Odoo and build its marts; yield a folder and the address for a login that reads them."""
    with running_parts(stages, flavour) as parts:
        make_reader(parts.shadow_url)
        with stages.stage("Mirroring the models of the set business") as stage:
            parts.odoo_shadow("sync", "--models", "business")
            stage.done("The models of the set business are mirrored")
        with stages.stage("Building the marts") as stage:
            parts.odoo_shadow("marts", "build", "--marts-schema", marts_schema)
            stage.done("The marts are built, and their tests pass")
        yield parts.folder, as_reader(parts.shadow_url)


def _write_archive(stages: Stages, own: str | None, options: argparse.Namespace) -> None:
    """Write what the page of dashboards of a Superset of one's own imports; the password is not in it."""
    with stages.stage("Writing the dashboards") as stage:
        if own:
            assets = _assets(stages, own, sqlalchemy_url(own, hide_password=True), options.marts_schema)
        else:
            assets = bi_assets.fit(bi_assets.read_assets(), schema=options.marts_schema)
        options.archive.write_bytes(bi_assets.as_archive(assets))
        stage.done(f"{options.archive}, to be imported on Superset's page of dashboards")


def _assets(stages: Stages, url: str, shown_url: str, schema: str) -> bi_assets.Assets:
    """Read the dashboards, and leave out what the database has no marts for."""
    assets = bi_assets.read_assets()
    marts = read_marts(url, schema, bi_assets.marts_of(assets))
    for mart, reason in marts.left_out.items():
        stages.say(f"    {mart} is left out of the dashboards: {reason}.")
    if marts.can_write:
        stages.say(
            "    This login may change the marts, and see the rows of all companies: one that only reads is safer."
        )
    return bi_assets.fit(assets, url=shown_url, schema=schema, left_out=marts.left_out)


def _check(stages: Stages, superset: RunningSuperset, assets: bi_assets.Assets) -> None:
    with stages.stage("Asking every chart") as stage:
        names = sorted(bi_assets.of_kind(assets, "dashboards"))
        answers = {name: list(superset.ask(name)) for name in names}
        everything = [answer for found in answers.values() for answer in found]
        slowest = max(everything, key=lambda each: each.seconds)
        stage.done(
            f"All {len(everything)} charts of {len(names)} dashboards answer,"
            f" {sum(not each.rows for each in everything)} of them without rows; the slowest in {slowest.seconds:.2f} s"
        )
        for name, found in answers.items():
            for answer in found:
                if answer.problem is not None:
                    raise ToolError(f"The chart {answer.chart!r} of {name} has no answer: {answer.problem}")
    wanted = len(bi_assets.of_kind(assets, "charts"))
    if len(everything) != wanted:
        raise ToolError(f"The dashboards have {len(everything)} charts, of {wanted}.", log=superset.log)


def _show_address(stages: Stages, superset: RunningSuperset, assets: bi_assets.Assets, *, own_shadow: bool) -> None:
    stages.say("")
    for name, dashboard in bi_assets.of_kind(assets, "dashboards").items():
        stages.say(f"{superset.url}/superset/dashboard/{name}/   {dashboard['dashboard_title']}", style="bold")
    stages.say("")
    stages.say(f"Log in as {ADMIN} with the password {superset.password}", style="bold")
    stages.say("It is good for this run only, and whoever knows it sees all that the database's login may read.")
    stages.say("Ctrl-C ends it and removes everything" + (" but your database." if own_shadow else "."))


def main() -> int:
    """Read the options and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.bi", description=__doc__)
    add_flavour(parser)
    parser.add_argument("--check", action="store_true", help="end when every chart has answered; 1 if one does not")
    parser.add_argument(
        "--marts-schema", default=bi_assets.SCHEMA, help="the schema of the marts (default: %(default)s)"
    )
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="only write the dashboards as a file for a Superset of your own"
    )
    options = parser.parse_args()
    return run(lambda stages: bi(stages, options))


if __name__ == "__main__":
    sys.exit(main())
