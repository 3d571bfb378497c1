"""Checks of the exercises of notebook 45, greedy search and evolution."""

from helpers.exercises import call, exercise, is_close, number
import numpy as np


def _tops(table: np.ndarray, diagonal: bool = False, inside: bool = False) -> int:
    rows, columns = table.shape
    count = 0
    for row, column in np.ndindex(rows, columns):
        steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        steps = [step for step in steps if diagonal or 0 in step]
        near = [(row + i, column + j) for i, j in steps]
        near = [(i, j) for i, j in near if 0 <= i < rows and 0 <= j < columns]
        at_edge = row in (0, rows - 1) or column in (0, columns - 1)
        higher = all(table[place] < table[row, column] for place in near)
        count += higher and not (inside and at_edge)
    return count


TABLE = np.array(
    [
        [71, 74, 80, 78, 79],
        [73, 82, 77, 75, 81],
        [70, 76, 72, 84, 76],
        [85, 69, 74, 75, 73],
    ]
)


@exercise("45.1")
def local_optima(answer) -> str | None:
    if is_close(answer, _tops(TABLE), 0):
        return None
    if is_close(answer, 1, 0):
        return "The highest is one; a greedy search gets stuck at the others."
    if is_close(answer, _tops(TABLE, diagonal=True), 0):
        return "You counted diagonal cells as neighbours; those differ in two parameters."
    if is_close(answer, _tops(TABLE, inside=True), 0):
        return "Cells at the edge count as well; they only have fewer neighbours."
    return "A local optimum is higher than the cell above, below, to the left and to the right."


@exercise("45.2")
def chance_to_move(answer) -> str | None:
    def got(*case):
        return float(call(answer, *case))

    if not (is_close(got(0.90, 0.95, 0.01), 1, 1e-9) and is_close(got(0.1, 0.95, 0.01), 1, 1e-9)):
        return "A better neighbour is always accepted: a probability is never above 1."
    if is_close(got(0.95, 0.94, 0.02), 1, 1e-9):
        return "The sign: the neighbour 0.94 is worse than 0.95, and scores are maximised."
    if not is_close(got(0.95, 0.94, 0.02), np.exp(-0.5), 1e-6):
        return "From 0.95 to 0.94 at a temperature of 0.02: exp(-0.01 / 0.02)."
    if not is_close(got(0.95, 0.90, 0.02), np.exp(-2.5), 1e-6):
        return "The chance falls with the loss: from 0.95 to 0.90 it is exp(-0.05 / 0.02)."
    if not is_close(got(0.95, 0.94, 0.04), np.exp(-0.25), 1e-6):
        return "Twice the temperature takes half the loss: exp(-0.01 / 0.04)."
    if not is_close(got(0.95, 0.95, 0.02), 1, 1e-9):
        return "An equal neighbour loses nothing: exp(0)."
    try:
        frozen = got(0.95, 0.94, 0.0), got(0.94, 0.95, 0.0)
    except ZeroDivisionError:
        return "A temperature of 0 divides by zero: it is greedy search, 1 for better, 0 for worse."
    return None if frozen == (0, 1) else "A temperature of 0 is greedy: 1 for better, 0 for worse."


HALF, UNPAIRED, NORMAL = 8.2247, 11.7935, 7.8820  # measured; a row of test_hints does it again


@exercise("45.3")
def an_eye_for_ties(answer) -> str | None:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "A pair, please: (half, True) or (half, False)."
    half, leaves_out_zero = answer
    if isinstance(half, bool | np.bool_):
        return "The half width comes first, then True or False."
    general = "paired(counts of climb, counts of greedy).half, of the seeds 0 to 29 on the SVMs."
    ideas = {
        UNPAIRED: "That is for runs that share nothing. These share their seeds: compare in pairs.",
        NORMAL: "With 30 pairs it is Student's t, 2.05 standard errors, in place of 1.96.",
        2 * HALF: "That is the whole width; give half of it.",
        11.1333: "That is the mean difference. How sure is it?",
    }
    hint = number(half, HALF, 3, general, ideas)
    if hint is None and not isinstance(leaves_out_zero, bool | np.bool_):
        return "The half width is right. Say True or False: does the interval leave out zero?"
    if hint is None and not leaves_out_zero:
        return "The half width is right. Is it larger than the mean difference?"
    return hint
