"""A Sphinx extension: the first mention of a term on a page leads to its entry in the glossary.

The entries, and with them all addresses, are those of the page `glossary`, which build.py makes of
data/glossary.csv.
"""

from collections.abc import Sequence
import re

from docutils import nodes
from sphinx.application import Sphinx

PAGE = "glossary"
# Where a link would stand in another, or in words that are no prose.
CLOSED = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.FixedTextElement,
)


def pattern(terms: Sequence[str]) -> re.Pattern:
    """Any of the terms as whole words, in the singular or the plural; the longest fits first."""
    words = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])({words})s?(?![\w-])", re.IGNORECASE)


def link_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Link the first mention of each term on the page that was just read."""
    name, terms = app.env.docname, app.config.glossary_terms
    if not terms or name == PAGE or name in app.config.glossary_without:
        return
    find, seen = pattern(list(terms)), set()
    target = app.builder.get_relative_uri(name, PAGE)
    for text in list(doctree.findall(nodes.Text)):
        if any(isinstance(parent, CLOSED) for parent in _above(text)):
            continue
        pieces, end, words = [], 0, text.astext()
        for found in find.finditer(words):
            term = found[1].lower()
            if term in seen:
                continue
            seen.add(term)
            address, meaning = terms[term]
            look = {"refuri": f"{target}#{address}", "internal": True, "classes": ["term"]}
            link = nodes.reference("", found[0], **look, reftitle=meaning)
            pieces += [nodes.Text(words[end : found.start()]), link]
            end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(words[end:])])


def _above(node: nodes.Node):
    while node.parent is not None:
        node = node.parent
        yield node


def setup(app: Sphinx) -> dict:
    app.add_config_value("glossary_terms", {}, "env")  # term -> address, meaning
    app.add_config_value("glossary_without", [], "env")  # pages without such links
    app.connect("doctree-read", link_terms)
    return {"parallel_read_safe": True, "version": "1"}
