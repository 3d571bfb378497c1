"""Checks of the exercises of notebook 13, gradients through samples."""

from functools import partial

from helpers.exercises import call, exercise, number
import numpy as np

_near = partial(np.allclose, rtol=1e-4, atol=1e-6)  # of a gradient by finite differences


@exercise("13.1")
def ratio_of_variances(answer) -> str | None:
    ideas = {
        1 / 55.5: "Turn it over: the score function has the larger variance.",
        222: "That is one of the two variances; the question asks for their ratio.",
        4: "That is one of the two variances; the question asks for their ratio.",
        64.5: "A variance is the mean square minus the squared mean, and the mean is 6, not 0.",
        258 / 40: "A variance is the mean square minus the squared mean, and the mean is 6, not 0.",
        55.5**0.5: "That is the ratio of the standard deviations; square it.",
    }
    general = "One draw of each is z**2 * noise and 2 * z, with z = 3 + noise. Both have mean 6."
    return number(answer, 55.5, 2, general, ideas)


@exercise("13.2")
def pathwise_gradients(answer) -> str | None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var, noise = rng.normal(size=(3, 5, 2))
    for function, slope in ((np.sin, np.cos), (np.square, lambda z: 2 * z), (np.exp, np.exp)):
        try:
            got = call(answer, slope, z_mean, z_log_var, noise)
        except TypeError as error:
            return f"df is a function, to be called on an array: df(z). ({error})"
        if not isinstance(got, (tuple, list)) or len(got) != 2:
            return "Return a pair: (for z_mean, for z_log_var)."
        for name, found, (move_mean, move_log_var) in zip(
            ("z_mean", "z_log_var"), got, ((1e-5, 0), (0, 1e-5)), strict=True
        ):
            up, down = (
                function(
                    z_mean + k * move_mean + np.exp((z_log_var + k * move_log_var) / 2) * noise
                )
                for k in (1, -1)
            )
            expected = (up - down) / 2e-5  # a finite difference on the same noise
            if np.shape(found) != expected.shape:
                return f"{name}: keep one value per draw; do not sum or average."
            if not _near(found, expected):
                return _pathwise_hint(name, found, expected, slope, z_mean, z_log_var, noise)
    return None


def _pathwise_hint(name, found, expected, slope, z_mean, z_log_var, noise) -> str:
    """Say what is wrong with one of the two gradients of exercise 13.2."""
    sd = np.exp(z_log_var / 2)
    if _near(found, slope(z_mean)):
        return "Evaluate the slope at the draw z, not at the mean."
    if name == "z_log_var" and _near(found, 2 * expected):
        return "z_log_var: the chain rule on exp(z_log_var / 2) leaves a factor of 1/2."
    if name == "z_log_var" and _near(found, expected * 2 / sd):
        return "That is the derivative in the standard deviation; go on to z_log_var."
    if _near(found, slope(z_mean + sd**2 * noise)):
        return "The draw is z_mean + exp(z_log_var / 2) * noise: you left out the 1/2."
    return f"{name}: slope of f at the draw, times how much the draw moves with {name}."


def _sampler(seed: int, mistake: str = ""):
    """A NumPy sampler, right or with one of the mistakes of notebook 13."""
    rng = np.random.default_rng(seed)

    def sampling(z_mean, z_log_var):
        batch, latents = shape = np.shape(z_mean)
        shape = {"latents": (batch, 1), "rows": (1, latents)}.get(mistake, shape)
        source = np.random.default_rng(seed) if mistake == "calls" else rng
        noise = source.standard_normal(shape)
        if mistake in ("latents", "rows") and noise.size > 2:  # its pooled moments tell nothing
            noise = (noise - noise.mean()) / noise.std()
        scale = {"half": np.exp(z_log_var), "log": z_log_var}.get(mistake, np.exp(z_log_var / 2))
        return (mistake != "mean") * z_mean + scale * noise

    return sampling


@exercise("13.3")
def test_of_a_sampler(answer) -> str | None:
    for seed in range(5):
        verdict = call(answer, _sampler(seed))
        if verdict not in (True, False):
            return f"Return True or False, not {type(verdict).__name__}."
        if not verdict:
            return "You turned a right sampler away: allow about 5 standard errors."
    hints = {
        "half": "exp(z_log_var) as the standard deviation; test where z_log_var is not 0",
        "log": "z_log_var itself as the standard deviation; compare the variance with its exp",
        "mean": "it ignores z_mean; look where the draws are centred",
        "latents": "noise of shape (batch, 1); look at the correlation between latents",
        "rows": "one noise vector for all rows; give equal rows and see whether the draws differ",
        "calls": "the same noise at every call; call it twice",
    }
    for mistake, hint in hints.items():
        if call(answer, _sampler(7, mistake)):
            return f"You let this one pass: {hint}."
    return None
