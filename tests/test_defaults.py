"""Defaults on which results and chapters rest: whoever changes one learns what to run again.

A record of twenty seeds proves the default network, widths of a rival were chosen to match it, and
prose quotes both. None of that fails by itself when a default is changed, so it is pinned here.
"""

import ast
from collections.abc import Iterator
import inspect
import json
from pathlib import Path

from helpers import search, vae
from helpers.search import strategies
from helpers.vae import text
import pytest

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = {
    vae.dense_encoder: ((28, 28), (512, 256), 20, "relu"),
    vae.dense_decoder: ((28, 28), (256, 512), 20, "relu"),
    vae.dense_networks: ((28, 28), (512, 256), 20, "relu"),
    vae.conv_encoder: ((28, 28), (16, 32), 20, "relu"),
    vae.conv_decoder: ((28, 28), (32, 16), 20, "relu"),
    vae.conditional_encoder: ((28, 28), 10, (512, 256), 20, "relu"),
    vae.conditional_decoder: ((28, 28), 10, (256, 512), 20, "relu"),
    vae.conditional_networks: ((28, 28), 10, (512, 256), 20, "relu"),
    text.text_encoder: (11, 27, 256, 16),
    text.text_decoder: (11, 27, 11, 128, 16, 0.0),
    vae.VAETransformer: (20, (256, 128), "relu", 1.0, 20, 100, 2e-3, True, None),
    strategies.at_random: (1, ()),
    strategies.subspace_first: (1, ()),
    strategies.greedy: (1, ()),
    strategies.evolution: (1, (), 10, 3),
    strategies.priority: (1, (), 5, 1000, "farthest"),
    search.GreedySearchCV: (50, None, 1),
    search.EvolutionSearchCV: (50, None, 1),
    search.PrioritySearchCV: (50, None, 1),
}
# Built by hand, or quoted in words, where no use of the function shows it.
ALSO = {vae.dense_encoder: ["notebooks/21_build_a_vae.ipynb"]}


def defaults_of(function) -> tuple:
    """The defaults, in order; of a search class the budget alone (the rest is its strategy's)."""
    parameters = inspect.signature(function).parameters.values()
    values = tuple(one.default for one in parameters if one.default is not one.empty)
    is_search = isinstance(function, type) and issubclass(function, search.StrategySearchCV)
    return values[:3] if is_search else values


def code() -> Iterator[tuple[str, str]]:
    """Path and code of everything that is run, cell by cell."""
    for folder in ("notebooks", "data/recipes", "tests/benchmarks", "helpers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.ipynb")):
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    yield path.relative_to(ROOT).as_posix(), "".join(cell["source"])


def who_relies_on(function) -> list[str]:
    """Files that use a function, but for calls that leave none of its defaults in place."""
    count, found = len(defaults_of(function)), set()
    for path, source in code():
        nodes = list(ast.walk(ast.parse(source)))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        complete = [c.func for c in calls if len(c.args) + len(c.keywords) >= count]
        for node in nodes:
            name = getattr(node, "id", getattr(node, "attr", None))
            if name == function.__name__ and node not in complete:
                found.add(path)
    return sorted(found.union(ALSO.get(function, ())))


def test_every_strategy_and_search_class_is_pinned():
    ours = [*vars(strategies).values(), *vars(search).values()]
    classes = {one for one in ours if isinstance(one, type) and one.__name__.endswith("SearchCV")}
    made = {one for one in ours if inspect.isgeneratorfunction(one)} | classes
    assert made - {search.StrategySearchCV} <= DEFAULTS.keys(), "give it a row, and a test too"


@pytest.mark.parametrize("function", DEFAULTS, ids=lambda function: function.__name__)
def test_a_default_is_what_results_were_made_with(function):
    assert defaults_of(function) == DEFAULTS[function], (
        f"a default of {function.__name__} has changed. Run these again, read what they say of it, "
        "then change this test:\n  " + "\n  ".join(who_relies_on(function))
    )


def test_the_answer_names_recipes_and_notebooks():
    names = who_relies_on(vae.dense_encoder)
    for expected in (
        "data/recipes/record_default_vae.py",
        "data/recipes/record_convolution.py",
        "notebooks/21_build_a_vae.ipynb",
    ):
        assert expected in names
    assert "tests/benchmarks/training_keras.py" in who_relies_on(vae.dense_networks)
    assert "data/recipes/record_features.py" in who_relies_on(vae.VAETransformer)
