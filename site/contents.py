"""The pages that are no notebook: the start page with the contents, the glossary, the solutions."""

from collections.abc import Sequence
import csv
from pathlib import Path
import re

import pages

from classroom.chapters import ROOT, read

START = """# Variational autoencoders and AutoML

A course: what a variational autoencoder (VAE) optimises, how to build one in Keras and say in nats
how good it is, how a machine searches for good models, and what happens when the two are joined.

**Reading here** needs nothing but this page: every slider works, because its pictures were drawn
ahead. Click on a slider and use the arrow keys; under each stands which of its positions were
drawn. Code that only draws is folded, and one click shows it. Where a chapter says **Predict**,
choose an answer before you scroll on. Under each exercise is a link to its worked answer. Words
with a dotted line lead to the [glossary](glossary.md).

**Running it** needs Python: the notebooks behind these pages train the networks while you watch,
take any position of a slider, and check your answers to the exercises. The README beside them says
how to install them, with two commands.
"""
NO_GLOSSARY_LINKS = ["index", "90_glossary_and_faq", "solutions/index"]


def minutes(path: Path) -> str:
    """How long a chapter takes, as its first cell says."""
    found = re.search(r"about (\d+) minutes", read(path).cells[0].source)
    return f" ({found[1]} minutes)" if found else ""


def toctree(names: Sequence[str], caption: str = "") -> str:
    head = f":caption: {caption}\n" if caption else ""
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n{head}\n{listed}\n```\n"


def by_part(chapters: Sequence[Path]) -> dict[str, list[Path]]:
    """The chapters under the names of their parts; notebook 00 stands before all."""
    names, groups = pages.parts(), {}
    for path in chapters:
        digit = path.name[0]
        if digit != "0" and digit not in names:
            raise ValueError(f"README must name part {digit}, that of {path.name}, in its table")
        title = "To begin" if digit == "0" else f"Part {digit} · {names[digit]}"
        title = names[digit] if digit == "9" else title
        groups.setdefault(title, []).append(path)
    return groups


def start_page(chapters: Sequence[Path], guide: Sequence[str], solutions: bool) -> str:
    """Who reads, and how; then each chapter's question, by part, and the order of the pages."""
    text, trees = START, ""
    for title, paths in by_part(chapters).items():
        text += f"\n## {title}\n\n"
        for path in paths:
            text += f"- **{path.name[:2]}** [{pages.question(path)}]({path.name}){minutes(path)}\n"
        trees += "\n" + toctree([path.stem for path in paths], title)
    text += "\n## To look things up\n\n" if "## To look things up" not in text else ""
    text += "- [Glossary](glossary.md): every term, in English and Chinese\n"
    rest = ["glossary"]
    if solutions:
        text += "- [Worked answers](solutions/index.md) to all exercises\n"
        rest.append("solutions/index")
    trees += "\n" + toctree(rest, "Words and answers")
    if guide:
        text += "\n## For who teaches\n\n"
        text += "".join(f"- [](/{name}.md)\n" for name in guide)
        trees += "\n" + toctree(guide, "For who teaches")
    return text + trees


def solutions_page(solutions: Sequence[Path]) -> str:
    text = (
        "# Worked answers\n\nTry the exercises first: in the notebooks their checks give hints.\n\n"
    )
    for path in solutions:
        question = pages.question(path.parent.parent / path.name.replace("_solutions", ""))
        text += f"- **{path.name[:2]}** [{question}]({path.name})\n"
    return text + "\n" + toctree([path.stem for path in solutions])


def glossary() -> list[dict[str, str]]:
    with open(ROOT / "data" / "glossary.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def address(term: str) -> str:
    """Of a term on the glossary's page, made of its words: it stays when others come or go."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def glossary_page(entries: Sequence[dict[str, str]], chapters: Sequence[Path]) -> str:
    """All terms in alphabetical order, each with an address and the chapters that explain it."""
    files = {path.name[:2]: path.name for path in chapters}
    text = "# Glossary\n\nWhat the words mean in this course, in English and Chinese.\n"
    for entry in sorted(entries, key=lambda one: one["english"].lower()):
        also = f", also: {entry['also']}" if entry["also"] else ""
        links = " ".join(f"[{n}]({files[n]})" for n in entry["chapters"].split() if n in files)
        where = f" Chapters: {links}" if links else ""
        text += f"\n({address(entry['english'])})=\n**{entry['english']}** "
        text += f"{entry['chinese']}{also}. {entry['meaning']}{where}\n"
    return text


def terms(entries: Sequence[dict[str, str]]) -> dict[str, tuple[str, str]]:
    """What the pages link: term, in small letters -> address and meaning."""
    return {e["english"].lower(): (address(e["english"]), e["meaning"]) for e in entries}
