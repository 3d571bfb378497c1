"""Checks of the exercises of notebook 28, compression."""

import math

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.special import betaln, xlogy


@exercise("28.1")
def bits_per_pixel(answer) -> str | None:
    ideas = {
        86.76 / math.log(2): "Those are bits per image; an image has 784 pixels.",
        86.76 / 784: "Those are nats per pixel; a nat is 1/ln 2 bits.",
        86.76 * math.log(2) / 784: "Turn it over: a nat is more than a bit.",
        86.76 / math.log(2) / 28: "An image has 28 x 28 pixels, not 28.",
    }
    general = "From nats to bits divide by ln 2; then share them out among 28 x 28 pixels."
    return number(answer, 86.76 / math.log(2) / 784, 3, general, ideas)


@exercise("28.2")
def adaptive_bits(answer) -> str | None:
    rng = np.random.default_rng(0)
    contexts = rng.integers(6, size=300)
    pixels = (rng.random(300) < contexts / 5).astype(int)  # one context all 0, one all 1
    black = np.bincount(contexts, pixels, minlength=6)
    white = np.bincount(contexts, minlength=6) - black
    right = _as_it_goes(white, black, 0.5)
    with np.errstate(all="ignore"):
        got = np.asarray(call(answer, contexts.copy(), pixels.copy()), dtype="float64")
    if got.shape != ():
        return f"Return one number, the bits of all pixels together; yours has shape {got.shape}."
    if not np.isfinite(got):
        return "Not finite: without half a count each, a colour not seen so far is impossible."
    ahead = -(_log2_steps(white) + _log2_steps(black)).sum() + _log2_totals(white + black)
    ideas = [
        (right, None),
        (right * math.log(2), "Those are nats; a bit is ln 2 nats."),
        (right / 300, "That is the mean; return the bits of all pixels together."),
        (-right, "Mind the sign: a length is -log2 of a probability."),
        (
            _as_it_goes(white, black, 1),
            "Begin with half a count for each colour, not a whole.",
        ),
        (
            _as_it_goes(white.sum(), black.sum(), 0.5),
            "You counted all contexts together; each has counts of its own.",
        ),
        (_static(white, black, 0), "You counted all pixels first; use only earlier ones."),
        (_static(white, black, 0.5), "You counted all pixels first; use only earlier ones."),
        (ahead, "Code the pixel first, then count it: the receiver does not know it yet."),
    ]
    for value, hint in ideas:
        if math.isclose(got, value, rel_tol=1e-4):
            return hint
    return "Two pixels of one context, both 0, take -log2(1/2) - log2(3/4) = 1.415 bits."


def _as_it_goes(white, black, begin: float) -> float:
    """Bits of adaptive counts in closed form: only how often each colour came matters."""
    return -np.sum(betaln(white + begin, black + begin) - betaln(begin, begin)) / math.log(2)


def _static(white, black, begin: float) -> float:
    """Bits with the frequencies of all pixels, which are known only at the end."""
    share = (white + begin) / (white + black + 2 * begin)
    return -np.sum(xlogy(white, share) + xlogy(black, 1 - share)) / math.log(2)


def _log2_steps(counts) -> np.ndarray:
    """Of each count n, the sum of log2(k + 1/2) for k = 1 to n."""
    return np.array([np.log2(np.arange(1, n + 1) + 0.5).sum() for n in counts])


def _log2_totals(counts) -> float:
    """The sum of log2(k + 1) for k = 1 to n, over all counts n."""
    return sum(np.log2(np.arange(1, n + 1) + 1).sum() for n in counts)


@exercise("28.3")
def length_of_a_file(answer) -> str | None:
    hints = {
        "a": None,
        "b": "They are all given back, but a poor q frees fewer of them than the code costs.",
        "c": "That is the rate, what the whole code costs. With a perfect q it is not 0 either.",
    }
    return chosen(answer, hints)
