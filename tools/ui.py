"""`make ui`: Airflow's web interface, with an Odoo and a shadow database connected, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import yaml

from tools import signals
from tools.airflow_home import DAG_ID, REPOSITORY, AirflowHome
from tools.parts import Parts, add_flavour, running_parts
from tools.processes import free_port
from tools.stages import Stages, run
from tools.standalone import ADMIN, RunningAirflow, standalone
from tools.trouble import ToolError

USUAL_PORT = 8080


def ui(stages: Stages, flavour: str) -> None:
    """Serve until a signal ends it. Raises `ToolError`, an `OdooError` or a `ShadowError`."""
    with running_parts(stages, flavour) as parts:
        home = AirflowHome(
            parts.folder / "airflow",
            odoo=parts.odoo,
            shadow_url=parts.shadow_url,
            settings={
                "AIRFLOW__API__INSTANCE_NAME": "Odoo shadow",
                "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
                "AIRFLOW__ODOO_SHADOW__MIRRORS_FILE": str(_without_schedule(parts.folder / "mirrors.yaml")),
            },
        )
        with stages.stage("Preparing Airflow") as stage:
            home.make_database()
            home.store_connections()
            stage.done("Airflow's metadata in SQLite, both connections stored")
        with ExitStack() as stack:
            with stages.stage("Starting Airflow; this takes half a minute") as stage:
                airflow = stack.enter_context(standalone(home, port=free_port(USUAL_PORT)))
                stage.done("Airflow with scheduler and LocalExecutor")
            stack.callback(signals.ignore)
            _show_address(stages, parts, airflow)
            with suppress(KeyboardInterrupt):
                airflow.wait()
                raise ToolError("Airflow has ended by itself.", log=airflow.log)
            stages.say("Ending")


def _without_schedule(copy: Path) -> Path:
    """Copy the mirrors' file without schedules: else the run that was due last would start before one's own."""
    mirrors = yaml.safe_load((REPOSITORY / "dags" / "odoo_shadow.yaml").read_text(encoding="utf-8"))
    for mirror in mirrors["mirrors"].values():
        mirror["schedule"] = mirror["verify_schedule"] = None
    copy.write_text(yaml.safe_dump(mirrors), encoding="utf-8")
    return copy


def _show_address(stages: Stages, parts: Parts, airflow: RunningAirflow) -> None:
    stages.say("")
    stages.say(f"{airflow.url}/dags/{DAG_ID}   press Trigger there; nothing runs by itself", style="bold")
    stages.say(f"{airflow.url}/plugin/odoo-shadow   whether the shadow is fresh, proven and complete")
    stages.say(f"{airflow.url}/connections   both connections, to see and to change")
    stages.say("")
    stages.say(f"Log in as {ADMIN} with the password {airflow.password}", style="bold")
    stages.say("It is good for this run only, and whoever knows it is administrator there.")
    stages.say(
        "Ctrl-C ends it and removes everything" + (" but the shadow in your database." if parts.own_shadow else ".")
    )


def main() -> int:
    """Read the options and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.ui", description=__doc__)
    add_flavour(parser)
    flavour = parser.parse_args().flavour
    return run(lambda stages: ui(stages, flavour))


if __name__ == "__main__":
    sys.exit(main())
