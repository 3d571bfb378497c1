"""How long explorers take from a value to its picture, beside the first edition's code.

    python tests/benchmarks/explorers.py [notebooks/11_*.ipynb ...]

Runs the code of each notebook that calls `widgets.explore` (a few minutes for all) and catches its
explorers. Every control of each is moved from end to end; after a move, which ends with the picture
of today's code, the old way, whose code stands below, draws the same figure: in turn, since a
machine's speed drifts. Prints medians over the moves: CPU milliseconds, which other programs
disturb less than the clock, and bytes. What the chapter's own function takes (the column `render`)
is part of both ways.
"""

import argparse
import contextlib
import gc
import io
import json
import os
from pathlib import Path
import statistics
import subprocess
import sys
import time
from unittest import mock

os.environ.setdefault("COURSE_BUDGET", "quick")

from helpers import figures, widgets
from IPython.core.interactiveshell import InteractiveShell
import nbformat
import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
VALUES = 7  # of each control, both ends included


def old_way(figure) -> bytes:
    """What `explore` did in the first edition: a new layout, 80 dots per inch, all colours."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=80)
    return target.getvalue()


def caught(path: Path) -> list[tuple]:
    """(render, controls) of every `widgets.explore` in a notebook, which runs to its end."""
    explorers, shell = [], InteractiveShell.instance()
    os.chdir(path.parent)
    with (
        mock.patch.object(
            widgets, "explore", lambda f, **controls: explorers.append((f, controls))
        ),
        mock.patch.object(figures.AltFigure, "_ipython_display_", lambda figure: None),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                shell.run_cell(cell.source).raise_error()
    return explorers


def stops(control) -> list:
    """Where one control stops on its way from end to end: (trait, value)."""
    if hasattr(control, "index"):  # one of its options
        numbers = np.linspace(0, len(control.options) - 1, VALUES).round().astype(int)
        return [("index", int(number)) for number in dict.fromkeys(numbers)]
    if not hasattr(control, "min"):  # a text
        return []
    values = np.linspace(control.min, control.max, VALUES)
    if hasattr(control, "base"):
        values = control.base**values
    kind = type(control.value)
    return [("value", kind(value)) for value in dict.fromkeys(values)]


def moves(controls: dict):
    """Move one control after the other from end to end; yield the time of each move that counts."""
    for control in controls.values():
        rest = control.value
        for trait, value in stops(control):
            before, start = control.value, time.process_time()
            control.set_trait(trait, value)
            seconds = time.process_time() - start
            if control.value != before:
                yield 1e3 * seconds
        control.value = rest


def measure(render, controls: dict) -> dict:
    """Medians over all moves, of milliseconds and bytes, by both ways."""

    def values() -> dict:
        return {name: control.value for name, control in controls.items()}

    for _ in moves(controls):
        render(**values())  # what it remembers of these values is paid for by neither way
    _, picture, _ = widgets.explore(render, **controls).children
    samples = {name: [] for name in ("render_ms", "old_ms", "new_ms", "old_bytes", "new_bytes")}
    for milliseconds in moves(controls):
        gc.collect(1)  # neither way pays for what the other has left behind
        start = time.process_time()
        figure = render(**values())
        rendered = time.process_time()
        old = old_way(figure)
        samples["old_ms"].append(1e3 * (time.process_time() - start))
        samples["render_ms"].append(1e3 * (rendered - start))
        samples["new_ms"].append(milliseconds)
        samples["old_bytes"].append(len(old))
        samples["new_bytes"].append(len(picture.value))
        gc.collect(1)
    return {name: statistics.median(found) for name, found in samples.items()}


def row(name: str, m: dict) -> str:
    times = f"{m['render_ms']:7.0f}{m['old_ms']:7.0f}{m['new_ms']:7.0f}"
    return f"{name:44}{times}{m['ratio']:7.2f}{m['old_bytes']:9.0f}{m['new_bytes']:9.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.one:
        for render, controls in caught(options.one.resolve()):
            name = f"{options.one.stem[:24]} {render.__name__}"
            print(json.dumps([name, measure(render, controls)]), flush=True)
        sys.exit()
    chosen = options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    print(f"{'':44}{'CPU milliseconds':^28}{'bytes':>14}")
    print(f"{'explorer':44}{'render':>7}{'old':>7}{'new':>7}{'ratio':>7}{'old':>9}{'new':>9}")
    ratios, failed = [], []
    for path in chosen:
        if "widgets.explore(" not in path.read_text():
            continue
        command = [sys.executable, __file__, "--one", path]
        run = subprocess.run(command, capture_output=True, text=True)
        failed += [path.name] if run.returncode else []
        for name, m in map(json.loads, run.stdout.splitlines()):
            m["ratio"] = m["new_ms"] / m["old_ms"]
            ratios.append(m["ratio"])
            print(row(name, m), flush=True)
    print(f"median ratio of {len(ratios)} explorers: {statistics.median(ratios):.2f}")
    if failed:
        sys.exit(f"did not run: {', '.join(failed)}")
