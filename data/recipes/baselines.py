"""Optuna's samplers on a `Space`, beside which recipes put the strategies of helpers."""

from collections.abc import Callable, Sequence
import math
import warnings

from helpers.search import Space
from helpers.search.strategies import Point
import optuna


def by_optuna(
    space: Space,
    score: Callable[[Point], float],
    sampler: optuna.samplers.BaseSampler,
    evaluations: int,
    asks: int,
    initial: Sequence[Point] = (),
    target: float = math.inf,
    flat: bool = False,
) -> list[Point]:
    """The different points that a sampler asks for, in order; a known one costs nothing.

    Numbers in order are asked for by rank, others as categories. A parameter that occurs in two
    subspaces is one, with one history.

    Args:
        evaluations: different points at most.
        asks: points at most, known ones included.
        initial: points to evaluate before all others.
        target: a score at which the search ends.
        flat: ask for the parameters of all subspaces every time, and ignore those that the point
            does not have, for a sampler that models only what every trial has.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for index, positions in initial:
        at = zip(space.subspaces[index].items(), positions, strict=True)
        known = {n: one.order.index(p) if _is_ordered(one) else p for (n, one), p in at}
        study.enqueue_trial({"subspace": index} | known)
    asked: dict[frozenset, Point] = {}
    for _ in range(asks):
        trial, places = study.ask(), {}
        index = trial.suggest_categorical("subspace", list(range(len(space.subspaces))))
        for subspace in space.subspaces if flat else [space.subspaces[index]]:
            for name, one in subspace.items():
                if one.size > 1 and name not in places:
                    places[name] = _suggest(trial, name, one)
        point = index, tuple(places.get(name, 0) for name in space.subspaces[index])
        first = asked.setdefault(space.key(point), point)
        study.tell(trial, found := score(first))
        if len(asked) == min(evaluations, space.size) or found == target:
            break
    return list(asked.values())


def _is_ordered(parameter) -> bool:
    return len(parameter.order) == parameter.size > 1


def _suggest(trial: optuna.Trial, name: str, parameter) -> int:
    if _is_ordered(parameter):
        return parameter.order[trial.suggest_int(name, 0, parameter.size - 1)]
    return trial.suggest_categorical(name, list(range(parameter.size)))
