"""Airflow's settings for the tests, which it reads when it is first imported: import this before it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="odoo-shadow-airflow-"))
DAGS_FOLDER = AIRFLOW_HOME / "dags"

atexit.register(shutil.rmtree, AIRFLOW_HOME, ignore_errors=True)
shutil.copytree(Path(__file__).parents[2] / "dags", DAGS_FOLDER)
for _dags in ("one_model.py", "waiting_dags.py"):
    shutil.copy(Path(__file__).parent / _dags, DAGS_FOLDER)
os.environ.update(
    AIRFLOW_HOME=str(AIRFLOW_HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS_FOLDER),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
)
