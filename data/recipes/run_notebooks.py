"""Execute notebooks in place, as they are committed, so that the same code gives the same file.

    python data/recipes/run_notebooks.py notebooks/11_*.ipynb   # some of them
    python data/recipes/run_notebooks.py                        # all: chapters, solutions, tests
    python data/recipes/run_notebooks.py --record notebooks/2*  # and how long each chapter takes

Each runs top to bottom in a fresh kernel, and is written when it has ended well: after an error, a
dead kernel or on a full disk the file is what it was. Saved with it are its outputs, its sliders,
and a fingerprint of its code, by which a test finds notebooks that were edited after they ran.
With --record, the seconds also go to where they are quoted: the chapter's first cell, and README.
"""

import argparse
from collections.abc import Iterator
import hashlib
import json
import os
from pathlib import Path
import re
import time

from helpers import runtime
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
import nbformat
from recording import Record

ROOT = Path(__file__).resolve().parent.parent.parent
WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
QUOTED = r"(runs in about |takes about )\d+( s on 2 CPU cores)"  # in a chapter's first cell
NAME = re.compile("(?<=IPY_MODEL_)[0-9a-f]{32}")  # of a widget, where another one holds it
# What progress says of time and pace, tqdm's and Keras's: it is another at every run.
PACE = re.compile(r"[\d:]+&lt;[\d:]+,\s*[\d.?]+(s/\w+|\w+/s)(,\s*)?| - \d+s - \d+[mu]?s/step")


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A sum over the code cells, in order, and over nothing else: 64 hexadecimal digits."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def execute(path: Path) -> float:
    """Run one notebook in place; return its seconds, from a cold kernel to the last output.

    Raises:
        CellExecutionError, DeadKernelError: a cell failed, or the kernel died. The file on disk
            stays as it was.
    """
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
    client.execute(env=os.environ | {"PYTHONHASHSEED": "0"})
    seconds = time.perf_counter() - start
    notebook.metadata["fingerprint"] = fingerprint(notebook)
    _steady(notebook)
    write(path, nbformat.writes(notebook) + "\n")
    return seconds


def write(path: Path, text: str) -> None:
    """Write to another name first: a kill, or a full disk, leaves the old file whole."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _steady(notebook: nbformat.NotebookNode) -> None:
    """Number the widgets in the order in which they show, and take the times out of progress."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
    for output in outputs:
        if output.output_type == "stream":
            output.text = PACE.sub("", output.text)
    held = notebook.metadata.get("widgets", {}).get(WIDGETS)
    if held is None:
        return
    for model in held["state"].values():
        if isinstance(model["state"].get("value"), str):
            model["state"]["value"] = PACE.sub("", model["state"]["value"])
    views = [o.data[VIEW]["model_id"] for o in outputs if VIEW in o.get("data", {})]
    numbers = {name: f"{n:032x}" for n, name in enumerate(_in_order(views, held["state"]))}
    text = re.compile("|".join(numbers))
    for output in outputs:
        if VIEW in output.get("data", {}):
            output.data[VIEW]["model_id"] = numbers[output.data[VIEW]["model_id"]]
    renamed = text.sub(lambda found: numbers[found.group()], json.dumps(held["state"]))
    held["state"] = nbformat.from_dict(json.loads(renamed))


def _in_order(views: list[str], state: dict) -> Iterator[str]:
    """The names of all widgets: those that show with what they hold, then links between them."""
    seen: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in seen and name in state:
            seen[name] = None
            for part in re.findall(
                "IPY_MODEL_([0-9a-f]{32})", json.dumps(state[name], sort_keys=True)
            ):
                visit(part)

    for view in views:
        visit(view)
    places = {name: f"{n:032x}" for n, name in enumerate(seen)}

    def said(name: str) -> str:  # what a link says once the names in it are numbers
        text = json.dumps(state[name], sort_keys=True)
        return NAME.sub(lambda found: places.get(found.group(), ""), text)

    for name in sorted(set(state) - set(seen), key=said):
        visit(name)
    return iter(seen)


def record(path: Path, seconds: float, load: float) -> None:
    """Keep the seconds of one chapter, with how busy the machine was, and put them into words."""
    Record(
        "notebook_seconds",
        "seconds from a cold kernel to the last output, quick budget, 2 CPU cores, no GPU; load: "
        "processes that wanted a core in the minute before",
        command="python data/recipes/run_notebooks.py --record",
    ).put({"notebook": path.stem}, {"seconds": seconds, "load": round(load, 2)})
    readme = ROOT / "README.md"
    row = rf"(\(notebooks/{path.name}\) \|.*\| )\d+( \|)"
    for file, quoted in ((path, QUOTED), (readme, row)):
        text = file.read_text(encoding="utf-8")
        write(file, re.sub(quoted, rf"\g<1>{seconds:.0f}\g<2>", text, count=1))


def is_reference_machine() -> bool:
    """Whether seconds measured here can stand beside those in the record."""
    backend, cores = runtime.keras.backend.backend(), runtime.cpu_count()
    return (backend, cores, runtime.budget_name()) == ("tensorflow", 2, "quick")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all, if none is named")
    parser.add_argument("--record", action="store_true", help="keep the seconds of chapters")
    given = parser.parse_args()
    if given.record and not is_reference_machine():
        parser.error("--record needs TensorFlow, 2 CPU cores and the quick budget, as the others")
    folders = (ROOT / "notebooks", ROOT / "notebooks" / "solutions", ROOT / "tests")
    every = [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]
    failed = 0
    for path in [path.resolve() for path in given.notebooks] or every:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        try:
            seconds = round(execute(path), 1)  # once: 7.46 is 7.5 in the record, 8 in words
        except (CellExecutionError, DeadKernelError) as error:
            failed += 1
            print(f"FAILED    {path.relative_to(ROOT)}: {error}", flush=True)
            continue
        print(f"{seconds:6.1f} s  {path.relative_to(ROOT)}", flush=True)
        if given.record and path.parent.name == "notebooks":
            record(path, seconds, load)
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
