"""Checks of chapter 12, "What does a simple q miss?"."""

from helpers.exercises import call, exercise, number
import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, poisson


@exercise("12.1")
def check_coverage(answer: object) -> str | None:
    shrink = np.sqrt(1 - 0.8**2)  # q's standard deviation over the exact one

    def inside(width: float) -> float:
        return 2 * float(norm.cdf(width)) - 1

    right = inside(1.96 * shrink)
    ideas = {
        100 * right: "The size is right, but give a probability between 0 and 1, not per cent.",
        1 - right: "That is the probability outside the interval.",
        0.95: "That is the probability under q. Under the exact posterior z1 spreads more widely.",
        inside(1.96 * shrink**2): (
            "You used the ratio of the variances; an interval scales with standard deviations."
        ),
        inside(1.96 / shrink): (
            "Above 0.95? q is the narrower one: its interval holds less of p, not more."
        ),
        float(norm.cdf(1.96 * shrink)): (
            "That leaves out one tail only; the interval ends on both sides."
        ),
    }
    general = "How many exact standard deviations of z1 is 1.96 standard deviations of q?"
    return number(answer, right, 3, general, ideas)


def _reference_gap(covariance: np.ndarray) -> float:
    """The gap from conditional variances (Schur complements), without the precision matrix."""
    log_conditional = 0.0
    for i in range(len(covariance)):
        rest = [j for j in range(len(covariance)) if j != i]
        cross = covariance[i, rest]
        explained = cross @ np.linalg.solve(covariance[np.ix_(rest, rest)], cross)
        log_conditional += np.log(covariance[i, i] - explained)
    log_determinant = 2 * np.sum(np.log(np.diag(np.linalg.cholesky(covariance))))
    return 0.5 * float(log_determinant - log_conditional)


@exercise("12.2")
def check_mean_field_gap(answer: object) -> str | None:
    rng = np.random.default_rng(12)
    cases = [np.array([[1.0, 0.8], [0.8, 1.0]]), np.array([[2.0, -0.5], [-0.5, 0.5]])]
    for size in (3, 5):
        factors = rng.normal(size=(size, size))
        cases.append(factors @ factors.T + 0.3 * np.eye(size))
    cases.append(np.diag([0.5, 2.0, 3.0]))
    for covariance in cases:
        got, gap = float(call(answer, covariance.copy())), _reference_gap(covariance)
        if abs(got - gap) < 1e-6:
            continue
        what = f"For {len(covariance)} latents with variances {np.diag(covariance).round(2)}"
        forward = 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])
        if abs(got + gap) < 1e-6:
            return f"{what} you return {got:.4f}: a KL is never negative, look at the sign."
        if abs(got - 2 * gap) < 1e-6:
            return f"{what} you return twice the gap: where did the 1/2 go?"
        if abs(got - forward) < 1e-6:
            return f"{what} that is the least forward KL, KL(p || q). It agrees only for two."
        if gap < 1e-6:
            return f"{what} and no correlation there is nothing to miss: the gap is 0."
        return f"{what} it should be {gap:.4f}, got {got:.4f}. Insert s_i^2 = 1 / precision_ii."
    return None


def _count_elbo(x: int, z_mean: np.ndarray, z_log_var: np.ndarray) -> float:
    """The ELBO of the visitor model by Gauss-Hermite quadrature: no closed form of a mean rate."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    centre, sd = 1 + 0.7 * (z_mean[0] - z_mean[1]), 0.7 * np.sqrt(np.exp(z_log_var).sum())
    expected = weights @ poisson.logpmf(x, np.exp(centre + sd * nodes)) / weights.sum()
    return float(expected - 0.5 * np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var))


@exercise("12.3")
def check_refine(answer: object) -> str | None:
    starts = [(np.zeros(2), np.zeros(2)), (np.array([-0.2, 0.2]), np.array([-1.1, -1.1]))]
    for x in (0, 3, 12, 40):
        best = -minimize(lambda t, x=x: -_count_elbo(x, t[:2], t[2:]), np.zeros(4), tol=1e-7).fun
        for z_mean, z_log_var in starts:
            before = _count_elbo(x, z_mean, z_log_var)
            got = call(answer, x, z_mean.copy(), z_log_var.copy())
            new_mean, new_log_var = (np.asarray(part, dtype="float64") for part in got)
            if new_mean.shape != (2,) or new_log_var.shape != (2,):
                shapes = new_mean.shape, new_log_var.shape
                return f"Return two arrays of shape (2,), got shapes {shapes[0]} and {shapes[1]}."
            if not np.all(np.isfinite([new_mean, new_log_var])):
                return f"For x = {x} your q is not finite: take smaller steps."
            after = _count_elbo(x, new_mean, new_log_var)
            if best - after < 1e-3:
                continue
            if np.all(new_log_var > 0):
                if best - _count_elbo(x, new_mean, np.log(new_log_var)) < 1e-3:
                    return "These look like variances; return their logarithms."
            if np.allclose(new_mean, z_mean) and np.allclose(new_log_var, z_log_var):
                return "You return the q that came in: it has not moved."
            if after < before:
                return f"For x = {x} the ELBO fell from {before:.3f} to {after:.3f}: climb it."
            return (
                f"For x = {x} the ELBO rose from {before:.3f} to {after:.3f}, but the best q "
                f"has {best:.3f}. Go on for longer."
            )
    return None
