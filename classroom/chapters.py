"""The chapters, what each of their cells is for, and a folder that is written whole or not at all.

The commands in this folder and the reading site share it, and what npm fetches for both.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
import hashlib
import os
from pathlib import Path
import re
import secrets
import shutil
import subprocess
import sys

try:
    import nbformat
except ModuleNotFoundError as error:
    if error.name != "nbformat":
        raise
    raise SystemExit(
        f"the course is not installed for {sys.executable}: activate its environment, or "
        "pip install -r requirements.txt in the course's folder"
    ) from None

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"

# A folded answer within a text, and the lines that follow it. (Folded hints stay.)
ANSWER = re.compile(r"<details>\s*<summary>The answer[^<]*</summary>.*?</details>\s*", re.DOTALL)
QUESTION = re.compile(r"^\*\*(\d\d\.\d+)\b", re.MULTILINE)  # of an exercise, in its text
CHECK = re.compile(r'^check\("(\d\d\.\d+)"', re.MULTILINE)  # of an exercise, in its code cell


def chapters(names: Iterable[int | str | Path] = ()) -> list[Path]:
    """The notebooks of some chapters, each once, in the order given; without a name, of all.

    Args:
        names: each a number (11 or "11"), a name ("11_evidence_lower_bound") or a path.

    Raises:
        ValueError: there is no such chapter.

    Example:
        >>> [path.name for path in chapters(["25"])]
        ['25_beta.ipynb']
    """
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    known = {path.stem: path for path in every} | {path.stem[:2]: path for path in every}
    found = {}
    for name in names:
        stem = f"{name:02d}" if isinstance(name, int) else Path(name).name.removesuffix(".ipynb")
        if stem not in known:
            numbers = ", ".join(path.stem[:2] for path in every)
            raise ValueError(f"chapter must be one of {numbers}, or its file, got {str(name)!r}")
        found[known[stem]] = None
    return list(found) or every


def solutions(chapter: Path) -> Path:
    """The notebook with the worked solutions of a chapter."""
    return NOTEBOOKS / "solutions" / f"{chapter.stem}_solutions.ipynb"


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook as the course keeps them."""
    return nbformat.read(path, as_version=4)


def roles(notebook: nbformat.NotebookNode) -> list[frozenset[str]]:
    """What each cell of a chapter is for. One cell can be for several things, or for none of these.

    - text: "title" (the first cell), "predict" (it asks for a prediction), "interpret" (it answers
      one), "answer" (it holds a folded answer, see ANSWER), "exercise" (it asks one or more, see
      QUESTION), "summary";
    - code: "setup" (the first code cell), "hidden" (folded: it draws, reads a record or checks
      again), "check" (the cell of an exercise, with the reader's answer and its check, see CHECK).
    """
    code = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    setup = code[0] if code else None
    return [frozenset(_roles(cell, n, setup)) for n, cell in enumerate(notebook.cells)]


def _roles(cell: nbformat.NotebookNode, place: int, setup: int | None) -> Iterator[str]:
    tags, source = cell.metadata.get("tags", []), cell.source
    if cell.cell_type == "code":
        of_code = {
            "setup": place == setup,
            "hidden": "hide-input" in tags,
            "check": CHECK.search(source),
        }
        yield from (role for role, holds in of_code.items() if holds)
        return
    of_text = {
        "title": place == 0,
        "predict": "**Predict.**" in source,
        "interpret": "interpret" in tags,
        "answer": ANSWER.search(source),
        "exercise": QUESTION.search(source),
        "summary": re.search("^## Summary", source, re.MULTILINE),
    }
    yield from (role for role, holds in of_text.items() if holds)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder to write into, which takes its name at the end: after an error there is nothing.

    Args:
        path: what it is to be called. It must not be there yet, or be empty; the folder above must
            be there.

    Yields:
        An empty folder beside it, under a name of the moment.

    Raises:
        ValueError: it is not empty, or no folder, or cannot be written. Nothing has been written.
    """
    target = Path(path).resolve()
    new = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ValueError(f"folder must be new or empty, got {str(path)!r}")
        new.mkdir()
    except OSError as error:
        raise ValueError(
            f"folder must be one that can be written, in one that is there, got {str(path)!r}: "
            f"{error.strerror}"
        ) from error
    try:
        yield new
        if target.is_dir():
            target.rmdir()  # Windows does not rename over an empty one
        os.replace(new, target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def from_npm(listed: Path, cache: Path, what: str) -> Path:
    """The folder `node_modules` with what a package-lock.json pins; fetched when that has changed.

    Args:
        listed: the folder of package.json and package-lock.json.
        cache: keeps what was fetched.
        what: is fetched, in a word for the messages.

    Raises:
        RuntimeError: there is no npm, or it cannot fetch.
    """
    lock = (listed / "package-lock.json").read_bytes()
    folder = cache / f"npm-{hashlib.sha256(lock).hexdigest()[:12]}"
    if folder.exists():
        return folder / "node_modules"
    if (npm := shutil.which("npm")) is None:
        raise RuntimeError(f"npm is needed, once, to fetch {what}: install Node.js (nodejs.org)")
    cache.mkdir(parents=True, exist_ok=True)
    with new_folder(folder) as new:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(listed / name, new)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        soon = {"npm_config_fetch_retries": "1"} | os.environ  # else a minute without a network
        run = subprocess.run(command, cwd=new, capture_output=True, text=True, env=soon)
        if run.returncode:
            said = "\n".join(run.stderr.strip().splitlines()[-4:])
            raise RuntimeError(f"npm could not fetch {what} (is there a network?):\n{said}")
    return folder / "node_modules"
