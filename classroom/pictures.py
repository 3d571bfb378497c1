"""Write the figures of chapters as files, for slides and handouts of your own.

    python classroom/pictures.py 25 --to FOLDER --svg
    python classroom/pictures.py 25 41 --to FOLDER --dpi 200

Each chapter is executed in a fresh kernel, which takes as long as the README says, and every figure
that it shows is drawn again for print: 25_beta_1.svg, 25_beta_2.svg and so on. Beside them,
25_beta.txt says of each figure what is to be seen. (Pictures that a slider draws are not written.)
"""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path

from chapters import chapters, new_folder, read
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
import nbformat

DPI = range(50, 601)

# It runs in the kernel, before the chapter: whatever shows a figure writes it, too.
SAVE = """
def _save_figures(stem, suffix, dpi):
    from pathlib import Path

    from helpers.figures import AltFigure
    from matplotlib import rc_context

    show, said = AltFigure._ipython_display_, []

    def save_and_show(figure):
        show(figure)
        said.append(" ".join(figure.alt.split()))
        # without its date, and with ids that do not change, the same figure is the same file
        about = {{"Date": None, "Description": figure.alt}} if suffix == "svg" else {{}}
        with rc_context({{"svg.hashsalt": "figure"}}):
            figure.savefig(f"{{stem}}_{{len(said)}}.{{suffix}}", dpi=dpi, metadata=about)
        lines = (f"{{number}}. {{alt}}" for number, alt in enumerate(said, 1))
        Path(f"{{stem}}.txt").write_text("\\n".join(lines) + "\\n", encoding="utf-8")

    AltFigure._ipython_display_ = save_and_show


_save_figures({stem!r}, {suffix!r}, {dpi!r})
del _save_figures
"""


def write(chapter: Path, folder: Path, suffix: str, dpi: int) -> int:
    """Execute a chapter, and write its figures; how many there are.

    Raises:
        CellExecutionError, DeadKernelError: it does not run here.
    """
    notebook = read(chapter)
    notebook.metadata.pop("widgets", None)
    source = SAVE.format(stem=str(folder / chapter.stem), suffix=suffix, dpi=dpi)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    client = NotebookClient(
        notebook,
        timeout=1800,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    client.execute(env=os.environ | {"COURSE_BUDGET": os.environ.get("COURSE_BUDGET", "quick")})
    return len(list(folder.glob(f"{chapter.stem}_*.{suffix}")))


def write_all(paths: Sequence[Path], folder: Path, suffix: str, dpi: int) -> None:
    """The figures of some chapters, with a line for each chapter.

    Raises:
        SystemExit: a chapter does not run here.
    """
    for path in paths:
        try:
            count = write(path, folder, suffix, dpi)
        except (CellExecutionError, DeadKernelError) as error:
            why = str(error).strip().splitlines()[-1]
            raise SystemExit(f"{path.stem} does not run here, nothing is written: {why}") from error
        print(f"{path.stem}: {count} figures", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="+", help="numbers, such as 25, or names")
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new, or empty")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--svg", action="store_true", help="lines and letters, sharp at any size")
    form.add_argument("--dpi", type=int, default=200, help="dots per inch of a PNG (200)")
    given = parser.parse_args()
    try:
        if given.dpi not in DPI:
            raise ValueError(f"dpi must be from {DPI[0]} to {DPI[-1]}, got {given.dpi}")
        paths = chapters(given.chapters)
        with new_folder(given.to) as folder:
            write_all(paths, folder, "svg" if given.svg else "png", given.dpi)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
