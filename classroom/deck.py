"""Which parts of a chapter stand on slides: rules, and a few tags where rules do not suffice.

- The first cell gives a title, and what you will be able to do.
- Text gives its headings (as titles), its displayed equations with the sentence that leads to each,
  its tables, and the sentences in which a word is bold; a line or two go on the slide that follows.
  All of it is in the speaker's notes.
- A prediction is a slide; its options come one by one.
- A figure is a slide; the sentences that interpret it come under it, at a key. Text output is shown
  where it decides a prediction and no figure does.
- Exercises, "Break it" and code are left out.

Tags of a cell: `no-slide`, nothing of it; `slide`, all of its text, or what it printed; and
`slide-code`, its code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
import html
import re

from chapters import ANSWER, roles
from nbconvert.filters import markdown2html
import nbformat

LINES, ROWS, COLUMNS = 9, 22, 120  # that fit: of text; of output, and characters in each
WORDS = 60  # of an interpretation that stand on the slide
FEW = 3.5  # lines that are no slide of their own
LEFT_OUT = ("Break it", "Exercises")
DETAILS = re.compile(r"<details>.*?</details>\s*", re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")  # leads to a file that is not here
OPTION = re.compile(r"(?:^|\s)(?:- )?\(([a-e])\)\s+")
MATH = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\[[^\]]*\]\([^)]*\)", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.?!])(?<!al\.)(?<!e\.g\.)(?<!i\.e\.)(?=[*)]*\s+[^a-z])[*)]*\s+")
OF_CODE = re.compile(r"^\*\*Check|\bcells?\b")  # a sentence on the notebook, not on its matter
LETTER = re.compile(r"^\(([a-e])\)[.:;,]?\s*")
ORIGIN = re.compile(r"recorded \d{4}-")  # of a record: when, with what, on which machine
CONTROL = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Slide:
    """One slide: its title, what is on it and what is said to it, as HTML; lines it fills."""

    title: str
    kind: str  # "title", "text", "predict", "figure" (and "beside") or "output"
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: float = 0


def markdown(text: str) -> str:
    """HTML of some Markdown, in which $formulas$ stand as they are, for MathJax."""
    return re.sub(r'<a class="anchor-link".*?</a>', "", markdown2html(LINK.sub(r"\1", text)))


def inline(text: str) -> str:
    """The same without the paragraph around it."""
    return markdown(text).strip().removeprefix("<p>").removesuffix("</p>")


def blocks(source: str) -> list[str]:
    """Paragraphs, headings, lists, tables and equations of a text, without what is folded in it."""
    found, held = [], ""
    for line in [*DETAILS.sub("", ANSWER.sub("", source)).splitlines(), ""]:
        is_open = held.count("$$") % 2 or held.count("```") % 2
        if line.strip() or is_open:
            held += line + "\n"
        elif held:
            before, asks, question = held.strip().partition("**Predict.**")
            found += filter(None, (before.strip(), asks + question))
            held = ""
    return found


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; a full stop within a formula, code or a link ends none."""
    kept: list[str] = []

    def hide(found: re.Match) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    parts, place, hidden = [], 0, MATH.sub(hide, text)
    for end in SENTENCE.finditer(hidden):
        parts.append(hidden[place : end.end()].strip())
        place = end.end()
    parts.append(hidden[place:].strip())
    whole = (re.sub("\x00(\\d+)\x00", lambda n: kept[int(n[1])], part) for part in parts)
    return [part for part in whole if part]


def leading(paragraph: str) -> str:
    """The sentence that leads to an equation; "Together," or "This is" needs the one before."""
    *rest, last = sentences(paragraph)
    points_back = len(last.split()) < 4 or last.startswith("This ")
    return f"{rest[-1]} {last}" if points_back and rest and "**" not in rest[-1] else last


def key_sentences(paragraph: str) -> Iterator[str]:
    """Those with a word in bold; a bold beginning, such as "**Slopes.**", with the one after it."""
    parts = sentences(paragraph)
    if re.fullmatch(r"(> )?\*\*[^*]+\*\*", parts[0]) and len(parts) > 1:
        parts[:2] = [" ".join(parts[:2])]
    return (part for part in parts if "**" in part and not OF_CODE.search(part))


def shortened(text: str, words: int = WORDS) -> str:
    """The first sentence, and those with a word in bold, while they are few words."""
    first, *rest = sentences(" ".join(text.split()))
    kept, used = [first], len(first.split())
    for sentence in rest:
        used += len(sentence.split())
        if used > words:
            break
        kept.append(sentence)
    bold = [s for s in rest if "**" in s and s not in kept]
    return " ".join([*kept, *bold[: used > words]])


class Deck:
    """The slides of one chapter, made cell by cell."""

    def __init__(self, notebook: nbformat.NotebookNode):
        self.slides: list[Slide] = []
        self.title, self.said, self.printed = "", [], []
        self.is_asked = self.is_left_out = False
        for cell, role in zip(notebook.cells, roles(notebook), strict=True):
            tags = set(cell.metadata.get("tags", ()))
            if "title" in role:
                self.first(cell.source)
            elif "interpret" in role:
                self.interpret(cell.source, "no-slide" in tags)
            elif cell.cell_type == "markdown":
                self.text(cell.source, tags)
            elif not role & {"setup", "check"} and "no-slide" not in tags:
                self.code(cell, tags)

    def new(self, kind: str, *body: str, title: str | None = None, lines: float = 0) -> Slide:
        """A slide; what was said since the last one is in its notes."""
        title = inline(self.title) if title is None else title
        self.slides.append(Slide(title, kind, list(body), self.said, lines))
        self.said = []
        return self.slides[-1]

    def add(self, body: str, lines: float) -> None:
        """Put a piece on the slide of this section, or on another one where that is full."""
        last = self.slides[-1]
        is_full = last.lines + lines > LINES
        if last.kind != "text" or last.title != inline(self.title) or is_full:
            self.new("text", body, lines=lines)
        else:
            last.body.append(body)
            last.lines += lines
            last.notes += self.said
            self.said = []

    def first(self, source: str) -> None:
        heading, *rest = blocks(source)
        lead, _, outcomes = "\n\n".join(rest).partition("**You will be able to**")
        goals = blocks(outcomes)[:1]
        question = inline(heading.lstrip("# "))
        self.title = "You will be able to"
        self.slides = [Slide(question, "title", [markdown(lead)], [markdown(outcomes)])]
        for goal in goals:
            self.add(markdown(goal), 0)

    def text(self, source: str, tags: set[str]) -> None:
        pieces = blocks(source)
        for place, block in enumerate(pieces):
            if block.startswith("#"):
                self.heading(block)
                continue
            self.said.append(markdown(block))
            if "no-slide" in tags or (self.is_left_out and "slide" not in tags):
                continue
            before = pieces[place - 1] if place else ""
            if block.startswith("**Predict.**"):
                is_list = OPTION.match("".join(pieces[place + 1 : place + 2]))
                self.predict("\n".join(pieces[place : place + 1 + bool(is_list)]))
            elif not OPTION.match(block):
                self.block(block, before, "slide" in tags)

    def heading(self, block: str) -> None:
        marks, _, title = block.partition(" ")
        self.title = re.sub(r"^(\d+)\.", r"\1\.", title)  # else it is a list of one
        if len(marks) < 3:
            self.is_left_out = title.startswith(LEFT_OUT)
            self.is_asked, self.printed = False, []

    def block(self, block: str, before: str, is_tagged: bool) -> None:
        if block.startswith("$$"):
            lead = leading(before) if before and before[0] not in "#$|" else ""
            rows = 1 + block.count(r"\\") + block.count(r"\frac") / 2
            lead = "" if "**" in lead else lead  # it is there already
            self.add(markdown(lead) + markdown(block), 1.5 * rows + len(lead.split()) / 14)
        elif block.startswith("|"):
            self.new("text", markdown(block), lines=LINES)
        elif self.title == "Summary":
            if block.startswith("- ") or "does not say" in block:
                self.add(markdown(block), len(block.split()) / 14)
        elif is_tagged:
            if block.endswith(":"):  # a sentence that leads to code
                block = " ".join(sentences(block)[:-1])
            self.add(markdown(block), len(block.split()) / 14)
        elif not re.match(r"- |\d+\. ", block):
            for sentence in key_sentences(block):
                self.add(markdown(sentence), 0.5 + len(sentence.split()) / 14)

    def predict(self, text: str) -> None:
        question, *options = OPTION.split(text.removeprefix("**Predict.**").strip())
        pairs = zip(options[::2], options[1::2], strict=True)
        items = "".join(
            f'<li class="fragment"><b>({letter})</b> {inline(option.strip())}</li>'
            for letter, option in pairs
        )
        self.is_asked, self.printed = True, []
        self.new("predict", markdown(question), f'<ul class="options">{items}</ul>')

    def code(self, cell: nbformat.NotebookNode, tags: set[str]) -> None:
        if "slide-code" in tags:
            self.new("output", f"<pre>{html.escape(cell.source)}</pre>")
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                self.figure(output)
            elif output.get("name") == "stdout":
                lines = CONTROL.sub("", output.text).rstrip().splitlines()
                self.printed.append("\n".join(line for line in lines if not ORIGIN.match(line)))
        if "slide" in tags and self.printed:
            self.output()

    def figure(self, output: nbformat.NotebookNode) -> None:
        about = output.metadata["image/png"]
        alt, data = html.escape(about["alt"]), "".join(output.data["image/png"].split())
        ratio = about["width"] / about["height"]
        self.said.append(f"<p><i>What the figure shows:</i> {alt}</p>")
        picture = f'<img src="data:image/png;base64,{data}" alt="{alt}" data-ratio="{ratio:.3f}">'
        kind = "figure" if ratio > 1.5 else "figure beside"  # which leaves room on its right
        self.new(kind, f'<div class="picture">{picture}</div>')
        self.printed = []

    def output(self) -> bool:
        """Show what was printed last, if it fits; whether it did."""
        printed, self.printed = self.printed, []
        for text in ("\n".join(printed), *reversed(printed)):
            rows = text.splitlines()
            if 0 < len(rows) <= ROWS and max(map(len, rows)) <= COLUMNS:
                self.new("output", f"<pre>{html.escape(text)}</pre>")
                return True
        return False

    def interpret(self, source: str, is_silent: bool) -> None:
        text = source.removeprefix("**Interpret.**").strip()
        self.said.append(markdown(text))
        if not is_silent:
            is_shown = self.waits() or self.output()
            if not is_shown:
                self.new("text", lines=LINES)
            short = LETTER.sub(r"**(\1)** ", shortened(blocks(text)[0]))
            kind = "finding fragment" if is_shown else "finding"
            self.slides[-1].body.append(f'<div class="{kind}">{markdown(short)}</div>')
            self.slides[-1].notes += self.said
            self.said = []
        self.is_asked, self.printed = False, []

    def waits(self) -> bool:
        """Whether the last slide shows something of this section that nobody has interpreted."""
        last = self.slides[-1]
        shows = last.kind.startswith(("figure", "output")) and last.title == inline(self.title)
        return shows and "finding" not in last.body[-1]


def joined(slides: list[Slide]) -> list[Slide]:
    """The same slides, but a line or two of text stand above what follows in their section."""
    kept: list[Slide] = []
    for slide in slides:
        last = kept[-1] if kept else slide
        has_equation = any("$$" in part for part in last.body)
        is_short = last.kind == "text" and 0 < last.lines < FEW and not has_equation
        if is_short and last.title == slide.title and slide.kind != "text":
            slide.body[:0], slide.notes[:0] = last.body, last.notes
            kept.pop()
        kept.append(slide)
    return kept


def slides(notebook: nbformat.NotebookNode) -> list[Slide]:
    """The slides of a chapter, as the rules above and its tags make them."""
    return joined(Deck(notebook).slides)


def page(slides: list[Slide]) -> Iterator[str]:
    """The slides as reveal.js reads them."""
    for slide in slides:
        heading = "h1" if slide.kind == "title" else "h2"
        body, notes = "\n".join(slide.body), "\n".join(slide.notes)
        yield (
            f'<section class="{slide.kind}"><{heading}>{slide.title}</{heading}>\n'
            f'<div>{body}</div>\n<aside class="notes">{notes}</aside></section>'
        )
