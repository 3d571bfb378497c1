"""Checks of the exercises of notebook 90, glossary and questions."""

from collections.abc import Mapping
import math

from helpers.exercises import call, chosen, exercise, is_close
from helpers.table import ArchitectureTable


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
    wrong = [term for term in right if _plain(answer[term]) != _plain(right[term])]
    return f"Look up {', '.join(wrong)} again." if wrong else None


def _plain(term: object) -> str:
    letters = "".join(sign for sign in str(term).lower() if sign.isalpha())
    return letters.replace("z", "s").removesuffix("model").removesuffix("trick")


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
    nats, bits = (float(value) for value in answer)
    right = 0.118 * 784 + 0.021 * 20
    if is_close(nats, 0.139, 1e-3):
        return "Both are means; multiply each by the number of terms before you add."
    if is_close(nats, 0.139 * 784, 0.5):
        return "The KL is averaged over 20 latents, not over the pixels."
    if not is_close(nats, right, 0.06):
        return "Sum the reconstruction over 784 pixels and the KL over 20 latents."
    if is_close(bits, right / 784, 6e-4):
        return "The nats are right. A bit is ln 2 nats, so there are more bits than nats."
    if is_close(bits, right / math.log(2), 0.1):
        return "The nats are right. Those are bits per image; there are 784 pixels."
    if not is_close(bits, right / math.log(2) / 784, 6e-4):
        return "The nats are right. Divide by ln 2 and by the number of pixels."
    return None


@exercise("90.4")
def smallest_within(answer) -> str | None:
    table = ArchitectureTable.load()
    nats = table.means()
    for tolerance in (0.0, 0.01, 0.05, 0.1, 0.5, 10.0):
        got = float(call(answer, tolerance))
        right = table.weights[nats <= nats.min() + tolerance].min()
        if got == right:
            continue
        if got == table.weights[(nats <= nats.min() + tolerance).argmax()]:
            return "That is the first network of the table that is near enough, not the smallest."
        side = "smaller" if got > right else "larger"
        return f"For a tolerance of {tolerance} the answer is {side} than {got:,.0f}."
    return None
