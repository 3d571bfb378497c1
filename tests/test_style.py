"""One style for all code, in modules and notebooks."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def test_the_package_stays_small():
    """What one chapter alone needs stands in that chapter, and a library before our own code."""
    modules = [p for p in (ROOT / "helpers").rglob("*.py") if "exercises" not in p.parts]
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in modules)
    assert 3000 < lines <= 4600, "find what no notebook uses before you add to helpers"
