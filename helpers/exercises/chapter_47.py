"""Checks of the exercises of notebook 47: halving, Hyperband and ASHA."""

import math

from helpers.exercises import call, exercise, is_close


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
    cases = (81, 3), (16, 2), (100, 3), (200, 3), (243, 3)
    got = {(R, eta): call(answer, R, eta) for R, eta in cases}
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


# Rungs of ASHA, who was promoted from them, who waits -> the next job, what else an idea would do.
_STATES = [
    (  # the first rung may promote one, the second nobody yet
        [{4: 0.5, 1: 0.9, 2: 0.7}, {}, {}],
        [set(), set(), set()],
        [3],
        (1, 1),
        {
            (4, 1): "That is the worst of the three: the best goes on.",
            (1, 2): "From rung k the way leads to rung k + 1.",
            (1, 0): "From rung k the way leads to rung k + 1.",
            (3, 0): "One of three may go on here: promote before you start another.",
        },
    ),
    (  # five networks: one place, which is taken; nobody waits
        [dict(enumerate([0.8, 0.9, 0.7, 0.1, 0.2])), {}, {}],
        [{1}, set(), set()],
        [],
        None,
        {
            (0, 1): "Round down: of five networks one goes on.",
            (1, 1): "It was promoted from the first rung already.",
        },
    ),
    (  # nobody may go on: of two networks on the second rung, 2 // 3 = 0
        [dict(enumerate([0.8, 0.9, 0.7, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])), {0: 0.8, 1: 0.9}, {}],
        [{0, 1, 2}, set(), set()],
        [9, 10],
        (9, 0),
        {
            (1, 2): "Still at the wrong rung: of m networks on rung k, m // eta go on from rung k.",
            (1, 1): "It was promoted from the first rung already.",
            (3, 1): "A third of nine is three, and three were promoted already.",
            (8, 1): "A third of nine is three, and three were promoted already.",
            (10, 0): "Start them in their order: waiting.pop(0).",
        },
    ),
    (  # both the first and the second rung may promote
        [dict(enumerate([0.8, 0.9, 0.7, 0.1, 0.2, 0.6])), {0: 0.7, 1: 0.6, 5: 0.9}, {}],
        [{1, 5}, set(), set()],
        [],
        (5, 2),
        {(0, 1): "Begin with the highest rung that may promote."},
    ),
    (  # the best was promoted, the second may go
        [dict(enumerate([0.8, 0.9, 0.7, 0.1, 0.2, 0.6])), {}, {}],
        [{1}, set(), set()],
        [],
        (0, 1),
        {(1, 1): "It was promoted from there already.", None: "Two of six may go on."},
    ),
    (  # two were promoted that stand behind the best third now: places are not what counts
        [dict(enumerate([0.8, 0.9, 0.7, 0.1, 0.2, 0.6])), {}, {}],
        [{4, 5}, set(), set()],
        [9],
        (1, 1),
        {(9, 0): "Do not count who was promoted before: who is among the best third now goes on."},
    ),
    (  # what finished the last rung is trained to the end
        [dict(enumerate([0.8, 0.9, 0.7])), {1: 0.5}, {1: 0.5, 6: 0.6, 7: 0.7}],
        [{1}, set(), set()],
        [],
        None,
        {(7, 3): "Nobody goes on from the last rung."},
    ),
]


@exercise("47.3")
def repaired_rule(answer) -> str | None:
    for rungs, promoted, waiting, right, hints in _STATES:
        marks, queue = [set(names) for names in promoted], list(waiting)
        got = call(answer, [dict(rung) for rung in rungs], marks, queue)
        got = got if got is None else tuple(int(value) for value in got)
        if got != right:
            told = (
                f"With rungs {rungs}, promoted {promoted} and waiting {waiting} it must be {right}"
            )
            return hints.get(got, f"{told}; yours is {got}.")
        if right and right[1] and right[0] not in marks[right[1] - 1]:
            return "Note each promotion in promoted[k], or it happens again and again."
        if right and not right[1] and queue != waiting[1:]:
            return "Whoever starts no longer waits: waiting.pop(0)."
    return None
