"""Checks of the exercises of notebook 35, hierarchies and diffusion."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.special import expit


@exercise("35.1")
def bits_per_pixel(answer) -> str | None:
    ideas = {
        1.02041: "These are nats per pixel. A bit is ln 2 nats.",
        0.707293: "You multiplied by ln 2. A bit is less than a nat, so there are more of them.",
        1154.16: "These are the bits of the whole image.",
        9.47213: "The 8 bits of a cell belong to densities. This bound is of a probability.",
    }
    return number(answer, 1.472125, 3, "Divide by the pixels, and by ln 2.", ideas)


@exercise("35.2")
def right_sd(answer) -> str | None:
    v, now = np.array([0.25, 0.25, 4.0, 1.0, 0.5]), np.array([-5.0, 0.0, 2.0, 6.0, -1.0])
    less = now + np.array([1.0, 3.0, 0.5, 18.3, 6.0])
    got = np.array([call(answer, *row) for row in zip(v, now, less, strict=True)], "float64")
    if got.shape != (5,):
        return "One variance and two levels need one number."
    share = -np.expm1(now - less)
    a_less, known = np.sqrt(expit(less)), share * expit(-less)
    error = v / (1 + v * np.exp(now))  # of the guess of x, at z_i
    variance = known + (a_less * share) ** 2 * error
    wrong = {
        "That is the standard deviation when x is known, as `back` has it.": known**0.5,
        "That is the variance; take its root.": variance,
        "The guess of x comes from z_i: its error is that at `now`, not at `less`.": (
            known + (a_less * share) ** 2 * v / (1 + v * np.exp(less))
        )
        ** 0.5,
        "x enters `back` with a factor, and a factor enters a variance squared.": (
            known + a_less * share * error
        )
        ** 0.5,
        "x enters `back` with a factor: the error of the guess does so too.": (known + error)
        ** 0.5,
        "Variances of independent parts add, standard deviations do not.": known**0.5
        + a_less * share * error**0.5,
        "Given z_i, x is less uncertain than before: its variance is not v any more.": (
            known + (a_less * share) ** 2 * v
        )
        ** 0.5,
    }
    if np.allclose(got, variance**0.5, rtol=1e-4):
        return None
    for hint, value in wrong.items():
        if np.allclose(got, value, rtol=1e-4):
            return hint
    return "Given z_i, z_(i-1) scatters for two reasons: the noise of `back`, and x is not known."


@exercise("35.3")
def bound_after(answer) -> str | None:
    hints = {
        "a": "Which levels hold most of the nats? Those were left out of the training.",
        "b": None,
        "c": "The bound holds for any guess whatever, however it was trained.",
    }
    return chosen(answer, hints)
