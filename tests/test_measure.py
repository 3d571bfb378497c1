"""Each chapter can be finished in an evening: its length, its predictions, what it hides.

python tests/test_measure.py    # the table of all chapters
"""

from collections import Counter
from pathlib import Path
import re

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PREDICT, INTERPRET, LETTER = "**Predict.**", "**Interpret.**", r"\*\*Interpret\.\*\* \(([abcd])\)"
TIME = r"about (\d+) minutes to read and try"

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells_of(path: Path) -> list:
    return nbformat.read(path, as_version=4).cells


def words(cells) -> int:
    """Words of prose; formulas, link targets and HTML tags are not counted."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|(?<=\])\([^)]*\)|<[^>]+>", "", text, flags=re.DOTALL)
    return len(re.findall(r"[^\W_][\w'’.,-]*", text))


def lines(cell) -> int:
    rows = [row.strip() for row in cell.source.splitlines()]
    return sum(bool(row) and not row.startswith("#") for row in rows)


def is_hidden(cell) -> bool:
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def measure(path: Path) -> dict[str, int]:
    cells = cells_of(path)
    code = [cell for cell in cells if cell.cell_type == "code"]
    visible = [cell for cell in code if not is_hidden(cell)]
    exercises = {n for cell in code for n in re.findall(r'check\(\s*"([\d.]+)"', cell.source)}
    minutes = words(cells) / 150 + 1.25 * len(visible) + 0.25 * (len(code) - len(visible))
    return {
        "cells": len(cells),
        "words": words(cells),
        "visible lines": sum(map(lines, visible)),
        "hidden lines": sum(map(lines, code)) - sum(map(lines, visible)),
        "longest visible cell": max(map(lines, visible)),
        "figures": sum("image/png" in o.get("data", {}) for c in code for o in c.outputs),
        "minutes": 5 * round((minutes + 3 * len(exercises)) / 5),
    }


MOST = {"cells": 40, "words": 2200, "visible lines": 220, "longest visible cell": 25}
MOST |= {"figures": 6, "minutes": 60}


@each_chapter
def test_can_be_finished_in_an_evening(path):
    found = measure(path)
    assert {name: found[name] for name in MOST if found[name] > MOST[name]} == {}
    said = re.search(TIME, cells_of(path)[0].source)
    assert said and int(said[1]) == found["minutes"], f"the formula gives {found['minutes']}"


def predictions(path: Path) -> list[str]:
    """The right letter of each prediction, as the next Interpret says it; ? where it says none."""
    found, cells = [], cells_of(path)
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and PREDICT in cell.source:
            after = (c.source for c in cells[place + 1 :] if c.source.startswith(INTERPRET))
            letter = re.match(LETTER, next(after, ""))
            found.append(letter[1] if letter else "?")
    return found


@each_chapter
def test_each_prediction_has_options_and_a_letter_that_is_right(path):
    for cell in cells_of(path):
        if cell.cell_type == "markdown" and PREDICT in cell.source:
            asked = cell.source.partition(PREDICT)[2]
            assert "(a)" in asked and "(b)" in asked, asked
            assert INTERPRET not in cell.source
    assert "?" not in predictions(path)


@each_chapter
def test_interpretations_stand_alone_and_can_be_hidden(path):
    for cell in cells_of(path):
        tagged = "interpret" in cell.metadata.get("tags", [])
        assert tagged == (INTERPRET in cell.source), cell.source[:60]
        if tagged:
            assert cell.source.startswith(INTERPRET) and not re.search(r"^#", cell.source, re.M)


@each_chapter
def test_hidden_cells_are_folded_in_jupyterlab_and_on_a_page(path):
    for cell in cells_of(path):
        assert is_hidden(cell) == ("hide-input" in cell.metadata.get("tags", [])), cell.id


@each_chapter
def test_each_exercise_has_a_name_of_its_own(path):
    source = "\n".join(cell.source for cell in cells_of(path) if cell.cell_type == "code")
    names = re.findall(r'check\(\s*"[\d.]+",\s*(\w+)', source)
    assert len(names) >= 3 and len(set(names)) == len(names), names


def test_no_letter_is_right_too_often():
    solutions = [p.parent / "solutions" / f"{p.stem}_solutions.ipynb" for p in CHAPTERS]
    code = "\n".join(cell.source for p in solutions for cell in cells_of(p))
    exercises = re.findall(r'^\w+ = "([abcd])"$', code, re.MULTILINE)
    right = Counter([*exercises, *(letter for path in CHAPTERS for letter in predictions(path))])
    for letter in "abc":
        assert 0.20 <= right[letter] / right.total() <= 0.45, right


if __name__ == "__main__":
    for path in CHAPTERS:
        print(f"{path.stem:32}", *(f"{name} {n:4}" for name, n in measure(path).items()))
        print(" " * 32, "right:", *predictions(path))
