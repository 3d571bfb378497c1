"""Checks of the exercises of notebook 25, what beta buys."""

from helpers import runtime
from helpers.exercises import chosen, exercise, number
import numpy as np

_VARIANCES, _NOISE, _BETA = np.array([3.0, 1.2, 0.4]), 0.25, 2.0
# Rate and distortion of the chapter's VAE at beta = 3, with room for seeds and backends.
_QUICK, _FULL = ((6.0, 10.0), (135.0, 147.0)), ((9.5, 13.0), (105.0, 117.0))


@exercise("25.1")
def rate_at_a_water_level(answer) -> str | None:
    level = _BETA * _NOISE
    rates = 0.5 * np.log(_VARIANCES / level)
    target = rates[_VARIANCES > level].sum()
    error = np.minimum(_VARIANCES, level).sum()
    ideas = {
        rates.sum(): "One direction lies under water: its rate is 0, and never negative.",
        0.5 * np.log(_VARIANCES / _NOISE).sum(): (
            "That is beta = 1. The water stands at beta times s2."
        ),
        2 * target: (
            "The 1/2 is missing: a variance is a square, and the rate counts standard deviations."
        ),
        target / np.log(2): "That is in bits; give it in nats.",
        error: "That is the squared error that is left; the question asks for the rate.",
        error / (2 * _NOISE): "That is distortion; the question asks for the rate.",
    }
    general = "Water level: beta * s2 = 0.5. Which of the three variances rise above the water?"
    return number(answer, target, 3, general, ideas)


@exercise("25.2")
def place_on_the_curve(answer) -> str | None:
    given = np.asarray(answer, dtype="float64")
    if given.shape != (2,):
        return f"Give two numbers, [rate, distortion]; yours has shape {given.shape}."
    rate, distortion = given
    if _fits(rate, distortion):
        return None
    if _fits(distortion, rate):
        return "The rate comes first, then the distortion."
    if _fits(rate / 3, distortion):
        return "That is beta times the rate; give the rate itself."
    if _fits(rate, distortion - rate):
        return "The second number is D + R, the -ELBO; give the distortion alone."
    if _fits(rate, distortion - 3 * rate):
        return "The second number is D + 3R, what training minimises; give the distortion alone."
    return (
        "Call train_at(3.0), then rate_and_distortion(vae, x_val): it should lie between the "
        "places of beta = 2 and beta = 4."
    )


def _fits(rate: float, distortion: float) -> bool:
    (a, b), (c, d) = runtime.budget(quick=_QUICK, full=_FULL)
    return a <= rate <= b and c <= distortion <= d


@exercise("25.3")
def sign_of_collapse(answer) -> str | None:
    hints = {
        "a": "Another beta is another price: at beta = 1 more latents pay.",
        "b": "D + R is the test at beta = 1; this VAE was trained at 4, on D + 4R.",
        "c": None,
    }
    return chosen(answer, hints)
