"""The notebooks as files: executed, light, described, linked, and free of any machine's traces."""

import base64
import io
from pathlib import Path
import re

import nbformat
from PIL import Image
import pytest

ROOT = Path(__file__).resolve().parent.parent
COURSE = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
NOTEBOOKS = [*COURSE, *SOLUTIONS, *sorted((ROOT / "tests").glob("*.ipynb"))]
MACHINE_PATH = re.compile(
    r"(?:/(?:home|root|work|tmp|Users|opt|usr|var|private)/|[A-Z]:\\\\)[\w.-]+"
)
EXERCISE = re.compile(r'check\("(\d\d\.\d+)"')
LINK = re.compile(r"\]\(((?!https?:|#|mailto:)[^)]+)\)")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(path: Path) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def outputs(path: Path) -> list:
    return [output for cell in code_cells(path) for output in cell.outputs]


@each_notebook
def test_is_executed_in_order_without_an_error(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for output in outputs(path) if output.output_type == "error"]
    assert not [output for output in outputs(path) if output.get("name") == "stderr"]


@each_notebook
def test_cell_ids_are_unique(path):
    ids = [cell.id for cell in read(path).cells]
    assert len(ids) == len(set(ids))


@each_notebook
def test_every_picture_is_described_and_whole(path):
    for output in outputs(path):
        if "image/png" in output.get("data", {}):
            assert len(output.metadata["image/png"]["alt"]) > 20
            Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).verify()
        assert "<img" not in output.get("data", {}).get("text/html", "")


@each_notebook
def test_is_light_and_names_no_path_of_a_machine(path):
    assert path.stat().st_size < 1_000_000
    assert MACHINE_PATH.findall(path.read_text()) == []


@each_notebook
def test_setup_is_short_and_cells_fit_on_a_screen(path):
    setup, *rest = code_cells(path)
    assert "runtime.start(" in setup.source
    assert len(setup.source.splitlines()) <= 12
    assert max(len(cell.source.splitlines()) for cell in rest) <= 40
    assert not re.search(r"^\s*[!%]|sys\.path|pip install", setup.source, re.MULTILINE)


@pytest.mark.parametrize("path", [*COURSE, *SOLUTIONS], ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in LINK.findall(text):
        assert (path.parent / target.split("#")[0]).exists(), target


@each_chapter
def test_is_a_question_with_exercises_and_solutions(path):
    cells = read(path).cells
    assert cells[0].source.splitlines()[0].endswith("?")
    asked = {number for cell in cells for number in EXERCISE.findall(cell.source)}
    assert len(asked) >= 3 and all(number.startswith(path.stem[:2]) for number in asked)

    solved = {}
    for cell in code_cells(ROOT / "notebooks" / "solutions" / f"{path.stem}_solutions.ipynb"):
        for number in EXERCISE.findall(cell.source):
            assert "nbval-check-output" in cell.metadata.get("tags", []), number
            solved[number] = cell.outputs[-1].data["text/plain"]
    assert solved == {number: f"✅ {number} Right." for number in asked}


@each_chapter
def test_readme_lists_the_chapter(path):
    assert f"notebooks/{path.name}" in (ROOT / "README.md").read_text()
