"""The reading site as a reader meets it: made by its command, opened in Chromium, moved by keys.

Three chapters are made, with few pictures for each explorer. `COURSE_SITE=all pytest
tests/test_site.py` makes all of them with all pictures (minutes, unless cache/site has them), and
opens every page; with the path of a folder, the site there is tested as it is.
"""

import functools
from html.parser import HTMLParser
import http.server
import importlib
import itertools
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import threading

from conftest import BROWSER
from helpers import figures
import ipywidgets
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE, BUILD = ROOT / "site", ROOT / "site" / "build.py"
ASKED = os.environ.get("COURSE_SITE", "")
WHOLE = ASKED == "all"
# Ready pictures; a choice by name and two sliders, drawn by the kernel; a box to search with.
CHAPTERS = ("00", "45", "90")
LINKS = {"a": "href", "img": "src", "script": "src", "link": "href"}


def module(name: str):
    """A part of the builder, which is no package: a command of its own."""
    path = sys.path[:]
    sys.path[:0] = [str(SITE), str(ROOT)]
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = path


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(BUILD), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    if ASKED and not WHOLE:
        return Path(ASKED).resolve()
    for package in ("sphinx", "myst_nb", "sphinx_book_theme"):
        pytest.importorskip(package, reason=f"{package} of site/requirements.txt is not installed")
    if shutil.which("npm") is None:
        pytest.skip("npm, which fetches MathJax, is not installed")
    target = tmp_path_factory.mktemp("site") / "html"
    few = () if WHOLE else (*CHAPTERS, "--frames", "30")
    done = run(*few, "--to", str(target))
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"\n{done.stdout}")
    return target


class Page(HTMLParser):
    """What leads somewhere on a page, what can be led to, and its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids, self.links, self.headings, self.pictures = [], [], [], []
        self.above = [""]  # ids of the sections around
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "section":
            self.above.append(found.get("id"))
        if re.fullmatch("h[1-4]", tag) and len(self.above) > 1:
            self.headings.append(self.above[-1])
        if tag == "img":
            self.pictures.append(found)
        if found.get(LINKS.get(tag)):
            self.links.append(found[LINKS[tag]])

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self.above.pop()


@pytest.fixture(scope="session")
def pages(built) -> dict[str, Page]:
    every = sorted(built.rglob("*.html"))
    return {path.relative_to(built).as_posix(): Page(path) for path in every}


def chapters_of(pages) -> list[str]:
    return [name for name in pages if re.match(r"\d\d_", name)]


# ---------------------------------------------------------------- what is made


def test_links_lead_to_pages_and_to_places_in_them(built, pages):
    broken = []
    for name, page in pages.items():
        for link in page.links:
            target, _, place = link.partition("#")
            if re.match("https?:|mailto:|data:", link):
                continue
            path = (built / name).parent / target.partition("?")[0] if target else built / name
            if not path.is_file():
                broken.append((name, link))
            elif place and path.suffix == ".html":
                there = pages[Path(os.path.relpath(path, built)).as_posix()].ids
                broken += [(name, link)] * (place not in there)
    assert broken == []
    assert len(chapters_of(pages)) >= len(CHAPTERS)


def test_no_link_leads_to_a_notebook_and_none_is_printed_as_text(built, pages):
    for name in pages:
        text = (built / name).read_text(encoding="utf-8")
        prose = re.sub(r"<pre>.*?</pre>|<code.*?</code>", "", text, flags=re.DOTALL)
        assert not re.search(r"\.ipynb|IPY_MODEL|VBox\(children", prose), name


def test_headings_have_addresses_made_of_their_words(pages):
    for name, page in pages.items():
        assert not [place for place in page.headings if not place or re.match(r"id\d+$", place)]
        assert len(page.ids) == len(set(page.ids)), name


def test_every_picture_is_described(pages):
    for name, page in pages.items():
        for picture in page.pictures:
            assert len(picture.get("alt") or "") > 15, (name, picture.get("src"))


def test_each_exercise_leads_to_its_answer(pages):
    for name in chapters_of(pages):
        asked = [place for place in pages[name].ids if place.startswith("exercise-")]
        answers = [link for link in pages[name].links if "#answer-" in link]
        assert len(asked) >= 3
        assert [a.rpartition("#answer-")[2] for a in answers] == [a[9:] for a in asked], name


def test_the_start_page_asks_the_questions_of_all_chapters_by_part(built, pages):
    text = (built / "index.html").read_text(encoding="utf-8")
    for name in chapters_of(pages):
        path = ROOT / "notebooks" / name.replace(".html", ".ipynb")
        first = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].lstrip("# ")
        assert first in text.replace("’", "'"), first
    assert "Part 4 · AutoML: one search" in text


def test_the_first_mention_of_a_term_leads_to_the_glossary(pages):
    for name in chapters_of(pages):
        found = [link for link in pages[name].links if "glossary.html#term-" in link]
        assert len(found) == len(set(found))
        assert found or name.startswith("90")


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="session")
def address(built):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(built))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("no Chromium or Chrome is installed")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, address):
    """A new tab, with what went wrong in it: errors, and requests to elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    tab, wrong = context.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    # A page that wants another picture before the first has come aborts that request itself.
    tab.on(
        "requestfailed",
        lambda r: r.failure == "net::ERR_ABORTED" or wrong.append(f"failed: {r.url}: {r.failure}"),
    )
    tab.on(
        "request",
        lambda request: (
            request.url.startswith((address, "data:")) or wrong.append(f"elsewhere: {request.url}")
        ),
    )
    tab.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status}: {r.url}"))
    tab.wrong = wrong
    yield tab
    context.close()


LOADED = """
async () => {
  const all = [...document.querySelectorAll('article img')];
  for (const image of all) image.loading = 'eager';
  await Promise.all(all.map(image => image.decode().catch(() => null)));
  return all.filter(image => !image.hidden && !(image.naturalWidth > 0)).map(image => image.src);
}
"""


def move(tab, box) -> int:
    """Press keys on each control of an explorer; how many of them changed the picture."""
    changed = 0
    image, caption = box.locator("img"), box.locator("figcaption")
    for control in box.locator("input[type=range], select, input[type=radio]").all():
        before = image.get_attribute("src"), image.get_attribute("alt")
        control.focus()
        for key in ("ArrowRight", "ArrowLeft", "Home", "End"):
            tab.keyboard.press(key)
            now = image.get_attribute("src"), image.get_attribute("alt")
            assert caption.text_content() == now[1]
            if now[0] != before[0]:
                changed += 1
                break
        if control.get_attribute("type") == "range":
            assert (
                control.get_attribute("aria-valuetext")
                == box.locator(f'output[for="{control.get_attribute("id")}"]').text_content()
            )
    return changed


def test_every_page_loads_whole_from_one_machine_and_its_explorers_move(tab, address, pages):
    explorers = pictures = 0
    some = [name for name in pages if "/" not in name or ASKED]
    for name in some:
        tab.set_viewport_size({"width": 1280, "height": 720})
        tab.goto(f"{address}/{name}", wait_until="load")
        assert tab.evaluate(LOADED) == [], name
        pictures += tab.locator("article img").count()
        for box in tab.locator(".explorer").all():
            explorers += 1
            assert move(tab, box) > 0, (name, box.get_attribute("id"))
        tab.set_viewport_size({"width": 360, "height": 720})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, name
        assert tab.wrong == [], name
    print(f"\n{len(some)} pages, {explorers} explorers alive, {pictures} pictures described")
    assert explorers >= 2


def test_the_caption_is_that_of_the_chosen_position(tab, address):
    tab.goto(f"{address}/45_greedy_search_and_evolution.html")
    tab.get_by_label("strategy").select_option("evolution")
    for name in ("seed", "evaluations"):
        tab.get_by_label(name, exact=True).focus()
        tab.keyboard.press("End")
    caption = tab.locator(".explorer figcaption")
    assert re.search("evolution, seed 9.* 60 ", caption.text_content())
    assert tab.wrong == []


def test_formulas_are_set(tab, address):
    tab.goto(f"{address}/00_start_here.html")
    tab.locator("mjx-container").first.wait_for(timeout=20_000)
    assert tab.wrong == []


def test_the_search_finds_a_chapter(tab, address):
    tab.goto(f"{address}/search.html?q=greedy")
    tab.locator("ul.search a", has_text="45").first.wait_for(timeout=20_000)
    assert tab.wrong == []


def test_the_box_of_the_glossary_filters_its_list(tab, address):
    tab.goto(f"{address}/90_glossary_and_faq.html")
    rows = tab.locator("table").first.locator("tbody tr:visible")
    tab.locator("[data-lookup] input").fill("Re-parameterization")
    names = rows.locator("td:first-child").all_text_contents()
    assert len(names) < 10 and any(name.startswith("reparameterisation") for name in names)
    tab.locator("[data-lookup] input").fill("搜索")
    assert rows.count() > 0


def test_axe_finds_no_serious_violation_in_light_or_dark(tab, address, pages):
    fetched = (ROOT / "cache" / "site").glob("npm-*/node_modules/axe-core/axe.min.js")
    if (axe := next(fetched, None)) is None:
        pytest.skip("axe-core, which site/build.py fetches, is not in cache/site")
    found = []
    for name in ["index.html", *chapters_of(pages)][: None if ASKED else 4]:
        tab.goto(f"{address}/{name}", wait_until="load")
        tab.add_script_tag(path=axe)
        tab.add_style_tag(content="* { transition: none !important; }")  # no colours in between
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            tab.locator(f"html[data-theme={theme}]").wait_for(state="attached")
            result = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                (name, theme, one["id"], one["nodes"][0]["html"][:120], len(one["nodes"]))
                for one in result["violations"]
                if one["impact"] in ("serious", "critical")
            ]
    assert found == []


# ---------------------------------------------------------------- drawing ahead


def axes_of(**controls):
    return [module("drawn").axis(name, control) for name, control in controls.items()]


@pytest.mark.parametrize(
    ("control", "values", "start"),
    [
        (ipywidgets.IntSlider(3, min=1, max=9, step=2), [1, 3, 5, 7, 9], 1),
        (ipywidgets.FloatSlider(0.3, min=0, max=0.5, step=0.1), [0, 0.1, 0.2, 0.3, 0.4, 0.5], 3),
        (ipywidgets.FloatLogSlider(2, base=2, min=-1, max=2, step=1), [0.5, 1, 2, 4], 2),
        (ipywidgets.SelectionSlider(options=[("a", 10), ("b", 20)], value=20), [10, 20], 1),
        (ipywidgets.Dropdown(options=["x", "y", "z"], value="y"), ["x", "y", "z"], 1),
        (ipywidgets.Checkbox(True), [False, True], 1),
        (ipywidgets.Text("caroline"), ["caroline"], 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_positions_are_those_of_the_control(control, values, start):
    (axis,) = axes_of(control=control)
    assert axis.values == pytest.approx(values) if isinstance(values[0], float) else values
    assert axis.start == start and axis.values[start] == control.value


def test_a_grid_is_thinned_around_its_start_and_keeps_ends_and_names():
    axes = axes_of(
        kind=ipywidgets.Dropdown(options=list("abcde")),
        many=ipywidgets.IntSlider(31, min=0, max=100),
        few=ipywidgets.IntSlider(2, min=0, max=9),
    )
    module("drawn").thin(axes, 100)
    kind, many, few = (axis.positions() for axis in axes)
    assert len(kind) * len(many) * len(few) <= 100
    assert kind == [0, 1, 2, 3, 4]
    assert {0, 31, 100} <= set(many) and {0, 2, 9} <= set(few)
    inner = [b - a for a, b in itertools.pairwise(many[1:-1])]
    assert len(set(inner)) == 1  # even steps
    with pytest.raises(ValueError, match="an explorer needs at least 45 pictures, got at most 44"):
        module("drawn").thin(axes, 44)


def line(height, colour):
    if height == 3:
        raise ValueError("height must not be 3")
    fig, ax = figures.subplots(alt=f"a {colour} line at {height}")
    ax.plot([0, 1], [height, height], color=colour)
    ax.set(ylim=(0, 9))
    return fig


def test_each_picture_is_drawn_at_its_own_position(tmp_path):
    controls = {
        "height": ipywidgets.IntSlider(5, min=0, max=8),
        "colour": ipywidgets.Dropdown(options=["red", "blue"]),
    }
    found = module("drawn").draw_ahead(line, controls, tmp_path, most=10)
    texts = [control["texts"] for control in found["controls"]]
    assert [control["of"] for control in found["controls"]] == [9, 2]
    assert len(found["frames"]) == len(texts[0]) * 2 <= 10
    for (height, colour), frame in zip(itertools.product(*texts), found["frames"], strict=True):
        if height == "3":
            assert frame == {"file": None, "alt": "ValueError: height must not be 3"}
            continue
        assert frame["alt"] == f"a {colour} line at {height}"
        alone = module("drawn").Sketchbook(line, list(controls), tmp_path / "alone")
        assert alone.frame((int(height), colour))["file"] == frame["file"]
    files = {frame["file"] for frame in found["frames"]} - {None}
    assert len(files) == len([f for f in found["frames"] if f["file"]])
    assert max((tmp_path / name).stat().st_size for name in files) < 10_000


def test_a_page_says_what_is_drawn_and_what_cannot_be():
    frames = [{"file": f"{k}.png", "alt": f"picture <{k}>"} for k in range(2)]
    word = {"label": "from", "kind": "fixed", "texts": ["caroline"], "start": 0, "of": 1}
    step = {"label": "step", "kind": "range", "texts": ["0", "20"], "start": 1, "of": 21}
    plan = {"controls": [word, step], "frames": frames, "size": {"width": 9, "height": 9}}
    text = module("explorers").explorer(plan, "explorer-32-1", "")
    assert "from: <strong>caroline</strong>. Here only this value is drawn ahead" in text
    assert "2 of 21 positions" in text and "step (2 of 21): 0, 20" in text
    assert 'src="frames/1.png" alt="picture &lt;1&gt;"' in text


# ---------------------------------------------------------------- what goes wrong


@pytest.fixture
def refused(monkeypatch):
    """What the command says when it refuses."""
    pytest.importorskip("sphinx_book_theme", reason="site/requirements.txt is not installed")
    pytest.importorskip("myst_nb", reason="site/requirements.txt is not installed")
    monkeypatch.syspath_prepend(str(ROOT / "data" / "recipes"))
    build = module("build")

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["build.py", *arguments])
        with pytest.raises(SystemExit) as refusal:
            build.main()
        return str(refusal.value)

    return call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["99"], "chapter must be one of 00, 11"),
        (["00", "--frames", "0"], "--frames must be at least 1, got 0"),
        (["00", "--to", "full"], "folder must be new or empty"),
        (["00", "--to", "nowhere/site"], "folder must be one that can be written"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(
    refused, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    assert said in refused(*arguments, "--cache", "cache")
    assert sorted(path.as_posix() for path in Path().rglob("*")) == ["full", "full/mine.txt"]


def test_without_npm_or_a_network_there_is_a_clear_error_and_no_site(
    refused, tmp_path, monkeypatch
):
    asked = ("00", "--to", str(tmp_path / "site"), "--cache", str(tmp_path / "cache"))
    if shutil.which("npm"):
        monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        assert "npm could not fetch MathJax (is there a network?)" in refused(*asked)
    monkeypatch.setenv("PATH", "/nowhere")
    assert "npm is needed, once, to fetch MathJax" in refused(*asked)
    assert not (tmp_path / "site").exists() and not list(tmp_path.rglob("node_modules"))


def test_a_chapter_that_fails_leaves_no_pictures(refused, tmp_path):
    kernels = module("kernels")
    path = ROOT / "notebooks" / "45_greedy_search_and_evolution.ipynb"
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = "1 / 0"
    nbformat.write(notebook, tmp_path / path.name)
    with pytest.raises(RuntimeError, match=r"could not be drawn ahead(.|\n)*ZeroDivisionError"):
        kernels.draw(tmp_path / path.name, tmp_path / "drawn" / "45", 30)
    assert list((tmp_path / "drawn").iterdir()) == []
