"""Checks of the exercises of notebook 64, can a VAE design networks."""

import itertools

from helpers.exercises import call, exercise, is_close, number
import numpy as np


@exercise("64.1")
def validity_by_hand(answer) -> str | None:
    if isinstance(answer, str):
        return "That is a text: leave out the quotation marks, and Python computes the number."
    fork = "That is one of two depths; both are valid, so add them up."
    unequal = "6 of the 40 strings are valid, but the strings are not equally likely."
    return number(
        answer,
        3 / 32,
        2,
        "One layer: 2/4 x 1/4 x 1/4. Two layers: 2/4 x 2/4 x 1/4. Add them up.",
        {
            1 / 8 + 1 / 16: "After one layer and the latents, the third place must be the end: "
            "another 1/4.",
            1 / 32: fork,
            1 / 16: fork,
            6 / 40: unequal,
            6 / 39: unequal,  # without the empty string
            1 / 32 + 1 / 64: "Two layers and the latents fill all three places: no end is needed, "
            "or drawn.",
        },
    )


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
        if not is_close(shuffled, 2 / 3, 1e-9):
            return "The order of the rows must not matter."
        known_tokens = np.array([[3, 9, 0, 0], [1, 4, 9, 0]])
        if not is_close(call(answer, known_tokens, training.copy()), 1, 1e-9):
            return "A string of known tokens can be new: compare whole rows."
        return None
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
def draws_for_half(answer) -> str | None:
    size = 2336
    if is_close(answer, size * np.log(2), 0.05):
        return None  # with ln(1 - 1/N) = -1/N: 1619.2
    return number(
        answer,
        np.log(0.5) / np.log(1 - 1 / size),
        3,
        "One architecture is never seen in n draws with probability (1 - 1/2336)^n: when is that "
        "one half?",
        {
            size / 2: "So many would do if no draw were a repetition: remember the birthday "
            "problem.",
            size: "After 2,336 draws about 63 % have been seen.",
            np.log(0.5) / np.log(1 - 2 / size): "Half of the architectures, not half of the "
            "training half: each is drawn with probability 1/2336.",
        },
    )


@exercise("64.4")
def ordered_code(answer) -> str | None:
    rows = [
        (*layers, latents, *[0] * (3 - depth))
        for depth in (1, 2, 3)
        for layers in itertools.product(range(1, 9), repeat=depth)
        for latents in range(9, 13)
    ]
    codes = np.asarray(call(answer, np.array(rows, "int32")), dtype="float64")
    if codes.ndim != 2 or len(codes) != len(rows):
        return (
            f"Return a row of numbers for each string: ({len(rows)}, columns), not {codes.shape}."
        )
    if not np.isfinite(codes).all():
        return "Every number must be finite; give a layer that does not exist some fixed value."

    def code_of(depth: int, where: int, token: int) -> np.ndarray:
        """Of "16 relu, ..., 2 latents" with this depth, and another token in one place."""
        row = [*[1] * depth, 9, *[0] * (3 - depth)]
        row[where] = token
        return codes[rows.index(tuple(row))]

    for depth, where in [(d, place) for d in (1, 2, 3) for place in range(d + 1)]:
        tokens = range(9, 13) if where == depth else range(1, 9, 2)  # latents, or widths
        first, *others = (code_of(depth, where, token) for token in tokens)
        near = [np.linalg.norm(other - first) for other in others]
        if not 0 < near[0] < near[1] - 1e-9 < near[2] - 2e-9:
            what = "2 latents must be nearer to 4 than to 8" if where == depth else None
            return (
                f"{what or 'A width of 16 must be nearer to 32 than to 64'}, and so on: give what "
                "is ordered a column with a growing number."
            )
    steps = [code_of(depth, depth, 10) - code_of(depth, depth, 9) for depth in (1, 2, 3)]
    if not np.allclose(steps, steps[0], rtol=0, atol=1e-9):
        return (
            "From 2 to 4 latents must be the same step at every depth: their token stands in place "
            "2, 3 or 4, so find it, and give it a column of its own."
        )
    if len(np.unique(codes.round(9), axis=0)) < len(rows):
        return "Some different architectures have the same code: the depth, or an activation?"
    return None
