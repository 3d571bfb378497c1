"""The notebooks as files: executed as they stand, light, described, linked, free of any machine's
traces; and what is said of them elsewhere (README, map, glossary, solutions) said alike."""

import base64
import copy
import csv
import io
from pathlib import Path
import re

from helpers import records
import nbformat
from PIL import Image
import pytest
from run_notebooks import QUOTED, execute, fingerprint

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
def test_was_executed_as_it_stands(path):
    notebook = read(path)
    assert notebook.metadata.get("fingerprint") == fingerprint(notebook), (
        f"the code was changed after it was run: python data/recipes/run_notebooks.py "
        f"{path.relative_to(ROOT).as_posix()}"
    )


def test_a_fingerprint_is_of_every_code_cell_and_of_nothing_else():
    notebook = read(COURSE[0])
    whole = fingerprint(notebook)
    code = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for number in code:
        changed = copy.deepcopy(notebook)
        changed.cells[number].source += "\n"
        assert fingerprint(changed) != whole, number
        del changed.cells[number]
        assert fingerprint(changed) != whole, number
    first, second = code[:2]
    changed = copy.deepcopy(notebook)
    changed.cells[first], changed.cells[second] = changed.cells[second], changed.cells[first]
    assert fingerprint(changed) != whole
    one, split = (nbformat.v4.new_notebook() for _ in range(2))
    one.cells = [nbformat.v4.new_code_cell("a\nb")]
    split.cells = [nbformat.v4.new_code_cell("a"), nbformat.v4.new_code_cell("b")]
    assert fingerprint(one) != fingerprint(split)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source += " said otherwise"
        else:
            cell.outputs, cell.execution_count, cell.metadata = [], None, {"tags": ["any"]}
    notebook.metadata = {}
    assert fingerprint(notebook) == whole


FAILING = {
    "an error": "1 / 0",
    "a dead kernel": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING)
def test_a_failing_run_leaves_the_file_as_it_was(source, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    path = tmp_path / "failing.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match=r"ZeroDivisionError|Kernel died"):
        execute(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    def no_space(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "plain.ipynb"
    cells = [nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    before = path.read_bytes()
    with monkeypatch.context() as full, pytest.raises(OSError, match="No space left"):
        full.setattr("os.replace", no_space)
        execute(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


MOVING = """
from tqdm.auto import tqdm
import ipywidgets, time
a, b = ipywidgets.IntSlider(), ipywidgets.IntText()
ipywidgets.jslink((a, "value"), (b, "value"))
for _ in tqdm(range(3)):
    time.sleep(0.01)
print({"some", "words", "in", "a", "set"}, "100/100 - 1s - 13ms/step - loss: 3.0")
ipywidgets.VBox([a, b, ipywidgets.Text("x")])
"""


def test_executing_unchanged_code_again_changes_no_byte(tmp_path):
    path = tmp_path / "moving.ipynb"
    cells = [nbformat.v4.new_code_cell(MOVING, id="moving")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    execute(path)
    before = path.read_bytes()
    execute(path)
    assert path.read_bytes() == before
    assert b"ms/step" not in before.partition(b"outputs")[2].partition(b"source")[0]


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
    text = re.sub(r"[\w+/=]{200,}", "", path.read_text())  # pictures, whose letters are random
    assert MACHINE_PATH.findall(text) == []


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


QUESTIONS = {path.stem: read(path).cells[0].source.splitlines()[0].lstrip("# ") for path in COURSE}
SECONDS = {run["notebook"]: run["seconds"] for run in records.load("notebook_seconds")["runs"]}
README = (ROOT / "README.md").read_text(encoding="utf-8")


@each_chapter
def test_its_solutions_have_its_question(path):
    solutions = read(ROOT / "notebooks" / "solutions" / f"{path.stem}_solutions.ipynb")
    assert QUESTIONS[path.stem].lower() in solutions.cells[0].source.lower()


@each_chapter
def test_its_seconds_are_those_of_the_record(path):
    quoted = re.search(QUOTED.replace(r"\d+", r"(\d+)"), read(path).cells[0].source)
    if path.stem[:2] != "00":  # which says "less than a minute"
        assert quoted and int(quoted[2]) == round(SECONDS[path.stem]), "run it with --record"


def test_readme_lists_every_chapter_with_its_question_and_seconds():
    rows = re.findall(r"\| \[(\d\d)\]\(notebooks/(\w+)\.ipynb\) \| (.+?) \| (\d+) \|", README)
    assert [name for _, name, _, _ in rows] == [path.stem for path in COURSE]
    for number, name, question, seconds in rows:
        assert number == name[:2] and question.startswith(QUESTIONS[name])
        assert int(seconds) == round(SECONDS[name])


def test_the_map_shows_every_other_chapter_with_its_question_and_seconds():
    shown = "".join(o.get("data", {}).get("text/markdown", "") for o in outputs(COURSE[0]))
    for name, question in QUESTIONS.items():
        if name[:2] != "00":
            row = f"| {name[:2]} | [{question}]({name}.ipynb) | {SECONDS[name]:.0f} |"
            assert row in shown, "execute 00_start_here again"


def test_the_record_of_seconds_is_of_the_chapters():
    assert sorted(SECONDS) == [path.stem for path in COURSE]


with open(ROOT / "data" / "glossary.csv", encoding="utf-8", newline="") as file:
    GLOSSARY = list(csv.DictReader(file))


def test_every_chapter_but_the_last_has_a_term_in_the_glossary():
    named = {number for entry in GLOSSARY for number in entry["chapters"].split()}
    numbers = {path.stem[:2] for path in COURSE}
    assert named <= numbers, "a term stands in a chapter that is not there"
    assert numbers - named <= {"90"}, "give every chapter a term in data/glossary.csv"


def test_every_term_of_the_glossary_occurs_in_the_chapters_that_it_names():
    """Else it goes wrong silently, when a chapter renames what it speaks of."""
    texts = {
        path.stem[:2]: "\n".join(c.source for c in read(path).cells).lower().replace("-", " ")
        for path in COURSE
    }
    terms = [entry["english"].lower().replace("-", " ") for entry in GLOSSARY]
    assert len(set(terms)) == len(terms)
    for term, entry in zip(terms, GLOSSARY, strict=True):
        assert any("\u4e00" <= sign <= "\u9fff" for sign in entry["chinese"]), term
        assert [n for n in entry["chapters"].split() if term not in texts[n]] == [], term


def test_versions_named_in_the_readme_are_the_pins():
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.M))
    named = re.findall(r"([\w-]+)(?:\[[\w-]+\])?==([\w.]+)", README)
    assert named and all(pins[name] == version for name, version in named), named
