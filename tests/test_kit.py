"""The lecturer's kit: slides that fit and load nothing from elsewhere, figures as files, wheels."""

import ast
from pathlib import Path
import re
import shutil
import subprocess
import sys

import chapters
from conftest import BROWSER
import deck
from helpers import __version__
import nbformat
import pictures
import pytest
import slides
import wheels

ROOT = Path(__file__).resolve().parent.parent

# Of the six whose slides can be shown as they are (also 11, 25 and 46), those that carry tags.
SHOWN = ("21", "41", "62")

TITLE = "# Why?\n\nA lead.\n\n**You will be able to**\n\n- see.\n\n**You need** nothing."
TEXT = """## One idea

Nothing of this. We write it so:

$$a = b .$$

A **key** sentence. Another one.

**Predict.** What comes, $a < b$? (a) This; (b) that."""
LEFT = "## Break it\n\nA **mistake**.\n\n$$c = d$$\n\n## Exercises\n\n**11.1** Do **it**."


def code(source: str, tags=(), text: str = "", alt: str = "") -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
    if text:
        cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))
    if alt:
        about = {"image/png": {"alt": alt, "width": 560, "height": 256}}
        data = {"image/png": "iVBORw0KGgo="}
        cell.outputs.append(nbformat.v4.new_output("display_data", data=data, metadata=about))
    return cell


def made(*cells) -> list[deck.Slide]:
    text = nbformat.v4.new_markdown_cell
    cells = [text(cell) if isinstance(cell, str) else cell for cell in cells]
    return deck.slides(nbformat.v4.new_notebook(cells=[text(TITLE), code("setup"), *cells]))


def interpret(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": ["interpret", *tags]})


def on_slides(made: list[deck.Slide]) -> str:
    return "\n".join(slide.title + "\n" + "\n".join(slide.body) for slide in made)


def test_text_gives_title_equation_key_sentence_and_prediction():
    title, goals, text, asked = made(TEXT, LEFT)
    assert (title.title, title.kind, goals.title) == ("Why?", "title", "You will be able to")
    assert "A lead." in title.body[0] and "You need" not in on_slides([title, goals])
    assert text.title == "One idea"
    shown = "\n".join(text.body)
    assert "We write it so:" in shown and "$$a = b .$$" in shown and "key" in shown
    assert "Nothing of this" not in shown and "Another one" not in shown
    assert "Another one" in "\n".join(text.notes)
    (*_, text) = made("## A\n\nOne. Let $a < b$. Together,\n\n$$c = d .$$")
    assert "Let $a &lt; b$. Together," in text.body[0] and "One" not in text.body[0]
    assert asked.kind == "predict" and asked.body[1].count('class="fragment"') == 2
    assert "$a &lt; b$" in asked.body[0] and "(a)" not in asked.body[0]


def test_a_figure_has_its_finding_and_code_is_left_out():
    figure = code("secret()", alt="a <line> that rises")
    found = interpret("**Interpret.** (b). It rises. By how much is **another** matter.")
    *_, last = made(TEXT, code("hidden()", text="numbers"), figure, found, LEFT)
    assert last.kind == "figure" and 'alt="a &lt;line&gt; that rises"' in last.body[0]
    assert "<strong>(b)</strong> It rises." in last.body[1] and "fragment" in last.body[1]
    shown = on_slides(made(TEXT, code("hidden()", text="numbers"), figure, found, LEFT))
    assert not re.search(r"secret|hidden|numbers|setup|mistake|c = d|11\.1", shown)


def test_output_is_shown_where_no_figure_decides():
    found = interpret("**Interpret.** (b). It rises.")
    *_, last = made(TEXT, code("hidden()", text="recorded 2026-01-01 with\n1 < 2\n"), found)
    assert last.kind == "output" and last.body[0] == "<pre>1 &lt; 2</pre>"
    *_, last = made(TEXT, code("hidden()", text="x\n" * 99), found)  # does not fit
    assert last.kind == "text" and "fragment" not in last.body[0]


def test_a_finding_belongs_to_its_own_section():
    found = interpret("**Interpret.** It rises.")
    *_, first, second = made("## A", code("", alt="a line"), "## B\n\nText.", found)
    assert len(first.body) == 1 and second.title == "B" and "rises" in second.body[0]


def test_tags_of_cells():
    tagged = [code("a_b = 1", tags, text="two") for tags in ([], ["slide"], ["slide-code"])]
    none, printed, source = (on_slides(made("## A", cell)) for cell in tagged)
    assert "two" not in none and "two" in printed and "a_b" not in printed
    assert "a_b = 1" in source and "two" not in source
    text = nbformat.v4.new_markdown_cell("## A\n\nPlain.\n\n1. One.", metadata={"tags": ["slide"]})
    assert "Plain." in on_slides(made(text)) and "One." in on_slides(made(text))
    text.metadata["tags"] = ["no-slide"]
    assert len(made(text)) == 2
    picture = code("", ["no-slide"], alt="a line")
    assert len(made("## A", picture, interpret("**Interpret.** It.", "no-slide"))) == 2


@pytest.mark.parametrize("path", chapters.chapters(), ids=lambda path: path.stem)
def test_every_chapter_gives_its_predictions_and_figures(path):
    notebook = chapters.read(path)
    made = deck.slides(notebook)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    kinds = [slide.kind for slide in made]
    assert kinds.count("predict") == text.count("**Predict.**")
    assert all(slide.body[-1].count("<li") >= 2 for slide in made if slide.kind == "predict")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    drawn = sum("image/png" in output.get("data", {}) for output in outputs)
    assert sum(kind.startswith("figure") for kind in kinds) == drawn
    shown = on_slides(made)
    assert "def " not in shown or "slide-code" in str(notebook.cells)
    assert not re.search(r"""href="(?!https?:)""", shown)


@pytest.fixture(scope="module")
def decks(tmp_path_factory) -> Path:
    if shutil.which("npm") is None and not any(slides.CACHE.glob("npm-*")):
        pytest.skip("npm, which fetches reveal.js, is not installed")
    folder = tmp_path_factory.mktemp("decks")
    try:
        slides.write(chapters.chapters(SHOWN), folder)
    except SystemExit as error:
        pytest.skip(f"reveal.js is not here and cannot be fetched: {str(error)[:200]}")
    return folder


# Of each slide: does its content end within it, and how high is its picture?
MEASURE = """
() => Reveal.getSlides().map(slide => {
  const shown = slide.style.display;
  slide.style.display = "block";
  const body = slide.children[1], picture = slide.querySelector(".picture img");
  const found = [body.offsetTop + body.offsetHeight, Math.max(body.scrollWidth, slide.scrollWidth),
    parseInt(slide.style.fontSize), picture ? picture.clientHeight : 720];
  slide.style.display = shown;
  return found;
})
"""


def test_decks_fit_and_ask_no_other_machine_for_anything(decks):
    playwright = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("no Chromium or Chrome is installed")
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        context = opened.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        for path in sorted(decks.glob("*.html")):
            page, asked, errors = context.new_page(), [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
            assert errors == [] and page.locator("mjx-merror").count() == 0
            measured = page.evaluate(MEASURE)
            assert len(measured) == path.read_text().count("<section ") > 15
            for number, (bottom, width, size, height) in enumerate(measured, 1):
                where = f"{path.stem}, slide {number}"
                assert bottom <= 720 and width <= 1280 and size >= 79 and height >= 250, where
            options = page.locator(".options li").first
            asking = "Reveal.getSlides().findIndex(slide => slide.querySelector('.options'))"
            page.evaluate(f"Reveal.slide({asking})")
            assert options.evaluate("e => getComputedStyle(e).visibility") == "hidden"
            page.keyboard.press("ArrowRight")
            assert options.evaluate("e => getComputedStyle(e).visibility") == "visible"
            assert page.locator(".notes mjx-container").count() > 5
            assert page.locator(".notes mjx-assistive-mml").count() == 0, "formulas twice in notes"
            page.goto(path.as_uri() + "?print-pdf")
            page.wait_for_selector("html[data-ready]", state="attached")
            page.wait_for_selector(".pdf-page", state="attached")
            assert page.locator(".pdf-page").count() == len(measured), "a slide is one page"
            page.close()
        opened.close()


FIGURE = """
from helpers import figures
fig, ax = figures.subplots(alt="A line that rises.")
ax.plot([0, 1])
fig
"""


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_figures_are_files(suffix, start, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FIGURE)])
    chapter, folder = tmp_path / "11_tiny.ipynb", tmp_path / "to"
    nbformat.write(notebook, chapter)
    before = chapter.read_bytes()
    folder.mkdir()
    assert pictures.write(chapter, folder, suffix, 200) == 1
    written = (folder / f"11_tiny_1.{suffix}").read_bytes()
    assert written.startswith(start) and chapter.read_bytes() == before
    if suffix == "png":
        assert int.from_bytes(written[16:20], "big") == 7 * 200
    else:
        assert b"A line that rises." in written
    assert (folder / "11_tiny.txt").read_text() == "1. A line that rises.\n"


@pytest.mark.parametrize("command", ["slides.py", "pictures.py", "wheels.py", "student.py"])
def test_a_python_without_the_course_is_told_so(command):
    blocked = "import runpy, sys; sys.modules['nbformat'] = None; sys.path.insert(0, sys.argv[1]); "
    run_it = "runpy.run_path(sys.argv[1] + '/' + sys.argv[2], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", blocked + run_it, str(ROOT / "classroom"), command, "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stderr.startswith("the course is not installed for")


COMMANDS = {"slides.py": slides, "pictures.py": pictures, "wheels.py": wheels}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("slides.py 99 --to new", "chapter must be one of 00, 11"),
        ("slides.py 11 --to full", "folder must be new or empty, got 'full'"),
        ("pictures.py 11 --to new --dpi 9", "dpi must be from 50 to 600, got 9"),
        ("wheels.py --to new --platform amiga --python 3.12", "platform must be one of windows,"),
        ("wheels.py --to new --platform linux --python 2.7", "python must be one of 3.11,"),
        ("wheels.py --to new --platform linux --python 3.14", "TensorFlow has no wheel for Linux"),
        ("wheels.py --to new --platform macos-intel --python 3.12", "with --short"),
        ("wheels.py --to full --platform linux --python 3.12", "folder must be new or empty"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(command, why, tmp_path, monkeypatch, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit) as ended:
        COMMANDS[sys.argv[0]].main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and why in said, said
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["full", "mine.txt"]


def test_wheels_of_each_platform_are_asked_for_in_its_own_words(tmp_path, monkeypatch, capsys):
    asked = []

    def run(command, text=""):
        asked.append((command, text))
        target = [part for part in command if part.startswith("--dest=")]
        for part in target:
            folder = Path(part.removeprefix("--dest="))
            folder.mkdir(exist_ok=True)
            (folder / "one-1.0-py3-none-any.whl").write_bytes(b"x" * 2_000_000)
        return "" if target else "one==1.0\n"

    monkeypatch.setattr(wheels, "_run", run)
    wheels.fill(tmp_path, ["windows", "linux"], ["3.12"], short=False)
    (compile_windows, text), (download_windows, _), (compile_linux, _), (download_linux, _) = asked
    assert "--python-platform=x86_64-pc-windows-msvc" in compile_windows
    assert "tensorflow==" in text and "setuptools>=77" in text and "-e ." not in text
    assert "--platform=win_amd64" in download_windows and "--no-deps" in download_windows
    assert "--python-platform=x86_64-manylinux_2_28" in compile_linux
    assert {"--platform=manylinux_2_17_x86_64", "--python-version=3.12"} < set(download_linux)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["laptops.md", "linux", "windows"]
    assert capsys.readouterr().out.splitlines()[0] == "windows: 1 wheels, 2 MB"


def test_a_failing_download_says_so(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "error: tunnel is closed")
    monkeypatch.setattr(wheels.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match=r"uv pip compile failed \(is there a network\?\)"):
        wheels.resolve("one", wheels.PLATFORMS["linux"], "3.12")
    failed.stderr = "/usr/bin/python3: No module named uv"
    with pytest.raises(SystemExit, match=r"pip install -r classroom/requirements\.txt"):
        wheels.resolve("one", wheels.PLATFORMS["linux"], "3.12")


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", path.read_text(encoding="utf-8"), re.M))


PACKAGES = {"sklearn": "scikit-learn", "PIL": "Pillow", "IPython": "ipython"}
PARTS = [
    *sorted((ROOT / "notebooks").glob("[45]*.ipynb")),
    *sorted((ROOT / "notebooks" / "solutions").glob("[45]*.ipynb")),
]


def test_the_short_list_has_the_pins_of_the_long_one():
    long, short = pins(wheels.FULL), pins(wheels.SHORT)
    assert short.items() <= long.items()
    assert not short.keys() & {"tensorflow", "keras", "jax"}


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_the_short_list_is_enough_for_parts_4_and_5(path):
    cells = chapters.read(path).cells
    source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    needed = {PACKAGES.get(name, name) for name in names - sys.stdlib_module_names - {"helpers"}}
    assert needed <= pins(wheels.SHORT).keys()


WITHOUT_KERAS = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("keras", "tensorflow", "jax"):
            raise ImportError(f"{name} is not on the short list")

sys.meta_path.insert(0, Blocked())
"""


def test_what_parts_4_and_5_import_works_without_keras():
    setups = []
    for path in PARTS:
        cells = [cell for cell in chapters.read(path).cells if cell.cell_type == "code"]
        setups += [f"exec({cell.source!r})" for cell in cells if "runtime.start(" in cell.source]
    program = "\n".join([WITHOUT_KERAS, *setups])
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert len(setups) >= len(PARTS) and run.returncode == 0, run.stderr


def test_the_version_is_the_same_everywhere():
    cited = re.search(r'^version: "(.*)"', (ROOT / "CITATION.cff").read_text(), re.M)
    changed = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert cited[1] == changed[1] == __version__


def test_the_guide_names_the_machines_and_the_commands_as_they_are():
    guide = wheels.PAGE.read_text(encoding="utf-8")
    for command in re.findall(r"python classroom/wheels.py (.+)", guide):
        given = re.search(r"--platform (.+?) --python ([\d. ]+)", command)
        wheels.check(given[1].split(), given[2].split(), "--short" in command)
    assert f"TensorFlow {pins(wheels.FULL)['tensorflow'].removesuffix('.0')} has no wheel" in guide
