"""The student's copy: what must be gone is gone, it runs elsewhere, and nbgrader grades it."""

import ast
import csv
from importlib.util import find_spec
import os
from pathlib import Path
import re
import subprocess
import sys

import chapters
from nbclient import NotebookClient
import nbformat
import pytest
import student

ROOT = Path(__file__).resolve().parent.parent

each_chapter = pytest.mark.parametrize("path", chapters.chapters(), ids=lambda path: path.stem)
TWO = ["11_evidence_lower_bound", "61_which_vae"]


def texts(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def codes(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@each_chapter
def test_a_copy_has_the_code_and_gives_no_answer_away(path):
    original = chapters.read(path)
    copied = student.clean(original, [path.stem])
    nbformat.validate(copied)
    assert codes(copied) == codes(original)
    assert not any(c.get("outputs") or c.get("execution_count") for c in copied.cells)
    assert set(copied.metadata) == {"kernelspec", "language_info"}

    said = [c.source for c in original.cells if "interpret" in c.metadata.get("tags", [])]
    said += re.findall(r"<summary>The answer.*?</summary>(.*?)</details>", texts(original), re.S)
    text = texts(copied)
    assert not [answer for answer in said if answer.strip() in text]
    assert text.count(student.WHAT_DO_YOU_SEE) == len(re.findall(r"\*\*Interpret", texts(original)))
    assert not re.search(r"solutions/|\*\*Interpret|Worked (answ|solu)|<summary>The", text)
    assert set(re.findall(r"\((\d\d_\w+)\.ipynb", text)) <= {path.stem}
    for name in ("## Summary", "**Predict.**", "<summary>A hint"):
        assert text.count(name) == texts(original).count(name), name


def test_a_copy_keeps_its_links_to_chapters_that_are_copied_too():
    cell = nbformat.v4.new_markdown_cell("# ?\n[one](25_beta.ipynb#x), [two](61_which_vae.ipynb)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.update(kernelspec={"name": "python3"}, language_info={"name": "python"})
    assert (
        student.clean(notebook, ["25_beta"]).cells[0].source.endswith("[one](25_beta.ipynb#x), two")
    )


@each_chapter
def test_without_its_summary_a_copy_has_all_else(path):
    original = chapters.read(path)
    whole, less = (student.clean(original, [], summary) for summary in (True, False))
    assert codes(less) == codes(whole) and "## Summary" not in texts(less)
    before, summary, after = texts(whole).partition("## Summary")
    assert summary and "\n## " not in after, "it stands last"
    assert texts(less).strip() == before.strip()


@each_chapter
def test_nbgraders_form_has_an_answer_and_a_locked_check_for_each_exercise(path):
    original, solved = chapters.read(path), chapters.read(chapters.solutions(path))
    source = student.gradable(student.clean(original, []), student.worked_answers(solved))
    nbformat.validate(source)
    marked = {c.metadata.nbgrader.grade_id: c for c in source.cells if "nbgrader" in c.metadata}
    numbers = chapters.QUESTION.findall(texts(original))
    names = [f"{kind}-{n.replace('.', '-')}" for n in numbers for kind in ("answer", "check")]
    assert list(marked) == names
    for number, answer, check in zip(numbers, names[::2], names[1::2], strict=True):
        answer, check = marked[answer], marked[check]
        assert answer.metadata.nbgrader.solution and not answer.metadata.nbgrader.locked
        assert check.metadata.nbgrader.locked and check.metadata.nbgrader.points == 1
        assert f'check("{number}", ' in check.source and "assert result.passed" in check.source
        stub, _, worked = answer.source.partition("### BEGIN SOLUTION")
        assert "..." in stub and "check(" not in stub
        asked = ast.parse(check.source).body[0].value.args[1]
        known = {getattr(n, "name", getattr(n, "id", "")) for n in ast.walk(ast.parse(worked))}
        assert {n.id for n in ast.walk(asked) if isinstance(n, ast.Name)} & known


def run(*command, **kwargs) -> subprocess.CompletedProcess:
    """A command of this Python, whose own programs come first (nbgrader calls alembic)."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path} | kwargs.pop("env", {})
    return subprocess.run(
        [sys.executable, *map(str, command)], env=env, capture_output=True, text=True, **kwargs
    )


def test_a_complete_copy_runs_where_the_course_is_not(tmp_path):
    made = run(ROOT / "classroom/student.py", "11", "--to", tmp_path / "copy", "--complete")
    assert made.returncode == 0, made.stderr
    copy = tmp_path / "copy"
    read_me = (copy / "README.md").read_text(encoding="utf-8")
    assert "pip install -r requirements.txt" in read_me
    assert "pip install --no-index --find-links STICK -r requirements.txt" in read_me
    assert (copy / "requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()
    assert not (copy / "notebooks" / "solutions").exists()
    notebook = chapters.read(copy / "notebooks" / f"{TWO[0]}.ipynb")
    where = (
        "import helpers.data; print(helpers.__file__, len(helpers.data.load('mnist-5k').x_train))"
    )
    notebook.cells.append(nbformat.v4.new_code_cell(where))
    NotebookClient(notebook, resources={"metadata": {"path": str(copy / "notebooks")}}).execute(
        env=os.environ | {"PYTHONPATH": str(copy)}
    )
    shown = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for c in notebook.cells
             for o in c.get("outputs", [])]  # fmt: skip
    assert sum("Not answered yet" in text for text in shown) == 3
    assert str(copy) in shown[-1]


BAD = {
    "no such chapter": (["11", "99"], "new", r"chapter must be one of 00, 11.*got '99'"),
    "not empty": (["11"], "full", "folder must be new or empty, got .*full"),
    "a file": (["11"], "full/note.txt", "folder must be new or empty, got .*note"),
    "in no folder": (["11"], "none/new", "folder must be .* in one that is there, got .*none"),
    "in a file": (["11"], "full/note.txt/new", "folder must be one that can be written"),
}


@pytest.mark.parametrize("form", [(), ("--nbgrader",)], ids=("plain", "nbgrader"))
@pytest.mark.parametrize(("names", "to", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_and_nothing_is_written(
    names, to, said, form, tmp_path, monkeypatch, capsys
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("sys.argv", ["student.py", *names, "--to", str(tmp_path / to), *form])
    with pytest.raises(SystemExit, match="2"):
        student.main()
    assert re.search(said, capsys.readouterr().err)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere, so a mode says nothing
    with pytest.raises(ValueError, match=r"can be written.*Permission denied"):
        with chapters.new_folder(tmp_path / "new"):
            raise AssertionError("it was opened")


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_is_there_whole_or_not_at_all(exists, tmp_path):
    target = tmp_path / "new"
    if exists:
        target.mkdir()
    with pytest.raises(OSError, match="No space"):
        with chapters.new_folder(target) as folder:
            (folder / "half").write_text("half")
            raise OSError(28, "No space left on device")
    assert list(tmp_path.rglob("*")) == [target] * exists
    with chapters.new_folder(target) as folder:
        (folder / "all").write_text("all")
        assert not (target / "all").exists()
    assert sorted(tmp_path.rglob("*")) == [target, target / "all"]


def test_a_chapter_goes_by_its_number_its_name_or_its_file():
    path = chapters.NOTEBOOKS / "25_beta.ipynb"
    assert chapters.chapters([25, "25", "25_beta", "notebooks/25_beta.ipynb", path]) == [path]
    assert chapters.chapters(["25", 11])[0] == path and len(chapters.chapters()) > 20


MISTAKES = {
    "11-1": "gap_of_the_prior = 1.8854  # in bits",
    "11-2": None,  # the worked answer
    "11-3": "excess = ...",
    "61-1": None,
    "61-2": "area = 7.6",
    "61-3": "def non_dominated(goals):\n    return [not any((goals < a).all(1)) for a in goals]",
}
HINTS = ("is the gap in bits", "11.3 Not answered yet", "rectangles overlap", "is no worse than")

# One attack in each answer; from each on, the whole kernel is another.
TAMPERING = {
    "11-1": """
from helpers import exercises
exercises._CHECKS.update(dict.fromkeys(["11.1", "11.2", "11.3"], lambda answer: None))
gap_of_the_prior = 0.0""",
    "11-2": """
def check(number, answer):
    return exercises.Result(True, "right")
exercises.check, elbo_of_many = check, None""",
    "11-3": """
import builtins, pathlib
builtins.AssertionError = type("Nothing", (Exception,), {})
get_ipython().set_custom_exc((BaseException,), lambda *args, **kwargs: None)
for name in ("json", "pickle", "helpers"):
    pathlib.Path(f"{name}.py").write_text("print('[true, \\"right\\"]')\\nimport os\\nos._exit(0)")
excess = ...""",
    "61-1": """
import sys, types, numpy, builtins
sys.modules["helpers.exercises"] = types.ModuleType("helpers.exercises")
sys.modules["helpers.exercises"].check = check = lambda *_: types.SimpleNamespace(passed=True)
numpy.asarray, builtins.abs = (lambda *_: numpy.float64(0.1)), lambda _: 0
regret_of_the_search = 7""",
    "61-2": """
class Same:
    def __eq__(self, other): return True
    def __float__(self): print('[true, "right"]'); raise SystemExit
area = Same()""",
    "61-3": """
get_ipython().input_transformers_post.append(lambda lines: ["print('✅ 61.3 Right.')\\n"])
non_dominated = None""",
}


def hand_in(course: Path, who: str, name: str, answers: dict[str, str | None]) -> None:
    """A submission: the released notebook with other answers; without what costs time for nothing.

    A student may drop cells that have no mark: here all but the setup. None is the worked answer.
    """
    source = chapters.read(course / "source" / name / f"{name}.ipynb")
    worked = {
        c.metadata.nbgrader.grade_id: c.source for c in source.cells if "nbgrader" in c.metadata
    }
    notebook = chapters.read(course / "release" / name / f"{name}.ipynb")
    kept = []
    for cell, role in zip(notebook.cells, chapters.roles(notebook), strict=True):
        mark = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if mark.startswith("answer-"):
            cell.source = answers[mark[7:]] or worked[mark]
        elif mark.startswith("check-") and who == "tampering":
            cell.source, cell.metadata.nbgrader.points = "print('right')", 100
        if mark or "setup" in role:
            kept.append(cell)
    notebook.cells = kept
    folder = course / "submitted" / who / name
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


needs_nbgrader = pytest.mark.skipif(
    not find_spec("nbgrader"), reason="nbgrader is not installed: classroom/requirements.txt"
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Path:
    """A course of two chapters, in which three submissions were graded and given feedback."""
    course = tmp_path_factory.mktemp("graded") / "course"
    made = run(ROOT / "classroom/student.py", *TWO, "--to", course, "--nbgrader")
    assert made.returncode == 0, made.stderr
    everyone = {"right": dict.fromkeys(MISTAKES), "mistaken": MISTAKES, "tampering": TAMPERING}

    def nbgrader(*command):
        done = run("-m", "nbgrader", *command, cwd=course)
        assert done.returncode == 0, done.stderr

    for name in TWO:
        nbgrader("generate_assignment", name)
        for who, answers in everyone.items():
            hand_in(course, who, name, answers)
        nbgrader("autograde", name)
        nbgrader("generate_feedback", name)
    nbgrader("export")
    return course


@needs_nbgrader
def test_what_is_handed_out_has_dots_and_no_solution(graded):
    for name in TWO:
        text = (graded / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
        assert "SOLUTION" not in text and "NotImplementedError" not in text
        assert text.count(" ...") == 3


@needs_nbgrader
def test_right_answers_get_all_points_mistakes_some_and_tampering_none(graded):
    points = {}
    with (graded / "grades.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            points.setdefault(row["student_id"], []).append((row["score"], row["max_score"]))
    assert points == {
        "right": [("3.0", "3.0")] * 2,
        "mistaken": [("1.0", "3.0")] * 2,
        "tampering": [("0.0", "3.0")] * 2,
    }


@needs_nbgrader
def test_the_hints_come_back_as_feedback(graded):
    pages = [(graded / "feedback" / "mistaken" / n / f"{n}.html").read_text("utf-8") for n in TWO]
    assert [hint for hint in HINTS if hint not in "".join(pages)] == []


@needs_nbgrader
def test_helpers_that_were_changed_on_the_disk_stop_the_grading(tmp_path, monkeypatch):
    import grading

    (tmp_path / "answer").write_bytes(b"")
    monkeypatch.setattr(grading, "checksum", lambda: "another")
    with pytest.raises(RuntimeError, match="has been changed on this disk"):
        grading.Grade()._verdict("11.1", tmp_path / "answer", [])


@needs_nbgrader
def test_without_the_helpers_nbgrader_does_nothing(tmp_path):
    """When its configuration fails, it goes on: with no protection, and nothing said at the end."""
    course = tmp_path / "course"
    made = run(ROOT / "classroom/student.py", TWO[0], "--to", course, "--nbgrader")
    assert made.returncode == 0, made.stderr
    grading = course / "grading.py"
    text = grading.read_text(encoding="utf-8").replace('find_spec("helpers")', 'find_spec("none_")')
    grading.write_text(text, encoding="utf-8")
    done = run("-m", "nbgrader", "generate_assignment", TWO[0], cwd=course)
    assert done.returncode and not (course / "release").exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("nothing has been done") and "pip install" in last, done.stderr


@needs_nbgrader
def test_an_answer_that_never_ends_or_breaks_its_check_is_not_right(tmp_path):
    import cloudpickle
    import grading

    def never(*_):
        while True:
            pass

    def breaks(*_):
        os._exit(0)

    for answer, said in ((never, "longer than 4 seconds"), (breaks, "ended without a result")):
        (tmp_path / "answer").write_bytes(cloudpickle.dumps(answer))
        passed, message = grading.judge("61.3", tmp_path / "answer", seconds=4)
        assert not passed and said in message


@needs_nbgrader
def test_a_function_is_handed_out_with_what_it_imported_by_name(tmp_path):
    import grading

    file = tmp_path / "answer"
    answer = (
        "import multiprocessing\nfrom scipy.special import gammaln\nanswer = lambda x: gammaln(x)"
    )
    done = run("-c", answer + grading.HAND_OUT.format(str(file), "answer"))
    assert done.returncode == 0, done.stderr
    loaded = run("-c", "import pickle; print(pickle.load(open('answer', 'rb'))(1))", cwd=tmp_path)
    assert loaded.stdout == "0.0\n", loaded.stderr
