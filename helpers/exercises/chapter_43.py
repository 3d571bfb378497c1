"""Checks of the exercises of notebook 43, grid search."""

from helpers.exercises import call, exercise, is_close
import numpy as np


@exercise("43.1")
def fits_of_a_grid(answer) -> str | None:
    if is_close(answer, 10 * 5**6 + 1, 0):
        return None
    if is_close(answer, 10 * 5**6, 0):
        return "Nearly: the winner is fitted once more, on all the training data."
    if is_close(answer, 5**6, 0) or is_close(answer, 5**6 + 1, 0):
        return "Those are the candidates; each of them is fitted once per fold."
    if is_close(answer, 10 * 6**5, 0) or is_close(answer, 10 * 6**5 + 1, 0):
        return "Upside down: the levels multiply once for every parameter, 5 x 5 x 5 x 5 x 5 x 5."
    if is_close(answer, 300, 0) or is_close(answer, 301, 0):
        return "The levels of different parameters multiply, they do not add."
    return "Candidates are the product of the numbers of levels. Then the folds, then the refit."


@exercise("43.2")
def different_pairs(answer) -> str | None:
    splits, leaves = (2, 3, 4, 6, 8, 12), (1, 2, 3, 4, 6)
    right = len({(leaf, max(split, 2 * leaf)) for split in splits for leaf in leaves})
    if is_close(answer, right, 0):
        return None
    if is_close(answer, 30, 0):
        return "Some are copies: with min_samples_leaf=6, no node below 12 samples can be split."
    if is_close(answer, len({max(split, 2 * leaf) for split in splits for leaf in leaves}), 0):
        return "Those are the different thresholds; min_samples_leaf itself matters as well."
    if is_close(answer, sum(split > 2 * leaf for split in splits for leaf in leaves), 0):
        return "In every row of one leaf, the splits of at most 2 x leaf still make one candidate."
    return "For each leaf count the different values of max(split, 2 x leaf), and add up."


@exercise("43.3")
def one_standard_error(answer) -> str | None:
    folds = np.array([-0.03, -0.01, 0.0, 0.01, 0.03])  # standard error 0.01, deviation 0.0224
    means = np.array([0.90, 0.885, 0.893, 0.8914, 0.8, 0.9])
    scores, cost = means[:, None] + folds, np.array([9.0, 2.0, 5.0, 4.0, 1.0, 0.5])
    scores[5, 2] = np.nan
    got = call(answer, scores.copy(), cost.copy())
    if got is None or np.shape(got) != ():
        return "Return one index, a whole number."
    if got == 5:
        return "Candidate 5 failed on a fold: its mean is NaN, and NaN may not be chosen."
    if got == 1:  # 0.885 is more than 0.90 - 0.0224
        return "You allowed one standard deviation; the standard error divides it by sqrt(folds)."
    if got == 2:  # of 0, 2 and 3, the last is the cheapest: place 2 among three
        return "A place among those that are left? Turn it into an index of all candidates."
    if got == 0:
        return "That is the best one. Others lie within one standard error of it and cost less."
    if got == 4:
        return "That is the cheapest of all, but it lies far below the best."
    if got != 3:
        return "Keep those with mean >= best mean - standard error; of these, the least cost."
    wide = np.array([0.8, 0.9, 1.0]) - 0.9  # the deviation needs ddof=1
    second = np.array([0.9, 0.9 - 0.0520])[:, None] + wide
    if call(answer, second.copy(), np.array([2.0, 1.0])) != 1:
        return "Use std(ddof=1): the mean is estimated from the same few folds."
    noisy = np.array([[0.9, 0.9, 0.9], [0.5, 0.89, 1.0]])
    try:
        got = call(answer, noisy.copy(), np.array([2.0, 1.0]))
    except ValueError:
        return "With an error of 0 nobody is left: the best is within its own error, so use >=."
    if got != 0:
        return "The standard error is that of the best candidate, not of each candidate itself."
    return None
