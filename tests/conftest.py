"""The tests run on the quick budget, on a GPU too, unless COURSE_BUDGET says otherwise.

Three lanes: `-m quick`, `-m "quick or helpers"`, and everything. Everything, or a whole folder, is
shared out to two processes, since most tests keep one core busy: file by file, as the cells of a
notebook belong together. `-n` says how many, and `-n 0` that all run here, one after the other.
"""

from collections.abc import Callable
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

os.environ.setdefault("COURSE_BUDGET", "quick")  # the notebooks' kernels inherit it

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
TESTS = Path(__file__).resolve().parent
QUICK = ("notebook_files", "guide", "measure", "style", "imports", "records", "defaults")
QUICK += ("elbo", "data", "figures", "tabular")
# In neither lane: other backends, whole trainings and searches, kills, and 600 checks.
FULL = ("browser", "jax_backend", "sklearn_checks", "resume", "record_iwae", "record_features")
FULL += ("record_nas", "record_likelihoods", "record_discrete", "record_priors", "flows_record")
FULL += ("diffusion", "table", "strings", "classroom", "kit", "site")
FIRST = ("test_browser", "test_jax_backend")  # one measures time, one takes longest


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist, which starts them
def pytest_cmdline_main(config) -> None:
    option, is_worker = config.option, hasattr(config, "workerinput")
    is_part = option.keyword or option.markexpr or not all(map(os.path.isdir, option.file_or_dir))
    if option.numprocesses is None and not (is_worker or is_part or option.usepdb):
        option.numprocesses = 2


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        name = item.path.stem.removeprefix("test_")
        if item.path.parent == TESTS and name not in FULL:
            item.add_marker("quick" if name in QUICK else "helpers")
    items.sort(key=lambda item: item.path.stem not in FIRST)  # a stable sort: nothing else moves


@pytest.fixture
def run_on_jax() -> Callable[..., str]:
    """Run a program beside the recipes, in a process of its own: its backend is JAX. Its output."""
    pytest.importorskip("jax")

    def run(program: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=TESTS.parent / "data" / "recipes",
            env=os.environ | {"KERAS_BACKEND": "jax"} | environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
