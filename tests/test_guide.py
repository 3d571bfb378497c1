"""The teaching guide has what a lecturer needs of every chapter, and tells of it as it is now.

One file for each part, one section for each chapter, six paragraphs in a section:

    ## 25 What does β buy?

    **The point.** ... **Minutes.** (a table: section | lecture | lab) **Misconceptions.** (bullets)
    **Show.** ... **Set.** ... **Careful.** ...

A section is measured without its table. python tests/test_guide.py prints words and minutes.
"""

from functools import cache
import json
from pathlib import Path
import re

import pytest
import test_measure

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "classroom" / "guide"
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
HEADINGS = ("The point", "Minutes", "Misconceptions", "Show", "Set", "Careful")
MOST_WORDS = 450
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")

cells_of = cache(test_measure.cells_of)

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def part_of(chapter: Path) -> Path:
    """The guide's file; 00 stands before Part 1."""
    return GUIDE / f"part-{max(1, int(chapter.stem[0]))}.md"


@cache
def sections(part: Path) -> dict[str, str]:
    """Heading -> text, of a file of the guide."""
    texts = re.split(r"^## ", part.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {text.partition("\n")[0].strip(): text.partition("\n")[2] for text in texts}


def section(chapter: Path) -> str:
    """The text of a chapter's section, whose heading is the chapter's number and question."""
    question = cells_of(chapter)[0].source.splitlines()[0].lstrip("# ")
    part, heading = part_of(chapter), f"{chapter.stem[:2]} {question}"
    assert part.exists(), f"{part.name} is missing"
    found = sections(part)
    assert heading in found, f"no section {heading!r} in {part.name}, but {list(found)}"
    return found[heading]


def paragraphs(text: str) -> dict[str, str]:
    """What stands under each bold heading that begins a line, in their order."""
    texts = re.split(r"^\*\*([A-Z][\w ]*)\.\*\*", text, flags=re.MULTILINE)
    return dict(zip(texts[1::2], texts[2::2], strict=True))


def words(text: str) -> int:
    """Words without tables, formulas and the targets of links."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    text = re.sub(r"\$[^$]*\$|(?<=\])\([^)]*\)", "", text)
    return len(re.findall(r"[^\W_][\w'’.,-]*", text))


def minutes(text: str) -> tuple[list[int], list[int]]:
    """The sums of the columns lecture and lab, and what the last row says of them."""
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip(" *") for cell in row] for row in rows]
    assert [cell.lower() for cell in rows[0]] == ["section", "lecture", "lab"], rows[0]
    *body, last = rows[2:]
    assert last[0] == "sum", last
    columns = [[int(row[k]) if row[k] else 0 for row in body] for k in (1, 2)]
    return [sum(column) for column in columns], [int(cell) for cell in last[1:]]


@cache
def numbers(chapter: Path) -> tuple[float, ...]:
    """All that a chapter says or prints, and its solutions, as numbers and as percentages."""
    worked = chapter.parent / "solutions" / f"{chapter.stem}_solutions.ipynb"
    said = []
    for path in (chapter, worked):
        for cell in cells_of(path) if path.exists() else []:
            said.append(cell.source)
            for output in cell.get("outputs", []):
                data = {k: v for k, v in output.get("data", {}).items() if k.startswith("text")}
                said += [output.get("text", ""), json.dumps(data, ensure_ascii=False)]
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", "\n".join(said).replace("{,}", ""))
    found = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text) if len(number) < 12}
    return tuple(found | {100 * number for number in found})


@each_chapter
def test_a_section_has_its_six_headings_and_is_short(path):
    text = section(path)
    found = paragraphs(text)
    assert tuple(found) == HEADINGS
    assert all(part.strip() for part in found.values())
    assert words(text) <= MOST_WORDS, f"{words(text)} words"


@each_chapter
def test_minutes_sum_to_those_of_the_chapter(path):
    sums, said = minutes(paragraphs(section(path))["Minutes"])
    assert sums == said
    in_the_chapter = re.search(test_measure.TIME, cells_of(path)[0].source)
    assert sums[1] == int(in_the_chapter[1]), "the lab's minutes are those of the first cell"
    assert 0 < sums[0] <= 90, "a lecture has 90 minutes"


@each_chapter
def test_each_misconception_has_a_question_that_reveals_it(path):
    found = re.split(r"^[-*] ", paragraphs(section(path))["Misconceptions"], flags=re.MULTILINE)
    assert 3 <= len(found[1:]) <= 5
    assert [text for text in found[1:] if "?" not in text] == []


@each_chapter
def test_exercises_that_are_set_exist(path):
    named = set(re.findall(rf"\b{path.stem[:2]}\.\d+\b", paragraphs(section(path))["Set"]))
    code = "\n".join(c.source for c in cells_of(path) if c.cell_type == "code")
    there = set(re.findall(r'check\(\s*"([\d.]+)"', code))
    assert named and named <= there


@each_chapter
def test_numbers_are_those_of_the_chapter(path):
    """Where the guide tells what the chapter shows; questions to the room may bring their own."""
    found = paragraphs(section(path))
    told = LINK.sub("", "\n".join(found[name] for name in ("The point", "Show", "Careful")))
    unknown = []
    for text in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", told):
        last_place = 10 ** -len(text.partition(".")[2])
        if not any(abs(float(text) - n) <= 0.51 * last_place for n in numbers(path)):
            unknown.append(text)
    assert unknown == []


def test_no_section_is_of_no_chapter():
    for part in GUIDE.glob("part-*.md"):
        of_part = [path.stem[:2] for path in CHAPTERS if part_of(path) == part]
        assert [heading[:2] for heading in sections(part)] == of_part, part.name


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    files = [target.partition("#")[0] for target in targets]
    assert [name for name in files if name and not (page.parent / name).exists()] == []


def test_a_lecture_and_its_exercise_hour_have_90_minutes_each():
    text = (GUIDE / "lecture.md").read_text("utf-8")
    for name in ("The lecture", "The exercise hour"):
        rows = re.split(rf"^## {name}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]
        assert sum(map(int, re.findall(r"^\| (\d+) \|", rows, re.MULTILINE))) == 90, name
        assert "| **90** |" in rows


def test_every_question_of_an_exam_is_listed_with_a_chapter():
    text = (GUIDE / "exams.md").read_text("utf-8")
    table = text.partition("\n## Questions by chapter")[2].partition("\n## ")[0]
    rows = re.findall(r"\b(\d\d) \| ([\d., ]+) \|", table)
    listed = sorted(number for _, numbers in rows for number in numbers.split(", "))
    asked = re.findall(r"^\*\*(\d\.\d+)\*\* \(\d", text, re.MULTILINE)
    assert listed == sorted(asked)
    assert {chapter for chapter, _ in rows} < {path.stem[:2] for path in CHAPTERS}


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.name)
def test_commands_and_their_options_exist(page):
    found = re.findall(
        r"python ((?:classroom|site|data|tests)/[\w/]+\.py)([^`\n]*)", page.read_text("utf-8")
    )
    for script, rest in found:
        source = (ROOT / script).read_text("utf-8")
        assert [o for o in re.findall(r"--[a-z-]+", rest) if f'"{o}"' not in source] == [], script


def test_plans_quote_the_minutes_of_the_chapters():
    plans = (GUIDE / "plans.md").read_text("utf-8")
    quoted = re.findall(r"\b(\d\d): (\d\d)\b", plans)
    quoted += re.findall(r"\[(\d\d)\]\([^)]*\) \| (\d+) \|", plans)
    first_cells = {path.stem[:2]: cells_of(path)[0].source for path in CHAPTERS}
    said = {number: re.search(test_measure.TIME, cell)[1] for number, cell in first_cells.items()}
    assert {number for number, _ in quoted} >= set(said)
    assert [(number, n) for number, n in quoted if said[number] != n] == []


if __name__ == "__main__":
    for path in CHAPTERS:
        if part_of(path).exists():
            text = section(path)
            print(f"{path.stem:32} {words(text):4} words", *minutes(paragraphs(text)["Minutes"]))
