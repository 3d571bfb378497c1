"""Turns a committed notebook, or a Markdown file, into a page of the site."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
import os
from pathlib import Path
import re

import drawn
import explorers
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from run_notebooks import VIEW
import saved

from classroom.chapters import CHECK, ROOT, read, solutions

ASKED = re.compile(r"^(?:#+ |\*\*)(\d\d\.\d+)\b", re.MULTILINE)  # an exercise, or its answer
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")
PART = re.compile(r"^\| \*\*(\d)\*\* \| \*\*(.+?)\*\* \|", re.MULTILINE)  # in README's table


@dataclass
class Site:
    """What is on the site, and where pictures go."""

    pages: Mapping[Path, str]  # file of the repository -> name of its page, without ".html"
    frames: Path
    pictures: Path
    explorers: list[str] = field(default_factory=list)  # "25-1", as they are met


def parts() -> dict[str, str]:
    """Names of the parts, by their digit, as README lists them."""
    return dict(PART.findall((ROOT / "README.md").read_text(encoding="utf-8")))


def question(path: Path) -> str:
    """A chapter's first line: the question that it asks."""
    first = read(path).cells[0].source.splitlines()[0]
    return first.lstrip("# ")


def linked(text: str, path: Path, pages: Mapping[Path, str]) -> str:
    """Links between files of the repository as links between pages.

    What is no page of this site, because it was not asked for or never is, keeps its words only.
    """

    def replace(found: re.Match) -> str:
        words, (target, sign, anchor) = found[1], found[2].partition("#")
        page = pages.get((path.parent / target).resolve())
        if page is None:
            return words
        here = Path(pages[path]).parent
        way = Path(os.path.relpath(page, here)).as_posix()
        return f"[{words}]({way}{Path(target).suffix}{sign}{anchor})"

    return LINK.sub(replace, text)


def chapter(path: Path, drawings: Mapping[str, Sequence], site: Site) -> nbformat.NotebookNode:
    """The page of a chapter or of its solutions, as a notebook that needs no kernel.

    Args:
        path: the committed notebook.
        drawings: cell id -> its explorers in order, as `drawn.draw_ahead` describes them.
        site: what else there is.
    """
    notebook = read(path)
    page = Page(path, saved.Saved(notebook), drawings, site)
    cells = list(page.cells(notebook.cells))
    title, sign, rest = cells[0].source.partition("\n")
    if not page.is_solution:
        title = f"# {path.name[:2]} · {title.lstrip('# ')}"
    cells[0].source = title + sign + rest
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass
class Page:
    """One notebook on its way to the site."""

    path: Path
    widgets: saved.Saved
    drawings: Mapping[str, Sequence]
    site: Site
    pictures: int = 0
    explorers: int = 0

    def __post_init__(self) -> None:
        self.is_solution = self.path.parent.name == "solutions"
        self.root = "../" if self.is_solution else ""
        self.number = self.path.name[:2]
        self.is_solved = solutions(self.path) in self.site.pages

    def cells(self, cells: Sequence) -> Iterator[nbformat.NotebookNode]:
        """All cells of the page: those of the notebook, with what is printed between them."""
        for cell in cells:
            if cell.cell_type == "markdown":
                yield new_markdown_cell(self._marked(cell.source), metadata=cell.metadata)
            else:
                yield from self._code(cell)

    def _marked(self, text: str) -> str:
        """Links that lead to pages, and an address for each exercise or its answer."""
        kind = "answer" if self.is_solution else "exercise"

        def mark(found: re.Match) -> str:
            return f"({kind}-{found[1].replace('.', '-')})=\n{found[0]}"

        return ASKED.sub(mark, linked(text, self.path, self.site.pages))

    def _code(self, cell: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
        """A code cell; Markdown that it printed follows it as text of the page."""
        drawings = iter(self.drawings.get(cell.id, ()))
        shown = new_code_cell(cell.source, metadata=cell.metadata)
        shown.execution_count = cell.execution_count
        for output in cell.outputs:
            if "text/markdown" not in output.get("data", {}):
                shown.outputs += self._output(output, drawings)
                continue
            if shown.source or shown.outputs:
                yield shown
            printed = output.data["text/markdown"]
            yield new_markdown_cell(linked(printed, self.path, self.site.pages))
            shown = new_code_cell("", metadata={"tags": ["remove-input"]})
        if shown.source or shown.outputs:
            yield shown
        for number in CHECK.findall(cell.source):
            place = number.replace(".", "-")
            if self.is_solution:
                yield new_markdown_cell(f"[Back to exercise {number}](#exercise-{place})")
            elif self.is_solved:
                yield new_markdown_cell(f"[Worked answer to {number}](#answer-{place})")

    def _output(self, output: nbformat.NotebookNode, drawings: Iterator) -> list:
        """One output of a cell, for a page: pictures with their description, living explorers."""
        data = output.get("data", {})
        if VIEW in data:
            return self._widget(data[VIEW]["model_id"], drawings)
        if "image/png" in data:
            return [_html(self._picture(data["image/png"], output.metadata["image/png"]))]
        says_nothing = "text/html" in data and not saved.TAG.sub("", data["text/html"]).strip()
        return [] if says_nothing else [output]

    def _picture(self, data: str, look: Mapping) -> str:
        name = drawn.keep(base64.b64decode(data), self.site.pictures)
        self.pictures += 1
        return explorers.picture(f"{self.root}pictures/{name}", look["alt"], look)

    def _widget(self, name: str, drawings: Iterator) -> list:
        kind = self.widgets.kind(name)
        if kind in ("progress", "output"):
            said = self.widgets.progress if kind == "progress" else self.widgets.printed
            return [new_output("stream", name="stdout", text=said(name).rstrip() + "\n")]
        if kind == "lookup":
            return [_html(explorers.LOOKUP)]
        if kind == "other":
            return [_html(f'<p class="explorer-note">{explorers.ASIDE}</p>')]
        grid = kind == "grid"
        plan = self.widgets.grid(name, self.site.frames) if grid else next(drawings)
        self.explorers += 1
        name = f"explorer-{self.number}-{self.explorers}"
        self.site.explorers.append(name)
        return [_html(explorers.explorer(plan, name, self.root))]


def _html(text: str) -> nbformat.NotebookNode:
    return new_output("display_data", data={"text/html": text})


def needs_drawing(path: Path) -> list[str]:
    """Ids of the cells whose explorers a kernel has to draw."""
    notebook = read(path)
    widgets = saved.Saved(notebook)
    views = [
        (cell.id, output.data[VIEW]["model_id"])
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if VIEW in output.get("data", {})
    ]
    return [cell for cell, name in views if widgets.kind(name) == "explore"]
