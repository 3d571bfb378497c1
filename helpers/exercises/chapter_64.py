"""Checks of the exercises of notebook 64, can a VAE design networks."""

import math

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np


@exercise("64.1")
def validity_by_hand(answer) -> str | None:
    if is_close(answer, 3 / 32, 1e-4):
        return None
    if is_close(answer, 1 / 8 + 1 / 16, 1e-4):
        return "After one layer and the latents, the third place must be the end: another 1/4."
    if is_close(answer, 1 / 32, 1e-4) or is_close(answer, 1 / 16, 1e-4):
        return "That is one of two depths; both are valid, so add them up."
    if is_close(answer, 6 / 40, 1e-3) or is_close(answer, 6 / 39, 1e-3):  # 39 without the empty one
        return "6 of the 40 strings are valid, but the strings are not equally likely."
    if is_close(answer, 1 / 32 + 1 / 64, 1e-4):
        return "Two layers and the latents fill all three places: no end is needed, or drawn."
    return "One layer: 2/4 x 1/4 x 1/4. Two layers: 2/4 x 2/4 x 1/4. Add them up."


@exercise("64.2")
def novelty(answer) -> str | None:
    training = np.array([[1, 9, 0, 0], [2, 9, 0, 0], [3, 4, 10, 0]])
    samples = np.array([[1, 9, 0, 0], [5, 9, 0, 0], [5, 9, 0, 0], [5, 9, 0, 0], [3, 4, 5, 9]])
    got = float(call(answer, samples.copy(), training.copy()))
    if is_close(got, 2 / 3, 1e-9):
        copied = call(answer, np.repeat(training, 2, axis=0), training.copy())
        if not is_close(copied, 0, 1e-9):
            return "A generator that only copies its training set must have novelty 0."
        shuffled = call(answer, samples[::-1].copy(), training[::-1].copy())
        return None if is_close(shuffled, 2 / 3, 1e-9) else "The order of the rows must not matter."
    if is_close(got, 4 / 5, 1e-9):
        return "The same new string three times is one invention: count different strings."
    if is_close(got, 1 / 3, 1e-9) or is_close(got, 1 / 5, 1e-9):
        return "That is the share that *is* in the training set; the new ones are the rest."
    if is_close(got, 2 / 5, 1e-9):
        return "Divide by the number of different strings, not by the number of samples."
    if is_close(got, 2, 1e-9):
        return "That is how many are new; divide by how many different ones there are."
    if is_close(got, 1, 1e-9):
        return "Compare whole rows: turn each into a tuple and use sets."
    return "Different samples that are not in the training set, divided by different samples: 2/3."


@exercise("64.3")
def uniqueness_of_uniform_draws(answer) -> str | None:
    n, size = 1000, 2336
    right = size * (1 - (1 - 1 / size) ** n) / n
    if is_close(answer, right, 6e-4):
        return None
    if is_close(answer, right * n, 1):
        return "That is the number of different ones; divide by the 1,000 draws."
    if is_close(answer, (1 - 1 / size) ** n, 2e-3):
        return "That is the chance that one architecture is never drawn; go on from there."
    if is_close(answer, 1 - (1 - 1 / size) ** n, 2e-3):
        return "That is the share of the 2,336 that was drawn; per draw it is 2336/1000 of that."
    if is_close(answer, 1, 1e-9):
        return "Repeats happen long before all 2,336 are drawn: remember the birthday problem."
    return "An architecture is never drawn with probability (1 - 1/2336)^1000. Add up the others."


@exercise("64.4")
def what_counts_as_a_query(answer) -> str | None:
    if is_close(answer, 1, 1e-9):
        return None
    if is_close(answer, 500, 1e-9):
        return "Decoding costs microseconds and shows no score: a query is a *training*."
    if is_close(answer, 320, 1e-9):
        return "320 candidates are left, but only the most promising is trained."
    if is_close(answer, 0, 1e-9) or math.isnan(float(answer)):
        return "The most promising one is trained, and its score is seen."
    return "What is invalid, known, repeated or only predicted costs no training."


@exercise("64.5")
def the_price_of_a_code(answer) -> str | None:
    return chosen(
        answer,
        {
            "a": "With beta above 1 the code is dear: the cheaper code, of the depth alone, wins.",
            "b": "At beta = 1 both cost ln 2336 nats: a tie, which rounding and training decide.",
            "c": None,
            "d": "7.34 + 0.42 beta against 7.76 beta: beta decides. Where do the lines cross?",
        },
    )
