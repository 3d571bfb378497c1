"""Checks of the exercises of notebook 13, gradients through samples."""

from functools import partial

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np

_near = partial(np.allclose, rtol=1e-4, atol=1e-6)  # of a gradient by finite differences


@exercise("13.1")
def ratio_of_variances(answer) -> str | None:
    if is_close(answer, 55.5, 0.06):
        return None
    if is_close(answer, 1 / 55.5, 1e-3):
        return "Turn it over: the score function has the larger variance."
    if is_close(answer, 222, 0.5) or is_close(answer, 4, 0.01):
        return "That is one of the two variances; the question asks for their ratio."
    if is_close(answer, 64.5, 0.1) or is_close(answer, 258 / 40, 0.02):
        return "A variance is the mean square minus the squared mean, and the mean is 6, not 0."
    if is_close(answer, 55.5**0.5, 0.02):
        return "That is the ratio of the standard deviations; square it."
    return "One draw of each is x**2 * noise and 2 * x, with x = 3 + noise. Both have mean 6."


@exercise("13.2")
def pathwise_gradients(answer) -> str | None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var, noise = rng.normal(size=(3, 5, 2))
    for function, slope in ((np.sin, np.cos), (np.square, lambda z: 2 * z), (np.exp, np.exp)):
        got = call(answer, slope, z_mean, z_log_var, noise)
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


@exercise("13.3")
def estimator_of_a_wiggle(answer) -> str | None:
    hints = {
        "a": "Not always. The slope of sin(20x) is up to 20; what does that do to 2nd moments?",
        "b": None,
        "c": "Compute both second moments: E[f**2 * noise**2] and E[f'**2].",
    }
    return chosen(answer, hints)


def _sampler(seed: int, mistake: str = ""):
    """A NumPy sampler, right or with one of the mistakes of notebook 13."""
    rng = np.random.default_rng(seed)

    def sampling(z_mean, z_log_var):
        batch, latents = shape = np.shape(z_mean)
        shape = {"latents": (batch, 1), "rows": (1, latents)}.get(mistake, shape)
        source = np.random.default_rng(seed) if mistake == "calls" else rng
        noise = source.standard_normal(shape)
        scale = {"half": np.exp(z_log_var), "log": z_log_var}.get(mistake, np.exp(z_log_var / 2))
        return z_mean + scale * noise

    return sampling


@exercise("13.4")
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
        "latents": "noise of shape (batch, 1); look at the correlation between latents",
        "rows": "one noise vector for all rows; give equal rows and see whether the draws differ",
        "calls": "the same noise at every call; call it twice",
    }
    for mistake, hint in hints.items():
        if call(answer, _sampler(7, mistake)):
            return f"You let this one pass: {hint}."
    return None
