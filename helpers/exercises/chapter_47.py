"""Checks of the exercises of notebook 47, successive halving."""

import math

from helpers.exercises import call, exercise, is_close
import numpy as np


@exercise("47.1")
def cost_of_a_race(answer) -> str | None:
    if is_close(answer, 256, 0):
        return None
    if is_close(answer, 64 * 64, 0):
        return "That trains all 64 to the end; most are cut before."
    if is_close(answer, 192, 0):
        return "Three cuts make four rungs: 1, 4, 16 and 64 epochs."
    if is_close(answer, 64 + 16 + 4 + 1, 0):
        return "Those are the trainings; each of rung i takes 4^i epochs."
    if is_close(answer, 320, 0):
        return "Five rungs belong to R = 81 and eta = 3. Here the steps are 1, 4, 16 and 64."
    if is_close(answer, 64 + 16 * 3 + 4 * 12 + 48, 0):
        return "That is with checkpoints. Here every rung is paid in full."
    return "Add up candidates times epochs over the rungs: 64 x 1, 16 x 4, and so on."


def _first_rungs(R: int, eta: int, floor: bool = False) -> list[int]:
    """Candidates at the start of each bracket; `floor`: the other rounding in circulation."""
    s_max = 0
    while eta ** (s_max + 1) <= R:
        s_max += 1
    if floor:
        return [(s_max + 1) // (s + 1) * eta**s for s in range(s_max, -1, -1)]
    return [-(-(s_max + 1) * eta**s // (s + 1)) for s in range(s_max, -1, -1)]


@exercise("47.2")
def first_rungs(answer) -> str | None:
    got = {(R, eta): call(answer, R, eta) for R, eta in ((81, 3), (16, 2), (100, 3), (243, 3))}
    if any(value is None for value in got.values()):
        return "Return the list."
    got = {key: [float(n) for n in value] for key, value in got.items()}
    if got[81, 3] == _first_rungs(81, 3, floor=True):
        return "Round once, at the end and up: ceil((s_max + 1) * eta**s / (s + 1))."
    if got[81, 3] == _first_rungs(81, 3)[::-1]:
        return "The most daring bracket, with the most candidates, comes first."
    if len(got[81, 3]) == 4:
        return "R = 81 has five brackets: s runs from s_max = 4 down to 0, both included."
    for (R, eta), value in got.items():
        right = _first_rungs(R, eta)
        if value == right:
            continue
        if len(value) != len(right) and R == 243:
            return (
                f"R = 243 is 3**5, so s_max = 5; floor(log(243, 3)) gives "
                f"{math.floor(math.log(243, 3))}. Count in whole numbers."
            )
        return f"For R = {R} and eta = {eta} it must be {right}; yours is {value}."
    return None


@exercise("47.3")
def earliest_start(answer) -> str | None:
    crossing = (0.30 - 0.06) / (0.96 - 0.90)
    if is_close(answer, 9, 0):
        return None
    if is_close(answer, crossing, 1e-6):
        return "There they cross; but a race can start only at 1, 3, 9 or 27 epochs."
    if is_close(answer, 3, 0):
        return "After 3 epochs the slow one is at 0.86 and the fast one at 0.88: it would be cut."
    if is_close(answer, 27, 0):
        return "That works, but an earlier start works too."
    return "Where do the curves cross? The first comparison must come after that."


@exercise("47.4")
def survivors(answer) -> str | None:
    cases = [
        (np.array([0.2, 0.9, 0.5, 0.7]), 2, [1, 3]),
        (np.array([0.2, np.nan, 0.5, 0.7, np.nan]), 2, [3, 2]),
        (np.array([np.nan, 0.4, np.nan, 0.6]), 3, [3, 1]),
        (np.array([np.nan, np.nan]), 1, []),
        (np.array([-0.3, -0.1, -0.2]), 1, [1]),
    ]
    for scores, k, right in cases:
        got = call(answer, scores.copy(), k)
        if got is None:
            return "Return an array of indices."
        got = np.asarray(got)
        if got.ndim != 1:
            return f"One index per survivor, shape (n,); yours has shape {got.shape}."
        got = got.tolist()
        if got == right:
            continue
        if len(got) and np.isnan(scores[np.asarray(got, dtype=int)]).any():
            return "A NaN survived: argsort puts NaN last, where the best are expected."
        if got == right[::-1]:
            return "The right ones, but the best must come first."
        if got == np.argsort(scores)[:k].tolist():
            return "You kept the worst: argsort sorts upwards."
        return f"For scores {scores.tolist()} and k = {k} it must be {right}; yours is {got}."
    return None
