"""Make slides of chapters, to be shown in a browser without a network.

    python classroom/slides.py 25 --to FOLDER
    python classroom/slides.py 11 21 25 --to FOLDER

FOLDER then holds 25_beta.html, and all that it loads: copy it as it is, open the page. Right and
left arrow walk through it, S opens the speaker's notes, O shows all slides, and with ?print-pdf
after the address the browser prints a handout, with what was found. Which parts of a chapter
become slides: deck.py.

reveal.js and MathJax come from npm the first time, and are kept in cache/slides.
"""

import argparse
from collections.abc import Sequence
import html
from pathlib import Path
import re
import shutil
import string

from chapters import ROOT, chapters, from_npm, new_folder, read
from deck import page, slides

TEMPLATE = Path(__file__).with_name("slides.html")
CACHE = ROOT / "cache" / "slides"
LOADED = (
    "reveal.js/dist/reset.css",
    "reveal.js/dist/reveal.css",
    "reveal.js/dist/reveal.js",
    "reveal.js/dist/plugin/notes.js",
    "mathjax/es5/tex-svg-full.js",  # all in one file: nothing is looked for later
)


def assets(cache: Path = CACHE) -> list[Path]:
    """The files that the page loads, from npm when they are not in the cache.

    Raises:
        SystemExit: there is no npm, or it cannot fetch them.
    """
    try:
        modules = from_npm(TEMPLATE.parent, cache, "reveal.js")
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    return [modules / name for name in LOADED]


def deck_of(chapter: Path) -> str:
    """The page of one chapter's slides."""
    deck = slides(read(chapter))
    title = re.sub("<[^>]+>", "", deck[0].title)
    parts = {"title": html.escape(title, quote=False), "slides": "\n".join(page(deck))}
    return string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts)


def write(paths: Sequence[Path], folder: Path) -> None:
    """Pages for some chapters, and beside them what they load."""
    files = assets()
    (folder / "assets").mkdir()
    for file in files:
        shutil.copy(file, folder / "assets")
    for path in paths:
        text = deck_of(path)
        (folder / f"{path.stem}.html").write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.stem}: {text.count('<section ')} slides, {len(text) / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="+", help="numbers, such as 25, or names")
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new, or empty")
    given = parser.parse_args()
    try:
        paths = chapters(given.chapters)
        with new_folder(given.to) as folder:
            write(paths, folder)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
