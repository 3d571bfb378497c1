"""Run notebook 91 on this machine, and record what it measured under the device's name.

    python data/recipes/record_hardware.py
    KERAS_BACKEND=jax python data/recipes/record_hardware.py

Runs on the full budget unless COURSE_BUDGET says otherwise (the committed runs from a CPU say
quick). One entry per device and backend: a new run takes the place of the old one. Let nothing
else run meanwhile.
"""

import ast
import json
import os

os.environ.setdefault("COURSE_BUDGET", "full")

from helpers import data, runtime
from nbclient import NotebookClient
import nbformat
from recording import Record

NOTEBOOK = data.DATA_DIR.parent / "notebooks" / "91_gpu.ipynb"


def measured() -> dict:
    """The report that the notebook shows when it is run here."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=1800, kernel_name="python3", resources=resources).execute()
    (cell,) = [c for c in notebook.cells if c.source.startswith("report = {")]
    return ast.literal_eval(cell.outputs[-1].data["text/plain"])


if __name__ == "__main__":
    report = measured()
    record = Record(
        "hardware",
        "what chapter 91 measures, one machine and backend after another: speeds of matrix "
        "products, of training steps at five batch sizes, and seconds and nats of short trainings",
        command=f"KERAS_BACKEND={runtime.keras.backend.backend()} "
        f"COURSE_BUDGET={runtime.budget_name()} python data/recipes/record_hardware.py",
    )
    record.put({name: report[name] for name in ("device", "backend")}, report)
    print(json.dumps(record.runs[-1], indent=1))
