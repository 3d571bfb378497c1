"""Checks of the exercises of notebook 00, the first look."""

from helpers import data
from helpers.exercises import chosen, exercise, is_close
import numpy as np


@exercise("00.1")
def image_of_a_one(answer) -> str | None:
    """The answer is a decoded image; the judge is a nearest-neighbour vote among real digits."""
    from sklearn.neighbors import KNeighborsClassifier  # takes a second: only when asked

    digits = data.load("mnist-5k")
    judge = KNeighborsClassifier(5).fit(digits.x_train.reshape(-1, 784), digits.y_train)
    votes = judge.predict_proba(np.reshape(answer, (1, 784)))[0]
    if votes.argmax() == 1 and votes[1] >= 0.8:
        return None
    return (
        f"The judge sees a {votes.argmax()} ({votes.max():.0%} of its votes). Look for one upright "
        "stroke in the grid above."
    )


@exercise("00.2")
def is_it_lossless(answer) -> str | None:
    hints = {
        "a": "Compare an image with its reconstruction in chapter 21: what is missing?",
        "b": None,
        "c": "Two numbers, known to a limited precision, cannot tell all images apart.",
    }
    return chosen(answer, hints)


@exercise("00.3")
def cost_of_ignorance(answer) -> str | None:
    if np.shape(answer) != (2,):
        return "Answer with a pair, (nats, bits)."
    nats, bits = answer
    if is_close(nats, 64 * np.log(2), 0.01) and is_close(bits, 64, 1e-6):
        return None
    if is_close(bits, 64 * np.log(2), 0.01) and is_close(nats, 64, 1e-6):
        return "Nearly: you swapped the two. One bit is ln 2 = 0.693 nats."
    return "Each pixel is one fair coin: one bit, or ln 2 nats. How many pixels are there?"
