"""Build the reading site: the course for who has a browser and no Python.

    python site/build.py                      # all chapters, into cache/site/html
    python site/build.py 11 25 --to FOLDER    # some of them, into a new or an empty folder
    python site/build.py 25 --frames 20       # a draft: fewer pictures for each explorer

From the committed notebooks, with the packages of site/requirements.txt and, once, npm for what the
pages load (site/package.json). Chapters with explorers run as far as their last explorer, in two
processes at most, and all its pictures are drawn; cache/site keeps these until the chapter's code
changes. The pages ask no other machine for anything, and can be opened as files.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import sys
import time

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = ROOT / "cache" / "site"

sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "data" / "recipes")]
try:
    from drawn import MOST_FRAMES
    import kernels
    import myst_nb  # noqa: F401
    import sphinx  # noqa: F401
    import sphinx_book_theme  # noqa: F401
    import sphinxed

    from classroom.chapters import chapters, from_npm, new_folder
except ImportError as error:
    raise SystemExit(
        f"the site needs {error.name}, which is not installed: "
        "pip install -r requirements.txt -r site/requirements.txt"
    ) from error


@contextmanager
def destination(target: Path | None, cache: Path) -> Iterator[Path]:
    """A folder to write into, which becomes the target when all is well.

    The folder of the cache, which is taken if no other is named, may be written again.

    Raises:
        ValueError: the target holds something, or cannot be written.
    """
    if target is not None:
        with new_folder(target) as new:
            yield new
        return
    cache.mkdir(parents=True, exist_ok=True)
    fresh, last = cache / "html.new", cache / "html"
    shutil.rmtree(fresh, ignore_errors=True)
    with new_folder(fresh) as new:
        yield new
    shutil.rmtree(last, ignore_errors=True)
    os.replace(fresh, last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="25, or 25_beta; else all")
    parser.add_argument("--to", type=Path, help="a new or an empty folder; else cache/site/html")
    parser.add_argument("--frames", type=int, default=MOST_FRAMES, help="at most, an explorer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps what is drawn and fetched")
    given = parser.parse_args()
    start, cache = time.perf_counter(), given.cache.resolve()
    if given.frames < 1:
        raise SystemExit(f"--frames must be at least 1, got {given.frames}")
    try:
        chosen = sorted(chapters(given.chapters))
        with destination(given.to, cache) as new:
            modules = from_npm(HERE, cache, "MathJax")
            drawings = kernels.draw_all(chosen, cache, given.frames)
            found = sphinxed.write(chosen, drawings, modules / "mathjax", new)
    except (ValueError, RuntimeError) as error:
        raise SystemExit(str(error)) from None
    folder = given.to or cache / "html"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    counts = ", ".join(f"{number} {name}" for name, number in found.items())
    seconds = time.perf_counter() - start
    print(f"{counts}, {size / 1e6:.1f} MB, in {seconds:.0f} s: open {folder / 'index.html'}")


if __name__ == "__main__":
    main()
