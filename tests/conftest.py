"""The tests run on the quick budget, on a GPU too, unless COURSE_BUDGET says otherwise.

Three lanes: `-m quick`, `-m "quick or helpers"`, and everything. In the last, the helpers' tests on
JAX run beside all others, at low priority: they are started first, and asked for their result last.
One after the other would take some minutes more.
"""

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
ON_JAX = "test_helper_notebooks_pass_on_jax"
WITHOUT_KERAS = ("caching", "exercises", "figures", "search", "widgets")  # nothing to compare
RUN = pytest.StashKey[subprocess.Popen]()
QUICK = ("notebook_files", "guide", "measure", "style", "imports", "records", "defaults")
QUICK += ("elbo", "data", "figures", "tabular")
# In neither lane: other backends, whole trainings and searches, kills, and 600 checks.
FULL = ("browser", "jax_backend", "sklearn_checks", "resume", "record_iwae", "record_features")
FULL += ("record_nas", "record_likelihoods", "table", "strings", "classroom", "kit", "site")


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        name = item.path.stem.removeprefix("test_")
        if item.path.parent == TESTS and name not in FULL:
            item.add_marker("quick" if name in QUICK else "helpers")
    items.sort(key=lambda item: item.name == ON_JAX)  # a stable sort: nothing else moves


def pytest_runtestloop(session) -> None:
    is_asked_for = any(item.name == ON_JAX for item in session.items)
    is_on_jax = os.environ.get("KERAS_BACKEND") == "jax"
    if not is_asked_for or is_on_jax or session.config.option.collectonly:
        return
    skipped = {f"test_{name}" for name in WITHOUT_KERAS}
    notebooks = sorted(str(p) for p in TESTS.glob("test_*.ipynb") if p.stem not in skipped)
    session.config.stash[RUN] = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *notebooks],
        cwd=TESTS.parent,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: os.nice(10)) if hasattr(os, "nice") else None,
    )


def pytest_sessionfinish(session) -> None:
    run = session.config.stash.get(RUN, None)
    if run is not None and run.poll() is None:  # the tests were stopped before the last one
        run.terminate()


@pytest.fixture
def jax_run(request) -> subprocess.Popen:
    return request.config.stash[RUN]
