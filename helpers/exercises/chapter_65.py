"""Checks of the exercises of notebook 65, are the features worth it."""

import math

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np


@exercise("65.1")
def points_of_a_test_set(answer) -> str | None:
    right = math.sqrt(0.9 * 0.1 / 500)
    if is_close(answer, right, 1e-4):
        return None
    if is_close(answer, 100 * right, 1e-2):
        return "As a fraction, please, not in points."
    if is_close(answer, math.sqrt(0.9 * 0.1), 1e-3):
        return "That is the standard deviation of a single image; the mean of 500 varies less."
    if is_close(answer, 0.9 * 0.1 / 500, 1e-6):
        return "That is the variance; take its square root."
    if is_close(answer, math.sqrt(0.9 / 500), 1e-4):
        return "An image is right (1) or wrong (0): the variance of that is p (1 - p)."
    return "Each image is right with probability p = 0.9: sqrt(p (1 - p) / n)."


@exercise("65.2")
def which_is_a_leak(answer) -> str | None:
    return chosen(
        answer,
        {
            "a": "No leak: a Pipeline refits PCA on the training part of every fold.",
            "b": "No leak into the test: unlabelled *training* images, as stated beforehand.",
            "c": None,
            "d": "No leak: test images are only transformed; nothing is learned from them.",
        },
    )


@exercise("65.3")
def fits_of_a_search(answer) -> str | None:
    def right(settings: int, classifiers: int, folds: int, is_cached: bool) -> int:
        return settings * folds * (1 if is_cached else classifiers) + 1

    cases = [(4, 6, 3), (2, 24, 5), (1, 7, 10), (5, 1, 2)]
    got = {
        (case, kept): float(call(answer, *case, kept)) for case in cases for kept in (True, False)
    }
    wrong = [case for case in got if got[case] != right(*case[0], case[1])]
    if not wrong:
        return None
    if all(got[case] == right(*case[0], case[1]) - 1 for case in got):
        return "The refit of the best pipeline on all labelled images is a fit as well."
    if all(got[case] == right(*case[0], False) for case in got):
        return "With the cache, all classifiers of one setting share the fits of that setting."
    if all(got[case] == right(*case[0][:2], 1, case[1]) for case in got):
        return "Every fold has another training part, and so another VAE."
    (case, kept), target = wrong[0], right(*wrong[0][0], wrong[0][1])
    return (
        f"fits{(*case, kept)} must be {target}, yours is {got[case, kept]:g}: settings x folds, "
        "times classifiers without a cache, and one refit."
    )


@exercise("65.4")
def rows_that_leak(answer) -> str | None:
    rng = np.random.default_rng(43)
    x = rng.random((12, 5)).astype("float32")
    cases = [(x[:8], x[8:], 0), (x[:9], x[8:], 1), (x, x[8:], 4), (x[8:], x[:8], 0)]
    cases += [(x[[0, 3, 5]], x[[5, 3, 1]], 2)]
    got = [float(call(answer, fitted.copy(), held.copy())) for fitted, held, _ in cases]
    target = [float(count) for *_, count in cases]
    if got == target:
        return None
    if got == [float(np.isin(held, fitted).sum()) for fitted, held, _ in cases]:
        return "You counted single pixels; a row leaks when all of its values occur in one row."
    if got == [float(count > 0) for count in target]:
        return "Return how many held-out rows occur, not whether one does."
    index = next(i for i, (a, b) in enumerate(zip(got, target, strict=True)) if a != b)
    return (
        f"With {len(cases[index][0])} rows fitted and {len(cases[index][1])} held out, "
        f"{target[index]:g} of the held-out rows were fitted; you return {got[index]:g}."
    )
