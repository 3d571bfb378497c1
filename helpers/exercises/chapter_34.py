"""Checks of the exercises of notebook 34, discrete codes."""

import math

from helpers.exercises import call, chosen, exercise, number
import numpy as np


@exercise("34.1")
def bits_of_a_photograph(answer) -> str | None:
    raw, words = 128 * 128 * 3 * 8, 32 * 32
    ideas = {
        raw / 8 / (words * 9): "Each colour of a pixel has 8 bits.",
        raw / 3 / (words * 9): "A pixel has three colours.",
        raw / (words * 512): "A choice of one in 512 is not 512 bits: how many yes-no questions?",
        raw / words: "A choice of one in 512 is more than one bit.",
        raw / (words * math.log(512)): "Those are nats per word; count bits on both sides.",
        words * 9 / raw: "Upside down: how many times fewer, a number above 1.",
        128 * 128 / words: "Those are pixels per word; count the bits of both.",
    }
    general = "The raw bits over the bits of all words; a word of 512 has log2 512 bits."
    return number(answer, raw / (words * 9), 3, general, ideas)


@exercise("34.2")
def look_back_by_one_word(answer) -> str | None:
    rng = np.random.default_rng(0)
    train, test = (np.cumsum(rng.integers(1, 3, (n, 4)), axis=1) % 5 for n in (40, 30))
    train[:, 3] = train[:, 2]  # in the last place a word follows itself
    with np.errstate(all="ignore"):
        got = np.asarray(call(answer, train.copy(), test.copy(), 5), dtype="float64")
    right = _chain(train, test)
    if got.shape != (30,):
        return f"30 sentences need 30 numbers, shape (30,); yours has shape {got.shape}."
    if not np.isfinite(got).all():
        return "Not finite: without half a count, a pair of words not seen so far is impossible."
    first = _bits(_shares(np.bincount(train[:, 0], minlength=5)), test[:, 0])
    ideas = [
        (right, None),
        (right * math.log(2), "Those are nats; a bit is ln 2 nats."),
        (-right, "Mind the sign: a length is -log2 of a probability."),
        (right - first, "The first word has to be sent, too."),
        (_chain(test, test), "Count in `train`: the receiver does not have `test`."),
        (_chain(train, test, half=1), "Add half a count to each, not a whole."),
        (_chain(train, test, pooled=True), "Count each place alone: you pooled the places."),
        (_chain(train, test, back=False), "Those are frequencies: look back by one word."),
        (_chain(train, test, axis=0), "Shares among the followers of a word must sum to 1."),
    ]
    for values, hint in ideas:
        if np.allclose(got, values, rtol=1e-4):
            return hint
    return "For one word before: its followers' counts plus 1/2, over their sum plus size/2."


def _shares(counts, half: float = 0.5, axis: int = -1) -> np.ndarray:
    return (counts + half) / (counts + half).sum(axis=axis, keepdims=True)


def _bits(shares, words) -> np.ndarray:
    return -np.log2(shares[words])


def _chain(train, test, half=0.5, pooled=False, back=True, axis=-1) -> np.ndarray:
    """Bits of each sentence of 4 words from 5, the right way or in a way that is named."""
    total = _bits(_shares(np.bincount(train[:, 0], minlength=5), half), test[:, 0])
    pairs = np.zeros((4, 5, 5))
    for place in (1, 2, 3):
        np.add.at(pairs[place], (train[:, place - 1], train[:, place]), 1)
    if pooled:
        pairs[:] = pairs.sum(axis=0)
    if not back:
        pairs[:] = pairs.sum(axis=1, keepdims=True)
    for place in (1, 2, 3):
        total = total + _bits(
            _shares(pairs[place], half, axis), (test[:, place - 1], test[:, place])
        )
    return total


@exercise("34.3")
def chosen_sentence(answer) -> str | None:
    hints = {
        "a": "The receiver needs no rule: the sentence stands in the message, then the pixels do.",
        "b": None,
        "c": "The inequality holds for each sentence and every decoder.",
    }
    return chosen(answer, hints)
