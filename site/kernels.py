"""Runs chapters whose explorers are drawn ahead, and keeps the pictures until the code changes."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
import hashlib
import json
import os
from pathlib import Path
import shutil
import tempfile
import time

from drawn import MIME
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
import nbformat
import pages
from run_notebooks import fingerprint

from classroom.chapters import ROOT, read

HERE = Path(__file__).resolve().parent
# What the pictures of an explorer depend on, beside the code of their chapter.
DRAWING = (HERE / "drawn.py", ROOT / "helpers" / "figures.py")
FIXED = {"PYTHONHASHSEED": "0", "COURSE_BUDGET": "quick", "KERAS_BACKEND": "tensorflow"}


def place(path: Path, cache: Path, most: int) -> Path:
    """The folder for the drawn explorers of a chapter, named by all that they depend on."""
    total = hashlib.sha256(fingerprint(read(path)).encode())
    for file in DRAWING:
        total.update(file.read_bytes())
    total.update(str(most).encode())
    return cache / "drawn" / f"{path.stem}-{total.hexdigest()[:16]}"


def draw(path: Path, folder: Path, most: int) -> float:
    """Run a chapter as far as its last explorer, and keep all pictures; return the seconds.

    Each explorer gets at most `most` pictures.
    The folder gets `explorers.json` (cell id -> explorers, as `drawn.draw_ahead` describes them)
    and `frames/`, both or neither.

    Raises:
        RuntimeError: a cell failed, or an explorer did not show.
    """
    start, wanted = time.perf_counter(), pages.needs_drawing(path)
    notebook = read(path)
    ids = [cell.id for cell in notebook.cells]
    notebook.cells = notebook.cells[: 1 + max(ids.index(name) for name in wanted)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as above:
        new = Path(above) / "drawn"
        new.mkdir()
        first = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport drawn\n"
        first += f"drawn.take_over({str(new / 'frames')!r}, most={most})"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
        resources = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(
            notebook,
            timeout=3600,
            kernel_name="python3",
            resources=resources,
            extra_arguments=["--log-level=ERROR"],
        )
        try:
            client.execute(env=os.environ | FIXED | {"PYTHONPATH": str(ROOT)})  # this `helpers`
        except (CellExecutionError, DeadKernelError) as error:
            raise RuntimeError(f"{path.name} could not be drawn ahead: {error}") from None
        found: dict[str, list] = {}
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                if MIME in output.get("data", {}):
                    found.setdefault(cell.id, []).append(output.data[MIME])
        if set(found) != set(wanted):
            raise RuntimeError(f"{path.name} must show explorers in {wanted}, got {list(found)}")
        shown = [one["frames"] for explorers in found.values() for one in explorers]
        files = {frame["file"] for frames in shown for frame in frames}
        for file in (new / "frames").iterdir():
            if file.name not in files:  # drawn before the grid was made coarser
                file.unlink()
        (new / "explorers.json").write_text(json.dumps(found), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(new, folder)
    return time.perf_counter() - start


def draw_all(chapters: Sequence[Path], cache: Path, most: int) -> dict[Path, Path]:
    """Draw what is not in the cache, two chapters at a time; chapter -> its folder."""
    folders = {path: place(path, cache, most) for path in chapters if pages.needs_drawing(path)}
    missing = {path: folder for path, folder in folders.items() if not folder.exists()}
    if not missing:
        return folders
    with ProcessPoolExecutor(min(2, len(missing))) as pool:
        runs = {pool.submit(draw, path, folder, most): path for path, folder in missing.items()}
        try:
            for done in as_completed(runs):
                print(f"{done.result():6.1f} s  {runs[done].name}: explorers drawn", flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return folders
