"""The helpers on their second backend: the same test notebooks, with KERAS_BACKEND=jax."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

TESTS = Path(__file__).resolve().parent
WITHOUT_KERAS = ("caching", "exercises", "figures", "search", "widgets")  # nothing to compare


@pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") == "jax", reason="this whole run is on JAX already"
)
def test_helper_notebooks_pass_on_jax():
    pytest.importorskip("jax")
    skipped = {f"test_{name}" for name in WITHOUT_KERAS}
    notebooks = sorted(str(p) for p in TESTS.glob("test_*.ipynb") if p.stem not in skipped)
    runs = [  # side by side: one alone leaves a core idle most of the time
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *half],
            cwd=TESTS.parent,
            env=os.environ | {"KERAS_BACKEND": "jax"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for half in (notebooks[::2], notebooks[1::2])
    ]
    reports = [run.communicate()[0] for run in runs]
    for run, report in zip(runs, reports, strict=True):
        assert run.returncode == 0, report[-5000:]
