"""Checks of chapter 11, "Why maximise a lower bound?"."""

from helpers.exercises import call, exercise, number
import numpy as np


@exercise("11.1")
def check_gap_of_the_prior(answer: object) -> str | None:
    gap = 0.5 * (np.log(0.25) + (1 + 0.5**2) / 0.25 - 1)  # KL(N(0, 1) || N(-1/2, 1/4))
    evidence = -0.5 * np.log(2 * np.pi * 3) - 1 / 6
    other_way = 0.5 * (0.25 + 0.5**2 - 1 - np.log(0.25))
    ideas = {
        -gap: "Only the sign is wrong: the ELBO is below, so log p(x) minus ELBO is positive.",
        other_way: "That is the KL from the posterior to the prior; the gap is KL(q || posterior).",
        evidence: "That is log p(x) itself; the question asks how far the ELBO stays below it.",
        evidence - gap: "That is the ELBO itself; the question asks how far it stays below.",
        gap / np.log(2): "That is the gap in bits; give it in nats.",
        0.5 * (4 + 1 / 0.25 - 1 + np.log(0.25)): "That is the gap for x = 2; here x = -1.",
        0.5 * (np.log(0.5) + (1 + 0.5**2) / 0.5 - 1): (
            "You took the posterior's standard deviation, 0.5, for its variance, 0.25."
        ),
    }
    general = "The posterior is N(-1/2, 1/4) and q is N(0, 1): either subtract, or take their KL."
    return number(answer, gap, 3, general, ideas)


def _elbo_of_many(x, weights, noise, z_mean, z_log_var) -> float:
    """Evidence minus the KL between two full Gaussians: nothing here is an expected log joint."""
    d, variance = len(weights), np.exp(z_log_var)
    precision = np.eye(d) + np.outer(weights, weights) / noise
    offset = z_mean - np.linalg.solve(precision, weights * x / noise)
    kl = np.diag(precision) @ variance + offset @ precision @ offset - d
    kl -= z_log_var.sum() + np.linalg.slogdet(precision)[1]
    total = weights @ weights + noise
    return float(-0.5 * (np.log(2 * np.pi * total) + x**2 / total) - 0.5 * kl)


def _wrong_elbos(x, weights, noise, z_mean, z_log_var) -> dict[str, float]:
    """What typical mistakes return, by the hint that they deserve."""
    variance = np.exp(z_log_var)

    def assemble(spread, kl_terms, sign=-1.0, constant=2 * np.pi * noise, divisor=noise):
        error = (x - weights @ z_mean) ** 2 + spread
        return -0.5 * (np.log(constant) + error / divisor) + sign * 0.5 * kl_terms

    spread, terms = weights**2 @ variance, z_mean**2 + variance - 1 - z_log_var
    sd_terms = z_mean**2 + np.sqrt(variance) - 1 - z_log_var
    double = z_mean**2 + variance**2 - 1 - 2 * z_log_var
    return {
        "The spread of q is missing: the mean of (x - w.z)^2 is more than (x - w.z_mean)^2.": (
            assemble(0, terms.sum())
        ),
        "A weight w turns a variance into w^2 times it; you have w.": (
            assemble(weights @ variance, terms.sum())
        ),
        "The KL to the prior is missing.": assemble(spread, 0.0),
        "The KL has the wrong sign: straying from the prior must cost, not pay.": (
            assemble(spread, terms.sum(), sign=1.0)
        ),
        "Sum the KL over the latents; you took the mean.": assemble(spread, terms.mean()),
        "The 1/2 of the KL is missing.": assemble(spread, 2 * terms.sum()),
        "The normaliser of the likelihood, -log(2 pi noise) / 2, is missing.": (
            assemble(spread, terms.sum(), constant=1.0)
        ),
        "You took the log variance for a log standard deviation: the variance is exp(z_log_var).": (
            assemble(weights**2 @ variance**2, double.sum())
        ),
        "You have a standard deviation where a variance belongs.": (
            assemble(weights**2 @ np.sqrt(variance), sd_terms.sum())
        ),
        "noise is a variance already; do not square it.": (
            assemble(spread, terms.sum(), constant=2 * np.pi * noise**2, divisor=noise**2)
        ),
        "The latents are independent under q: their variances add, not their deviations.": (
            assemble((weights @ np.sqrt(variance)) ** 2, terms.sum())
        ),
        "Only the sign is wrong: you return -ELBO.": -assemble(spread, terms.sum()),
    }


@exercise("11.2")
def check_elbo_of_many(answer: object) -> str | None:
    rng = np.random.default_rng(11)
    for d in (1, 2, 5):
        weights, z_mean, z_log_var = rng.normal(size=(3, d))
        case = 1.7, weights, 0.6, z_mean, z_log_var
        got = np.asarray(call(answer, *(np.copy(part) for part in case)), dtype="float64")
        if got.shape != ():
            return f"Return one number; yours has shape {got.shape}."
        expected = _elbo_of_many(*case)
        if abs(got - expected) < 1e-6:
            continue
        for hint, wrong in _wrong_elbos(*case).items():
            if abs(got - wrong) < 1e-6:
                return hint
        total = weights @ weights + 0.6
        above = got > -0.5 * (np.log(2 * np.pi * total) + 1.7**2 / total)
        alarm = " That is above log p(x), which no ELBO can be." if above else ""
        return f"For d = {d} it should be {expected:.4f}, got {got:.4f}.{alarm}"
    return None


def _best_tempered(beta: float) -> float:
    """The maximum over q is beta * log of the mean of p(x | z)^(1 / beta) under the prior."""
    x, weight, noise = 2.0, 1.5, 0.75
    total = weight**2 + noise * beta
    normaliser = 0.5 * np.log(2 * np.pi * noise * beta) - np.log(2 * np.pi * noise) / (2 * beta)
    return beta * (normaliser - 0.5 * (np.log(2 * np.pi * total) + x**2 / total))


@exercise("11.3")
def check_half_a_kl(answer: object) -> str | None:
    evidence, maximum = _best_tempered(1.0), _best_tempered(0.5)
    ideas = {
        maximum: "That is the maximum itself; subtract log p(x).",
        evidence - maximum: "Only the sign is wrong: the maximum lies above log p(x).",
        0.25 * (0.25 + 1 - 1 - np.log(0.25)): (
            "That is the excess for q = posterior. It maximises beta = 1; for 0.5 there is better."
        ),
        _best_tempered(2.0) - evidence: "That is beta = 2; here the KL counts half.",
    }
    general = "Maximise reconstruction - 0.5 * KL over z_mean and z_log_var, and subtract log p(x)."
    return number(answer, maximum - evidence, 3, general, ideas)
