"""Writes the sources of all pages to a temporary folder, and has Sphinx make the site of them."""

from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile

import contents
import nbformat
import pages

from classroom.chapters import ROOT, solutions

HERE = Path(__file__).resolve().parent
MATHJAX = ("tex-chtml.js", "input/tex", "output/chtml", "a11y", "sre", "ui")  # of its es5 folder
GUIDE = ROOT / "classroom" / "guide"


def page_names(chapters: Sequence[Path]) -> dict[Path, str]:
    """File of the repository -> its page: chapters, their solutions, and the guide for teachers."""
    found = {path: path.stem for path in chapters}
    found |= {path: f"solutions/{path.stem}" for path in map(solutions, chapters) if path.exists()}
    guide = [path for path in GUIDE.glob("*.md") if path.stat().st_size]
    guide.sort(key=lambda path: (path.stem != "index", path.stem))
    return found | {path: f"guide/{path.stem}" for path in guide}


def write(
    chapters: Sequence[Path], drawings: Mapping[Path, Path], mathjax: Path, target: Path
) -> dict[str, int]:
    """Make the site of some chapters.

    Args:
        chapters: the notebooks, in order.
        drawings: chapter -> the folder of its drawn explorers.
        mathjax: the folder of the package.
        target: an empty folder.

    Returns:
        What is on the site: {"pages": number, "explorers": number}.

    Raises:
        RuntimeError: Sphinx warns or fails.
    """
    site = pages.Site(page_names(chapters), target / "frames", target / "pictures")
    with tempfile.TemporaryDirectory() as sources:
        _sources(chapters, drawings, site, Path(sources) / "pages")
        made = Path(sources) / "html"  # not yet the target: myst-nb leaves a folder beside it
        _sphinx(Path(sources) / "pages", made)
        _copy(made, target)
    for name in MATHJAX:
        _copy(mathjax / "es5" / name, target / "_static" / "mathjax" / name)
    for left in (".buildinfo", "objects.inv", "_static/*.html"):  # of Sphinx and of the theme
        for file in target.glob(left):
            file.unlink()
    return {"pages": len(list(target.rglob("*.html"))), "explorers": len(site.explorers)}


def _sources(chapters, drawings, site: pages.Site, sources: Path) -> None:
    """All pages as Sphinx reads them, with its settings and our scripts and styles."""
    for folder in ("solutions", "guide"):
        (sources / folder).mkdir(parents=True)
    for path, name in site.pages.items():
        if path.suffix == ".md":
            text = pages.linked(path.read_text(encoding="utf-8"), path, site.pages)
            (sources / f"{name}.md").write_text(text, encoding="utf-8")
            continue
        drawn = {}
        if path in drawings:
            drawn = json.loads((drawings[path] / "explorers.json").read_text(encoding="utf-8"))
            _copy(drawings[path] / "frames", site.frames)
        nbformat.write(pages.chapter(path, drawn, site), sources / f"{name}.ipynb")
    solved = [path for path in site.pages if path.parent.name == "solutions"]
    guide = [name for path, name in site.pages.items() if path.suffix == ".md"]
    entries = contents.glossary()
    start = contents.start_page(chapters, guide, bool(solved))
    (sources / "index.md").write_text(start, encoding="utf-8")
    (sources / "glossary.md").write_text(
        contents.glossary_page(entries, chapters), encoding="utf-8"
    )
    if solved:
        text = contents.solutions_page(solved)
        (sources / "solutions" / "index.md").write_text(text, encoding="utf-8")
    _copy(HERE / "static", sources / "static")
    _copy(HERE / "glossary_links.py", sources / "glossary_links.py")
    settings = (HERE / "conf.py").read_text(encoding="utf-8")
    settings += f"\nglossary_terms = {contents.terms(entries)!r}\n"
    settings += f"glossary_without = {contents.NO_GLOSSARY_LINKS!r}\n"
    (sources / "conf.py").write_text(settings, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    """A file, or a folder with all that is in it."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _sphinx(sources: Path, target: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-j", "2"]
    environment = os.environ | {"PYTHONPATH": str(sources), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    run = subprocess.run(
        [*command, "-d", str(sources.parent / "doctrees"), str(sources), str(target)],
        capture_output=True,
        text=True,
        env=environment,
    )
    if run.returncode:
        said = run.stderr.replace(f"{sources}{os.sep}", "").strip()
        raise RuntimeError(f"Sphinx could not make the site:\n{said}")
