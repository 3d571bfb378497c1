"""Execute notebooks in place, as they are committed, and record how long each took.

    python -m helpers.notebooks                       # every chapter, without the solutions
    python -m helpers.notebooks notebooks/11_*.ipynb  # some of it

Each runs top to bottom in a fresh kernel. Outputs and slider positions are saved with it. The times
of chapters go to data/results/notebook_seconds.json, which notebook 00 and the README quote: only
those of the quick budget on TensorFlow and 2 CPU cores, so that they can be compared.
"""

import argparse
import datetime
import json
from pathlib import Path
import platform
import time

from helpers import runtime
from nbclient import NotebookClient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "data" / "results" / "notebook_seconds.json"


def execute(path: Path) -> float:
    """Run one notebook in place; return its seconds, from a cold kernel to the last output."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)  # of an earlier run
    client = NotebookClient(
        notebook,
        timeout=1800,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    nbformat.write(notebook, path)
    return seconds


def is_reference_machine() -> bool:
    backend, cores = runtime.keras.backend.backend(), runtime.cpu_count()
    return (backend, cores, runtime.budget_name()) == ("tensorflow", 2, "quick")


def record(path: Path, seconds: float) -> None:
    """Add one notebook's seconds to the record, with where and when they were measured."""
    results = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    results[path.stem] = {
        "seconds": round(seconds, 1),
        "command": f"python -m helpers.notebooks {path.relative_to(ROOT)}",
        "backend": runtime.keras.backend.backend(),
        "budget": runtime.budget_name(),
        "hardware": f"{platform.machine()}, {runtime.cpu_count()} cores, GPU: {runtime.has_gpu()}",
        "versions": f"Python {platform.python_version()}, Keras {runtime.keras.__version__}",
        "date": datetime.date.today().isoformat(),
    }
    RECORD.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    chosen = [path.resolve() for path in parser.parse_args().notebooks]
    for path in chosen or sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        seconds = execute(path)
        print(f"{seconds:6.1f} s  {path.relative_to(ROOT)}", flush=True)
        if path.parent.name == "notebooks" and is_reference_machine():
            record(path, seconds)
