"""Checks of the exercises of notebook 45, greedy and priority search."""

import math

from helpers.exercises import call, exercise, is_close
import numpy as np
from scipy.stats import norm


@exercise("45.1")
def improvement_by_hand(answer) -> str | None:
    gain, std = -0.02, 0.02
    z = gain / std
    right = gain * norm.cdf(z) + std * norm.pdf(z)
    if is_close(answer, right, 5e-6):
        return None
    if is_close(answer, -gain * norm.cdf(-z) + std * norm.pdf(z), 5e-5):
        return "The sign: the gain is mean - best, here below zero."
    if is_close(answer, 0.0017, 1e-9):
        return "Right as far as it goes; six decimals, please."
    if is_close(answer, 0, 5e-6) or is_close(answer, gain, 5e-6):
        return "The mean lies below the best, but the score may still come out above it."
    if is_close(answer, norm.cdf(z), 5e-4):
        return "That is the probability of an improvement; here its expected size is asked for."
    if is_close(answer, std * norm.pdf(z), 5e-6):
        return "One of the two terms is missing: gain times Phi(z)."
    if is_close(answer, gain * norm.cdf(z) + norm.pdf(z), 5e-4):
        return "The density is multiplied by the standard deviation."
    if is_close(answer, right / std, 5e-4):
        return "That is in units of the standard deviation; multiply by it."
    if is_close(answer, gain * norm.cdf(gain) + std * norm.pdf(gain), 5e-5):
        return "z is the gain divided by the standard deviation: -1."
    return "z = (mean - best) / std = -1, and EI = (mean - best) Phi(z) + std phi(z)."


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


@exercise("45.2")
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


@exercise("45.3")
def minutes_of_a_search(answer) -> str | None:
    cases = {(40, 1, 1, 2.0): 80.0, (40, 4, 4, 2.0): 20.0, (10, 4, 4, 1.0): 3.0}
    cases |= {(10, 4, 2, 1.0): 5.0, (9, 4, 3, 0.5): 2.5, (12, 3, 8, 1.0): 4.0, (7, 5, 3, 1.0): 3.0}
    got = {case: call(answer, *case) for case in cases}
    if all(is_close(got[case], minutes, 1e-9) for case, minutes in cases.items()):
        return None
    if not is_close(got[40, 1, 1, 2.0], 80.0, 1e-9):
        return "One after the other, 40 evaluations of 2 minutes take 80 minutes."
    if not is_close(got[40, 4, 4, 2.0], 20.0, 1e-9):
        return "Ten batches of four on four workers: 10 x 2 minutes."
    if not is_close(got[12, 3, 8, 1.0], 4.0, 1e-9):
        return "A batch of 3 keeps only 3 of 8 workers busy: four batches, four minutes."
    if not is_close(got[10, 4, 4, 1.0], 3.0, 1e-9):
        return "10 in batches of 4: 4, 4 and 2. The last is smaller and still takes a round."
    if not is_close(got[10, 4, 2, 1.0], 5.0, 1e-9):
        return "With 2 workers a batch of 4 takes two rounds, and the last batch, of 2, one."
    return "A batch of b on w workers takes ceil(b / w) rounds; add up the batches, the last too."


@exercise("45.4")
def probability_of_improvement(answer) -> str | None:
    mean = np.array([0.9, 0.95, 0.93, 0.94])
    std = np.array([0.02, 0.02, 0.001, 0.01])
    best = 0.94
    got = np.asarray(call(answer, mean.copy(), std.copy(), best), dtype="float64")
    right = norm.cdf((mean - best) / std)
    if got.shape != (4,):
        return f"Four candidates need four numbers, shape (4,); yours has shape {got.shape}."
    if np.allclose(got, 1 - right):
        return "That is the probability of being worse: the sign of the gain is flipped."
    if np.allclose(got, norm.pdf((mean - best) / std)):
        return "That is the density; the probability is the distribution function, norm.cdf."
    if not np.allclose(got, right, atol=1e-9):
        return "The score is N(mean, std^2). What is the probability that it is above best?"
    with np.errstate(all="ignore"):
        sure = np.asarray(
            call(answer, np.array([0.95, 0.93]), np.array([0.0, 0.0]), best), dtype="float64"
        )
    if not np.isfinite(sure).all() or not np.allclose(sure, [1.0, 0.0]):
        return "With std = 0 the score is certain: 1 above the best, 0 below."
    edge = np.asarray(call(answer, np.array([0.94]), np.array([0.0]), 0.94), dtype="float64")
    if not math.isclose(float(edge[0]), 0.0, abs_tol=1e-12):
        return "A certain score that equals the best is no improvement: 0."
    return None
