"""Write the student's copy of some chapters into a new folder.

    python classroom/student.py 11 21 --to FOLDER              # nothing that gives answers away
    python classroom/student.py 11 21 --to FOLDER --complete   # and the package and data they need
    python classroom/student.py 11 21 --to FOLDER --nbgrader   # a course of nbgrader, with points

--without-summary leaves out what a chapter says at its end, which answers some of its exercises.

classroom/guide/students.md says how to hand out, grade and return.
"""

import argparse
import ast
from collections.abc import Sequence
import copy
from pathlib import Path
import re
import shutil

from chapters import ANSWER, CHECK, ROOT, chapters, new_folder, read, roles, solutions
import nbformat

POINTS = 1  # of an exercise; nbgrader's "Create Assignment" changes them
TO_ANOTHER = re.compile(r"\[([^\]]+)\]\((\d\d_\w+)\.ipynb[^)]*\)")
TO_SOLUTIONS = re.compile(r"\s*Worked (?:answers|solutions)[^\n]*?\(solutions/[^)]*\)\.?")
SUMMARY = re.compile(r"^## Summary$.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
WHAT_DO_YOU_SEE = "**What do you see?**"

REGION = "{}\n### BEGIN SOLUTION\n{}\n### END SOLUTION"
CHECK_CELL = """\
# Run this cell to check your answer.
result = check("{}", {})
assert result.passed, result.message
print(result)"""

READ_ME = """\
# A student's copy of some chapters

The notebooks need the course's package, `helpers`, and its data. Install them once{where}, best in
a fresh virtual environment (`python -m venv .venv && source .venv/bin/activate`; on Windows
`.venv\\Scripts\\activate`):

    pip install -r requirements.txt

Without a network, but with a folder of wheels from a stick (here `STICK`):

    pip install --no-index --find-links STICK -r requirements.txt

Then, {here}, `jupyter lab notebooks`. Licences: see LICENSE.
"""

CONFIG = """\
# Written by classroom/student.py. Everything else of nbgrader can be set here too:
# https://nbgrader.readthedocs.io/en/stable/configuration/config_options.html
from pathlib import Path
import sys

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as p

sys.path.insert(0, str(Path(__file__).resolve().parent))
try:
    from grading import Grade
except Exception as error:  # nbgrader would go on without this file, and grade in its usual way
    raise SystemExit(f"nothing has been done: grading.py does not load: {error}") from None

c = get_config()
c.ClearSolutions.code_stub = {"python": ""}  # the dots above a solution stay
# nbgrader's own list, with Grade in the place of Execute
c.Autograde.autograde_preprocessors = [
    Grade,
    p.IgnorePattern,
    ClearMetadataPreprocessor,
    p.LimitOutput,
    p.SaveAutoGrades,
    p.AssignLatePenalties,
    p.CheckCellMetadata,
]
"""


def clean(
    notebook: nbformat.NotebookNode, copied: Sequence[str], summary: bool = True
) -> nbformat.NotebookNode:
    """A chapter as a student gets it.

    Gone are outputs, the state of widgets, what Interpret cells say, folded answers, links to
    solutions, and links to chapters that are not in the copy.

    Args:
        notebook: a chapter; it stays as it is.
        copied: names of the chapters in the copy, such as "25_beta".
        summary: whether it stays.
    """

    def link(found: re.Match) -> str:
        return found[0] if found[2] in copied else found[1]

    new = copy.deepcopy(notebook)
    new.metadata = {name: new.metadata[name] for name in ("kernelspec", "language_info")}
    for cell, role in zip(new.cells, roles(notebook), strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif "interpret" in role:
            cell.source, cell.metadata = WHAT_DO_YOU_SEE, {}
        else:
            text = cell.source if summary else SUMMARY.sub("", cell.source)
            text = TO_SOLUTIONS.sub("", ANSWER.sub("", text))
            cell.source = TO_ANOTHER.sub(link, text).strip()
    new.cells = [cell for cell in new.cells if cell.source]
    return new


def gradable(notebook: nbformat.NotebookNode, worked: dict[str, str]) -> nbformat.NotebookNode:
    """A clean chapter in nbgrader's source form: each exercise has an answer and a check cell.

    Args:
        notebook: as `clean` returns it; it stays as it is.
        worked: number of an exercise -> code that answers it, as `worked_answers` returns it.
    """
    new, cells = copy.deepcopy(notebook), []
    for cell in new.cells:
        cells.append(cell)
        if cell.cell_type == "code" and CHECK.search(cell.source):
            stub, number, answer = split(cell.source)
            cell.source = REGION.format(stub, assigned(answer, worked[number]))
            name = number.replace(".", "-")
            cell.metadata.nbgrader = _marks(f"answer-{name}", solution=True)
            check = nbformat.v4.new_code_cell(CHECK_CELL.format(number, answer), id=f"check-{name}")
            check.metadata.tags = ["raises-exception"]  # a wrong answer does not stop Run All
            check.metadata.nbgrader = _marks(f"check-{name}", grade=True, locked=True)
            check.metadata.nbgrader.points = POINTS
            cells.append(check)
    new.cells = cells
    return new


def _marks(name: str, **true: bool) -> nbformat.NotebookNode:
    marks = dict.fromkeys(("grade", "locked", "solution", "task"), False) | true
    return nbformat.from_dict({"grade_id": name, "schema_version": 3, **marks})


def split(source: str) -> tuple[str, str, str]:
    """The cell of an exercise in three: all but the check, the number, and what is checked."""
    call = ast.parse(source).body[-1].value
    number, answer = (ast.get_source_segment(source, part) for part in call.args)
    stub = "\n".join(source.splitlines()[: call.lineno - 1]).rstrip()
    return stub, number.strip('"'), answer


def assigned(answer: str, worked: tuple[str, str]) -> str:
    """Code that leaves a worked answer under the name by which the chapter asks for it."""
    code, value = worked
    return code if value == answer or not answer.isidentifier() else f"{code}\n{answer} = {value}"


def worked_answers(notebook: nbformat.NotebookNode) -> dict[str, tuple[str, str]]:
    """Number of an exercise -> the code of its worked answer, and the value that is checked.

    The code is all that stands between two checks; the first also imports what all of them need.
    """
    setup, *cells = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    parts = [setup.partition("\n\nruntime.start(")[0]]
    found = {}
    for source in cells:
        if CHECK.search(source):
            stub, number, value = split(source)
            code = "\n\n".join(part for part in [*parts, stub] if part)
            found[number], parts = (code, value), []
        else:
            parts.append(source)
    return found


def write(paths: Sequence[Path], folder: Path, complete: bool, summary: bool = True) -> None:
    """The plain copy: the notebooks, how to run them and, if it is complete, all they need."""
    copied = [path.stem for path in paths]
    (folder / "notebooks").mkdir()
    for path in paths:
        nbformat.write(clean(read(path), copied, summary), folder / "notebooks" / path.name)
    shutil.copy(ROOT / "LICENSE", folder)
    where, here = ("", "here") if complete else (", in the folder of the course", "in this folder")
    (folder / "README.md").write_text(READ_ME.format(where=where, here=here), encoding="utf-8")
    if complete:
        for name in ("requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        not_needed = shutil.ignore_patterns("__pycache__", "recipes", "mnist.npz", ".*")
        for name in ("helpers", "data"):
            shutil.copytree(ROOT / name, folder / name, ignore=not_needed)


def write_course(paths: Sequence[Path], folder: Path, summary: bool = True) -> None:
    """A course of nbgrader: one assignment for each chapter, and how they are graded."""
    copied = [path.stem for path in paths]
    for path in paths:
        student = clean(read(path), copied, summary)
        notebook = gradable(student, worked_answers(read(solutions(path))))
        (folder / "source" / path.stem).mkdir(parents=True)
        nbformat.write(notebook, folder / "source" / path.stem / path.name)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    shutil.copy(Path(__file__).with_name("grading.py"), folder)


def main() -> None:
    """Read the command line, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="+", metavar="CHAPTER", help="a number, such as 11")
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new, or empty")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--complete", action="store_true", help="with the helpers and their data")
    form.add_argument("--nbgrader", action="store_true", help="in nbgrader's source form")
    parser.add_argument("--without-summary", action="store_true", help="it comes later, from you")
    given = parser.parse_args()
    try:
        paths = chapters(given.chapters)
        with new_folder(given.to) as folder:
            if given.nbgrader:
                write_course(paths, folder, not given.without_summary)
            else:
                write(paths, folder, given.complete, not given.without_summary)
    except ValueError as error:
        parser.error(str(error))
    print(f"{given.to}: {', '.join(path.stem for path in paths)}")


if __name__ == "__main__":
    main()
