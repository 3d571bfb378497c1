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
    skipped = {f"test_{name}" for name in WITHOUT_KERAS}
    notebooks = sorted(str(p) for p in TESTS.glob("test_*.ipynb") if p.stem not in skipped)
    run = subprocess.run(  # polite, since the browser tests beside it measure time
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *notebooks],
        cwd=TESTS.parent,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: os.nice(10)) if hasattr(os, "nice") else None,
    )
    assert run.returncode == 0, run.stdout
