"""Checks of the exercises of notebook 90, glossary and questions."""

from collections.abc import Mapping
import math

from helpers.exercises import Unanswered, call, chosen, exercise, number
from helpers.table import ArchitectureTable
import numpy as np


@exercise("90.1")
def four_terms(answer) -> str | None:
    right = {
        "后验坍缩": "posterior collapse",
        "代理模型": "surrogate",
        "留出法": "hold-out",
        "重参数化": "reparameterisation",
    }
    if not isinstance(answer, Mapping) or set(answer) != set(right):
        return f"Answer with a dict whose keys are {', '.join(right)}."
    if ... in answer.values():
        raise Unanswered
    wrong = [term for term in right if _plain(answer[term]) != _plain(right[term])]
    return f"Look up {', '.join(wrong)} again." if wrong else None


def _plain(term: object) -> str:
    letters = "".join(sign for sign in str(term).lower() if sign.isalpha())
    letters = letters.replace("z", "s").removeprefix("the")
    for more in ("model", "trick", "method", "set"):
        letters = letters.removesuffix(more)
    return letters.replace("parametris", "parameteris")


@exercise("90.2")
def the_right_sentence(answer) -> str | None:
    return chosen(
        answer,
        {
            "a": "The gap is the KL to the posterior; which one stands in the loss?",
            "b": "A lower bound above what it bounds is a bug.",
            "c": None,
            "d": "The reconstruction keeps its scale, so it changes the balance: beta.",
            "e": "Means and variances of test images are knowledge of test images.",
        },
    )


@exercise("90.3")
def from_means_to_sums(answer) -> str | None:
    if np.shape(answer) != (2,):
        return "Answer with a pair: nats per image, bits per pixel."
    if ... in tuple(answer):
        raise Unanswered
    nats, bits = (float(value) for value in answer)
    right = 0.118 * 784 + 0.021 * 20
    means = {
        0.139: "Both are means; multiply each by the number of terms before you add.",
        0.139 * 784: "The KL is averaged over 20 latents, not over the pixels.",
    }
    sums = "Sum the reconstruction over 784 pixels and the KL over 20 latents."
    hint = number(nats, right, 2, sums, means)
    if hint is not None:
        return hint
    others = {
        right / 784: "The nats are right. A bit is ln 2 nats, so there are more bits than nats.",
        right / math.log(2): "The nats are right. Those are bits per image; there are 784 pixels.",
    }
    divide = "The nats are right. Divide by ln 2 and by the number of pixels."
    return number(bits, right / math.log(2) / 784, 2, divide, others)


@exercise("90.4")
def smallest_within(answer) -> str | None:
    table = ArchitectureTable.load()
    nats = table.means()
    for tolerance in (0.0, 0.01, 0.05, 0.1, 0.5, 10.0):
        try:
            got = float(call(answer, tolerance))
        except ValueError:
            if tolerance > 0:
                raise
            return "With a tolerance of 0 the best itself is within it: nats <= best + tolerance."
        right = table.weights[nats <= nats.min() + tolerance].min()
        if got == right:
            continue
        if got == table.weights[(nats <= nats.min() + tolerance).argmax()]:
            return "That is the first network of the table that is near enough, not the smallest."
        side = "smaller" if got > right else "larger"
        return f"For a tolerance of {tolerance} the answer is {side} than {got:,.0f}."
    return None
