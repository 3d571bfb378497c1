"""The helpers on their second backend: the same test notebooks, with KERAS_BACKEND=jax."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

TESTS = Path(__file__).resolve().parent


@pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") == "jax", reason="this whole run is on JAX already"
)
def test_helper_notebooks_pass_on_jax():
    pytest.importorskip("jax")
    notebooks = sorted(map(str, TESTS.glob("test_*.ipynb")))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *notebooks],
        cwd=TESTS.parent,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-5000:]
