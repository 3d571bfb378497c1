"""Chapter 53's starts never see the scores of the task they are made for, nor of its data set.

The chapter's own cells run on a made-up table. A start may use what a task looks like; the scores
of its data set may be anything at all, and the order of candidates must not change.
"""

import json
from pathlib import Path

import numpy as np
import pytest

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "53_warm_starts.ipynb"
USED = ("def worth", "def greedy_portfolio", "def replay", "def nearest", "def experienced")


@pytest.fixture(scope="module")
def chapter() -> dict:
    """The names of the chapter's builders, on four data sets of three tasks and 20 candidates."""
    rng = np.random.default_rng(0)
    parents = np.repeat(["a", "b", "c", "d"], 3)
    kind = rng.gamma(0.5, size=(4, 20))  # siblings are nearly copies of each other
    space = {
        "gain": kind[np.repeat(range(4), 3)] * rng.uniform(0.95, 1.05, size=(12, 20)),
        "base": np.full(12, 4.0),
        "features": rng.normal(size=(4, 6))[np.repeat(range(4), 3)] + rng.normal(size=(12, 6)) / 9,
        "parents": parents,
        "names": np.array([f"{parent}_{number}" for number, parent in enumerate(parents)]),
        "sets": ["a", "b", "c", "d"],
    }
    cells = json.loads(CHAPTER.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    exec(code[0], space)
    for one in code:
        if any(f"\n{name}(" in f"\n{one}" for name in USED):
            exec(one, space)
    return space


def depends_on_own_scores(chapter: dict, name: str, seen_by, count: int) -> bool:
    """Whether the first candidates for a task change with the scores of its data set."""
    strategy, gain, parents = chapter[name], chapter["gain"], chapter["parents"]
    changed = False
    for task in range(len(gain)):
        kept, own = gain.copy(), parents == parents[task]
        before = strategy(task, seen_by(task))[:count]
        gain[own] = np.random.default_rng(task).gamma(0.5, size=(own.sum(), gain.shape[1]))
        changed |= list(before) != list(strategy(task, seen_by(task))[:count])
        gain[:] = kept
    return changed


# The surrogate is told each score once it has paid for it: only its first choice is blind.
STARTS = {"portfolio": 10, "nearest": 10, "experienced": 1}
each_start = pytest.mark.parametrize(("name", "count"), STARTS.items(), ids=STARTS)


@each_start
def test_a_start_is_blind_to_the_data_set_that_is_left_out(chapter, name, count):
    rule = chapter["may_be_seen"]
    assert not depends_on_own_scores(chapter, name, lambda task: rule(task, "data set"), count)


@each_start
@pytest.mark.parametrize("mistake", ["nothing left out", "siblings stay in"])
def test_planted_mistakes_are_found(chapter, name, count, mistake):
    def seen_by(task):
        if mistake == "siblings stay in":
            return chapter["may_be_seen"](task, "task")
        return np.ones(len(chapter["gain"]), bool)

    assert depends_on_own_scores(chapter, name, seen_by, count)


def test_scores_that_left_a_task_out_are_those_of_the_others(chapter):
    assert chapter["may_be_seen"](4, "task").sum() == 11
    seen = chapter["may_be_seen"](4, "data set")
    assert seen.sum() == 9 and "b" not in chapter["parents"][seen]
    regret = chapter["regret_of"](chapter["replay"](chapter["portfolio"]))
    assert (regret >= 0).all() and (np.diff(regret, axis=1) <= 0).all()


def test_a_replay_leaves_the_data_set_out_unless_it_is_told_otherwise(chapter):
    parents, count = chapter["parents"], chapter["BUDGET"]
    handed = {}

    def strategy(task, seen):
        handed[task] = seen
        return list(range(count))

    chapter["replay"](strategy)
    assert sorted(handed) == list(range(len(parents)))
    for task, seen in handed.items():
        assert (seen == (parents != parents[task])).all()
