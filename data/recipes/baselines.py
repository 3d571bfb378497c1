"""Searches that learn nothing, and Optuna's, beside which recipes put the strategies of helpers."""

from collections.abc import Callable, Sequence
import warnings

from helpers.search import Space
from helpers.search.strategies import Point, Strategy
import numpy as np
import optuna


def shuffled(space: Space, rng: np.random.RandomState) -> Strategy:
    """Random search by one permutation: other draws than `at_random`, and those of the record."""
    points = list(space.points())
    yield from ([points[i]] for i in rng.permutation(len(points)))


def depth_first(space: Space, rng: np.random.RandomState) -> Strategy:
    """Random search that is uniform over the subspaces first, and then within the subspace."""

    def draw() -> Point:
        index = int(rng.randint(len(space.subspaces)))
        return index, tuple(one.random(rng) for one in space.subspaces[index].values())

    seen = set()
    while len(seen) < space.size:
        point = draw()
        if point not in seen:
            seen.add(point)
            yield [point]


def by_tpe(
    space: Space,
    score: Callable[[Point], float],
    seed: int,
    evaluations: int,
    shared: bool,
    initial: Sequence[Point] = (),
    **settings,
) -> list[Point]:
    """The different points that Optuna's TPE asks for, in order; a known one costs nothing.

    Numbers in order are asked for by rank, categories as such.

    Args:
        shared: whether a name that occurs in several subspaces is one parameter, with one history.
        initial: points to evaluate before all others.
        settings: of the sampler.
    """

    def is_ordered(parameter) -> bool:
        return len(parameter.order) == parameter.size > 1

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`
    sampler = optuna.samplers.TPESampler(seed=seed, **settings)
    study, asked = optuna.create_study(direction="maximize", sampler=sampler), {}
    for index, positions in initial:
        known = {"subspace": index}
        for (name, one), place in zip(space.subspaces[index].items(), positions, strict=True):
            label = name if shared else f"{index} {name}"
            known[label] = one.order.index(place) if is_ordered(one) else place
        study.enqueue_trial(known)
    for _ in range(3 * evaluations):
        trial = study.ask()
        index = trial.suggest_categorical("subspace", list(range(len(space.subspaces))))
        positions = []
        for name, parameter in space.subspaces[index].items():
            label = name if shared else f"{index} {name}"
            if is_ordered(parameter):
                positions.append(parameter.order[trial.suggest_int(label, 0, parameter.size - 1)])
            else:
                choices = list(range(parameter.size))
                positions.append(trial.suggest_categorical(label, choices))
        point = (index, tuple(positions))
        study.tell(trial, asked.setdefault(point, score(point)))
        if len(asked) == min(evaluations, space.size):
            break
    return list(asked)
