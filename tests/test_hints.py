"""Every hint of every exercise: which answers get it, and which must not.

One table per chapter, one entry per exercise: rows of an answer and a pattern of what the check
must say of it, or RIGHT. A wrong idea that has a hint of its own must get that hint; any other
wrong answer must get the general one. Numbers are tried just inside and outside each tolerance.
"""

from collections.abc import Callable
import itertools
import json
import math
from pathlib import Path
import re

from helpers import exercises, records
from helpers.exercises import check
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import gammaln, logsumexp

RIGHT = None
Rows = list[tuple[object, str | None]]
TABLES: dict[str, Callable[[], dict[str, Rows]]] = {}  # called by the test: some need Keras


def chapter(function: Callable[[], dict[str, Rows]]):
    TABLES[function.__name__.removeprefix("chapter_")] = function
    return function


def number(general: str, *cases: tuple[float, float, str | None]) -> Rows:
    """An answer that is a number: (value, tolerance, what the check must say of it).

    The first case that is near enough counts, as in a check; `general` is said of all others.
    """
    rows = [(value, said) for value, _, said in cases]
    for value, tolerance, _ in cases:
        for step in (0.9 * tolerance, 1.1 * tolerance or 0.4):
            for near in (value - step, value + step):
                found = (said for v, t, said in cases if abs(near - v) <= t)
                rows.append((near, next(found, general)))
    return rows


def rounded(target: float, general: str, ideas: dict[float, str], digits: int = 3) -> Rows:
    """A number of so many digits or more: its roundings, one too rough, and known mistakes."""
    right = [float(f"{target:.{n}g}") for n in (digits, digits + 1, digits + 2, 12)]
    rows = [*[(value, RIGHT) for value in right], (np.array([target]), RIGHT)]
    rows += [(1.2 * target, general), (float(f"{target:.1g}"), f"at least {digits} digits")]
    rows += [(float(f"{v:.{n}g}"), said) for v, said in ideas.items() for n in (digits, 5)]
    return rows


def letters(**said: str | None) -> Rows:
    known = " or ".join(f'"{letter}"' for letter in said)
    right = next(letter for letter in said if said[letter] is RIGHT)
    return [*said.items(), (f"({right.upper()})", RIGHT), ("z", f"Answer {known}")]


def off(function: Callable, by: float) -> Callable:
    """The same function, but for a small difference."""
    return lambda *args: np.asarray(function(*args)) + by


def times(function: Callable, factor: float) -> Callable:
    return lambda *args: factor * np.asarray(function(*args))


def cell_of(notebook: str, cell_id: str) -> str:
    """The code of a notebook's cell: what a reader has at hand."""
    path = Path(__file__).resolve().parent.parent / "notebooks" / f"{notebook}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["id"] == cell_id)


@chapter
def chapter_00():
    from helpers import data
    from helpers.vae import VAE, BinarisedBatches, dense_networks
    import keras
    from sklearn.neighbors import KNeighborsClassifier

    digits = data.load("mnist-5k")
    judge = KNeighborsClassifier(5).fit(digits.x_train.reshape(-1, 784), digits.y_train)
    votes = judge.predict_proba(digits.x_val.reshape(-1, 784))

    def image(digit, share):
        return digits.x_val[np.flatnonzero(np.isclose(votes[:, digit], share))[0]]

    def vae(latents, epochs):
        model = VAE(*dense_networks(latent_dim=latents), seed=0)
        if epochs:
            model.compile(keras.optimizers.Adam(2e-3))
            batches = BinarisedBatches(digits.x_train, batch_size=100, seed=0)
            model.fit(batches, epochs=epochs, verbose=0)
        return model

    return {
        "00.1": [
            (image(1, 1), RIGHT),
            (image(1, 0.8), RIGHT),
            (image(1, 0.6), r"sees a 1 \(60% of its votes\)"),
            (image(7, 1), r"sees a 7 \(100% of its votes\)"),
            (image(7, 0.8), r"sees a 7 \(80% of its votes\)"),
            (lambda: image(1, 1), RIGHT),
            (lambda: image(7, 1), r"sees a 7 \(100% of its votes\)"),
            (lambda: ..., "Not answered yet"),
            (lambda: image(1, 1)[:5], "could not be checked"),
        ],
        "00.2": letters(a=RIGHT, b="share of digits that kept", c="a limited precision"),
        "00.3": [
            (vae(4, epochs=20), RIGHT),
            (vae(4, epochs=1), "train it for as many epochs"),
            (vae(4, epochs=0), "call compile and fit"),
            (vae(2, epochs=0), "yours has 2"),
            ("vae", "not str"),
        ],
    }


def gaussian_kl(mean, variance, mean_of_other, variance_of_other):
    ratio = variance / variance_of_other
    return 0.5 * (ratio + (mean - mean_of_other) ** 2 / variance_of_other - 1 - np.log(ratio))


def elbo_of_many(
    spread=lambda w, variance: w**2 @ variance,
    divergence=lambda m, v: 0.5 * np.sum(m**2 + np.exp(v) - 1 - v),
    variance=np.exp,
    has_normaliser=True,
):
    """The answer to 11.2, or one of its wrong relatives."""

    def elbo(x, weights, noise, z_mean, z_log_var):
        error = (x - weights @ z_mean) ** 2 + spread(weights, variance(z_log_var))
        normaliser = np.log(2 * np.pi * noise) * has_normaliser
        return -0.5 * (normaliser + error / noise) - divergence(z_mean, z_log_var)

    return elbo


@chapter
def chapter_11():
    log_evidence = stats.norm.logpdf(-1, 0, np.sqrt(3))
    elbo = -0.5 * np.log(2 * np.pi * 0.75) - (1 + 1.5**2) / (2 * 0.75)
    gap = log_evidence - elbo
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(80)

    def tempered(beta):
        power = stats.norm.pdf(2.0, 1.5 * nodes, np.sqrt(0.75)) ** (1 / beta)
        return beta * np.log(node_weights @ power / node_weights.sum())

    evidence, maximum = tempered(1.0), tempered(0.5)
    right = elbo_of_many()

    def log_p(x, weights, noise, *_):
        return stats.norm.logpdf(x, 0, np.sqrt(weights @ weights + noise))

    def half(m, v):
        return 0.5 * np.sum(m**2 + np.exp(v) - 1 - v)

    wrong_kl = {
        "KL to the prior is missing": lambda m, v: 0,
        "KL has the wrong sign": lambda m, v: -half(m, v),
        "Sum the KL over the latents": lambda m, v: half(m, v) / len(m),
        "The 1/2 of the KL is missing": lambda m, v: 2 * half(m, v),
    }
    return {
        "11.1": rounded(
            gap,
            "either subtract, or take their KL",
            {
                -gap: "Only the sign is wrong",
                gaussian_kl(-0.5, 0.25, 0, 1): "from the posterior to the prior",
                log_evidence: "That is log p",
                elbo: "That is the ELBO itself",
                gap / np.log(2): "in bits",
                gaussian_kl(0, 1, 1, 0.25): "for x = 2",
                gaussian_kl(0, 1, -0.5, 0.5): "standard deviation, 0.5",
            },
        ),
        "11.2": [
            (right, RIGHT),
            (off(right, 9e-7), RIGHT),
            (off(right, -1.1e-6), r"For d = 1 it should be -\d+\.\d{4}, got -\d+\.\d{4}\.$"),
            (lambda *args: np.full(2, right(*args)), r"Return one number; yours has shape \(2,\)"),
            (off(log_p, 1e-3), r"That is above log p\(x\), which no ELBO can be"),
            (off(log_p, -1e-3), r"got -\d+\.\d{4}\.$"),
            (lambda x, w, *rest: right(x, w, *rest) - (len(w) == 2), "For d = 2 it should"),
            (lambda x, w, *rest: right(x, w, *rest) - (len(w) == 5), "For d = 5 it should"),
            (elbo_of_many(lambda w, variance: 0), "The spread of q is missing"),
            (elbo_of_many(lambda w, variance: w @ variance), "turns a variance into"),
            (elbo_of_many(has_normaliser=False), "The normaliser of the likelihood"),
            *[(elbo_of_many(divergence=kl), said) for said, kl in wrong_kl.items()],
            (
                elbo_of_many(
                    variance=lambda v: np.exp(2 * v), divergence=lambda m, v: half(m, 2 * v)
                ),
                "log variance for a log standard deviation",
            ),
            (
                elbo_of_many(
                    variance=lambda v: np.exp(v / 2),
                    divergence=lambda m, v: 0.5 * np.sum(m**2 + np.exp(v / 2) - 1 - v),
                ),
                "standard deviation where a variance belongs",
            ),
            (lambda x, w, noise, m, v: right(x, w, noise**2, m, v), "noise is a variance already"),
            (elbo_of_many(lambda w, variance: (w @ np.sqrt(variance)) ** 2), "variances add, not"),
            (times(right, -1), "you return -ELBO"),
            (off(elbo_of_many(lambda w, variance: 0), 9e-7), "The spread of q is missing"),
            (off(elbo_of_many(lambda w, variance: 0), -1.1e-6), "For d = 1 it should"),
        ],
        "11.3": rounded(
            maximum - evidence,
            "Maximise reconstruction - 0.5",
            {
                maximum: "That is the maximum itself",
                evidence - maximum: "Only the sign is wrong",
                0.5 * gaussian_kl(1, 0.25, 0, 1): "the excess for q = posterior",
                tempered(2.0) - evidence: "That is beta = 2",
            },
        ),
    }


def mean_field_gap(covariance):
    precision = np.linalg.inv(covariance)
    return 0.5 * (np.sum(np.log(np.diag(precision))) - np.linalg.slogdet(precision)[1])


def forward_gap(covariance):
    return 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])


def count_elbo(x, z_mean, z_log_var):
    centre, variance = 1 + 0.7 * (z_mean[0] - z_mean[1]), 0.49 * np.sum(np.exp(z_log_var))
    reconstruction = x * centre - np.exp(centre + variance / 2) - gammaln(x + 1)
    return reconstruction - 0.5 * np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var)


def refine(x, z_mean, z_log_var, short=0.0):
    """The best q; or one whose ELBO is `short` nats lower: both means a little too high."""
    start = np.concatenate([z_mean, z_log_var])
    found = minimize(lambda t: -count_elbo(x, t[:2], t[2:]), start, tol=1e-8).x
    return found[:2] + np.sqrt(short), found[2:]


@chapter
def chapter_12():
    shrink, cdf, gap = 0.6, stats.norm.cdf, mean_field_gap
    share = cdf(1.96 * shrink) - cdf(-1.96 * shrink)
    general, moved = "Insert s_i", "Go on for longer"

    def as_variances(short):
        def answer(x, z_mean, z_log_var):
            mean, log_var = refine(x, z_mean, z_log_var, short)
            return mean, np.exp(log_var)

        return answer

    def diverged_at_40(x, z_mean, z_log_var):
        mean, log_var = refine(x, z_mean, z_log_var)
        return mean, log_var * (np.nan if x == 40 else 1)

    def from_one_start(x, z_mean, z_log_var):
        return (z_mean, z_log_var) if z_mean.any() else refine(x, z_mean, z_log_var)

    return {
        "12.1": [
            *rounded(
                share,
                "How many exact standard deviations",
                {
                    100 * share: "not per cent",
                    1 - share: "outside the interval",
                    0.95: "the probability under q",
                    1 - 2 * cdf(-1.96 * shrink**2): "ratio of the variances",
                    1 - 2 * cdf(-1.96 / shrink): "Above 0.95",
                    cdf(1.96 * shrink): "one tail only",
                },
            ),
            (0.761, "Nearly"),
        ],
        "12.2": [
            (gap, RIGHT),
            (off(gap, -9e-7), RIGHT),
            (off(gap, 1.1e-6), general),
            (times(gap, -1), r"variances \[1. 1.\] you return -0.5108: a KL is never negative"),
            (off(times(gap, -1), 9e-7), "a KL is never negative"),
            (off(times(gap, -1), -1.1e-6), general),
            (times(gap, 2), "twice the gap"),
            (off(times(gap, 2), 9e-7), "twice the gap"),
            (off(times(gap, 2), 1.1e-6), general),
            (forward_gap, "For 3 latents .* the least forward KL"),
            (lambda c: forward_gap(c) + 9e-7 * (len(c) > 2), "the least forward KL"),
            (lambda c: forward_gap(c) + 1.1e-6 * (len(c) > 2), general),
            (lambda c: gap(c) + 0.1 * (c[0, 1] == 0), "no correlation .* the gap is 0"),
            (lambda c: gap(c) + 0.1 * (c[0, 1] == -0.5), r"variances \[2.  0.5\] it should be"),
            (lambda c: gap(c) + (len(c) == 3), "For 3 latents .* it should be"),
            (lambda c: gap(c) + (len(c) == 5), "For 5 latents .* it should be"),
        ],
        "12.3": [
            (refine, RIGHT),
            (lambda *q: refine(*q, short=0.0009), RIGHT),
            (lambda *q: refine(*q, short=0.0011), moved),
            (lambda x, m, v: (np.zeros(3), v), r"got shapes \(3,\) and \(2,\)"),
            (lambda x, m, v: (m, np.zeros(3)), r"got shapes \(2,\) and \(3,\)"),
            (lambda x, m, v: (m * np.nan, v), "For x = 0 your q is not finite"),
            (diverged_at_40, "For x = 40 your q is not finite"),
            (as_variances(0), "look like variances"),
            (as_variances(0.0009), "look like variances"),
            (as_variances(0.0011), "For x = 0 the ELBO "),
            (lambda x, m, v: (m, v), "it has not moved"),
            (from_one_start, "it has not moved"),
            (lambda x, m, v: (m, v - 0.3), f"the ELBO rose .* {moved}"),
            (lambda x, m, v: (m + np.array([-0.2, 0.2]), v), f"the ELBO rose .* {moved}"),
            (lambda x, m, v: (m + 3, v), "the ELBO fell from .* climb it"),
        ],
    }


def pathwise(df, z_mean, z_log_var, noise):
    spread = np.exp(0.5 * z_log_var) * noise
    slope = df(z_mean + spread)
    return slope, slope * 0.5 * spread


def looks_right(blind_to: str = ""):
    """A test of a sampler, or one that overlooks a single mistake."""

    def judge(sampling):
        n = 2_000 if blind_to == "rows" else 20_000
        v = {"half": [0, 0], "log": [-0.70346742] * 2}.get(blind_to, [1.0, -1.5])  # exp(v/2) = -v
        z_mean, z_log_var = np.tile([1.0, -2.0], (n, 1)), np.tile(v, (n, 1))
        z = sampling(z_mean, z_log_var)
        if blind_to == "rows":  # one row at a time
            z = np.concatenate([sampling(z_mean[:1], z_log_var[:1]) for _ in range(n)])
        noise = (z - z_mean) / np.exp(0.5 * z_log_var)
        limit = 5 / np.sqrt(n)
        centred = blind_to == "mean" or np.abs(noise.mean(axis=0)).max() < limit
        scaled = np.abs(noise.var(axis=0) - 1).max() < np.sqrt(2) * limit
        separate = blind_to == "latents" or abs(np.corrcoef(noise.T)[0, 1]) < limit
        fresh = blind_to == "calls" or not np.array_equal(z, sampling(z_mean, z_log_var))
        return bool(centred and scaled and separate and fresh)

    return judge


@chapter
def chapter_13():
    def changed(change):
        """`change` gets the two right gradients, and the draws' slope, mean, sd and noise."""

        def answer(df, z_mean, z_log_var, noise):
            first, second = pathwise(df, z_mean, z_log_var, noise)
            return change(first, second, df, z_mean, np.exp(z_log_var / 2), noise)

        return answer

    def at_sines_only(df, *args):
        return pathwise(np.cos, *args)

    def keeps(first, second):
        return f"{first}: keep one value per draw"

    return {
        "13.1": [
            *[(value, RIGHT) for value in (55.5, 55, 56, 55.50001, np.array([55.5]))],
            *[(value, "One draw of each") for value in (48, 57, 0)],
            (60, "at least 2 digits"),
            (round(1 / 55.5, 3), "Turn it over"),
            (222, "one of the two variances"),
            (4, "one of the two variances"),
            (64.5, "minus the squared mean"),
            (6.45, "minus the squared mean"),
            (7.45, "ratio of the standard deviations"),
        ],
        "13.2": [
            (pathwise, RIGHT),
            (lambda *args: list(pathwise(*args)), RIGHT),
            (changed(lambda a, b, *_: (a * (1 + 8e-5), b * (1 + 8e-5))), RIGHT),
            (changed(lambda a, b, *_: (a * (1 + 1.5e-4), b)), "z_mean: slope of f at the draw"),
            (changed(lambda a, b, *_: (a, b * (1 + 1.5e-4))), "z_log_var: slope of f at the draw"),
            (changed(lambda a, b, *_: (a + 9e-7, b)), RIGHT),
            (changed(lambda a, b, *_: a), "Return a pair"),
            (changed(lambda a, b, *_: np.array([a, b])), "Return a pair"),
            (changed(lambda a, b, *_: (a, b, b)), "Return a pair"),
            (changed(lambda a, b, *_: (a.sum(), b)), "z_mean: keep one value per draw"),
            (changed(lambda a, b, *_: (a, b.sum())), "z_log_var: keep one value per draw"),
            (changed(lambda a, b, df, m, sd, e: (df(m), b)), "not at the mean"),
            (changed(lambda a, b, *_: (a, 2 * b)), "a factor of 1/2"),
            (changed(lambda a, b, *_: (2 * a, b)), "z_mean: slope of f at the draw"),
            (changed(lambda a, b, df, m, sd, e: (a, a * e)), "in the standard deviation; go on"),
            (changed(lambda a, b, df, m, sd, e: (a * 2 / sd, b)), "z_mean: slope of f"),
            (changed(lambda a, b, df, m, sd, e: (df(m + sd**2 * e), b)), "you left out the 1/2"),
            (at_sines_only, "z_mean: slope of f at the draw"),
            (lambda df, m, v, e: (df * m, df * e), "df is a function"),
            (
                lambda df, *args: pathwise(np.exp if df is np.exp else np.cos, *args),
                "z_mean: slope",
            ),
            (
                lambda df, *args: pathwise(np.cos if df is np.exp else df, *args),
                "z_mean: slope of f at the draw",
            ),
        ],
        "13.3": [
            (looks_right(), RIGHT),
            (lambda sampling: 1, "let this one pass: exp"),  # 1 is as good as True
            (lambda sampling: None, "Return True or False, not NoneType"),
            (lambda sampling: "yes", "Return True or False, not str"),
            (lambda sampling: False, "You turned a right sampler away"),
            (looks_right("half"), "test where z_log_var is not 0"),
            (looks_right("log"), "z_log_var itself as the standard deviation"),
            (looks_right("mean"), "where the draws are centred"),
            (looks_right("latents"), "the correlation between latents"),
            (looks_right("rows"), "one noise vector for all rows"),
            (looks_right("calls"), "the same noise at every call"),
        ],
    }


def fake(kind: type, **members):
    """A model of a kind, without networks: it says what it is told to say."""
    return type("Fake", (kind,), {"__init__": lambda self: None, **members})()


def vae_of(kind: type, nats: float, latents: int = 2, is_binary: bool = False):
    """A fake with that -ELBO; each latent has the mean 1, and so a KL of a half."""

    def log_likelihood(self, x, z):
        x = np.asarray(x)
        assert not is_binary or np.isin(x, (0, 1)).all()
        swing = np.where(np.arange(len(x)) % 2, 1.5, -1.5)  # a median or a sum is no mean
        return (latents / 2 - nats + swing).astype("float32")

    def encoder(x):
        mean = np.ones((len(x), latents), "float32")
        return mean, 0 * mean

    members = {"log_likelihood": log_likelihood, "encoder": staticmethod(encoder)}
    return fake(kind, check_input=lambda self, x: np.asarray(x), **members)


def kl_to_the_prior(z_mean, z_log_var):
    return 0.5 * np.sum(np.exp(z_log_var) + z_mean**2 - 1 - z_log_var, axis=1)


@chapter
def chapter_14():
    def density(z, mean, factor, logs=-1.0, transposed=False, constant=True):
        noise = np.linalg.solve(factor.T if transposed else factor, (z - mean).T).T
        whole = stats.norm.logpdf(noise) if constant else -0.5 * noise**2
        return whole.sum(axis=1) + logs * np.log(np.diag(factor)).sum()

    def but(**mistake):
        return lambda *args: density(*args, **mistake)

    return {
        "14.1": [
            (density, RIGHT),
            (but(logs=0.0), "log-determinant of L is missing"),
            (but(logs=1.0), "is turned"),
            (but(logs=-2.0), "log-determinant of L L"),
            (but(constant=False), "constant d/2 ln 2 pi is missing"),
            (but(transposed=True), "not its transpose"),
            (lambda *args: density(*args)[:, None], r"shape \(7,\); yours has shape \(7, 1\)"),
            (off(density, 0.01), "Find the noise of each z"),
        ],
        "14.2": letters(a="Both directions have it", b=RIGHT, c="covers the same densities"),
        "14.3": rounded(
            0.279363,
            "Given z1, the step can be exact",
            {
                0.953: "That is mean field",
                0.806: "full covariance",
                0.7117: "has the variance 1",
                0.5509: "the other order",
                0.5561: "by the forward KL",
                0.1811: "That is the forward KL",
            },
        ),
    }


@chapter
def chapter_21():
    from types import SimpleNamespace

    from helpers.vae import VAE, dense_networks

    def model(nats, weights=0):
        """A fake with that -ELBO, whose two networks have that many weights together."""

        class Network:
            """The encoder of `vae_of`, and half of the weights."""

            weights = ()

            def __call__(self, x):
                mean = np.ones((len(x), 2), "float32")
                return mean, 0 * mean

        encoder, decoder = Network(), Network()
        encoder.weights = [np.zeros(weights - weights // 2)]
        decoder.weights = [np.zeros((2, weights // 4))] if weights else []
        vae = vae_of(VAE, nats, is_binary=True)
        type(vae).encoder, type(vae).decoder = encoder, decoder
        return vae

    encoder, decoder = dense_networks(hidden=(64, 128), latent_dim=100)
    untrained = SimpleNamespace(encoder=encoder, decoder=decoder)  # no VAE of helpers, and counts
    general = "Write 500"
    return {
        "21.1": [
            (1.024, RIGHT),
            (1.02, RIGHT),
            (1.0240, RIGHT),
            (np.array([1.024]), RIGHT),
            (1.0, "give at least 3 digits"),
            (2.048, "half the squared error"),
            (2.05, "half the squared error"),
            (4.096, "on the wrong side"),
            (0.977, "Turn it over"),
            (0.488, "the weight of one squared error"),
            (0.001, "a sum of squares"),
            (0.784, "28 x 28"),
            (1.012, "the standard deviation"),
            (1.01, "the standard deviation"),
            (500, general),
            (0.5, general),
            (3.0, general),
        ],
        "21.2": letters(a=RIGHT, b="205 nats is the mean image", c="not 104.5"),
        "21.3": [
            (model(119.9), RIGHT),
            (model(119.9, 160_000), RIGHT),
            (model(119.9, 160_004), r"160,004 weights, more than 160,000"),
            (model(120.0, 156_504), r"at 120.0 nats/image with 156,504 weights"),
            (model(147.2), "Yours is at 147.2 nats/image"),
            (untrained, r"at 5[45]\d.\d nats/image"),
            (VAE(*dense_networks()), "more than 160,000"),
            (90.0, "a trained VAE or SmallVAE, not float"),
        ],
    }


def detection_rate(normal, anomaly, false_alarms):
    affordable = int(np.floor(len(normal) * false_alarms + 1e-9))
    if affordable >= len(normal):
        return 1.0
    return np.mean(anomaly > np.sort(normal)[::-1][affordable])


def surprise(x):
    length = (np.square(x).sum(axis=1) - 100) / np.sqrt(200)
    halves = (x[:, :50] * x[:, 50:]).sum(axis=1) / np.sqrt(50)
    return length**2 + halves**2


@chapter
def chapter_22():
    def edges(k):
        return np.where(k == 0, -np.inf, k - 0.5), np.where(k == 255, np.inf, k + 0.5)

    def right(k, mean, sd):
        low, high = edges(k)
        return stats.norm.cdf(high, mean, sd) - stats.norm.cdf(low, mean, sd)

    def closed(k, mean, sd):
        return stats.norm.cdf(k + 0.5, mean, sd) - stats.norm.cdf(k - 0.5, mean, sd)

    def shares(k, mean, sd):
        return closed(k, mean, sd) / closed(k, mean, sd).sum()

    def by_place(k, mean, sd):
        p = closed(k, mean, sd)
        p[0] += stats.norm.cdf(-0.5, mean, sd)
        p[-1] += stats.norm.sf(255.5, mean, sd)
        return p

    def logistic(k, mean, sd):
        low, high = edges(k)
        return stats.logistic.cdf(high, mean, sd) - stats.logistic.cdf(low, mean, sd)

    bits = -1200 / 1024 / np.log(2)
    return {
        "22.1": rounded(
            bits + 8,
            "Nats / ",
            {
                bits: "the cell of a whole number is 1/256 wide",
                8 - bits: "the -ELBO is -1200",
                bits - 8: "the sign of the 8",
                8 - 1200 / 1024: "divide by ln 2 too",
                np.log(256) - 1200 / 1024: "in nats per dimension",
            },
        ),
        "22.2": [
            (right, RIGHT),
            (lambda k, mean, sd: right(k, mean, sd).astype("float32"), RIGHT),
            (lambda k, mean, sd: right(k, mean, sd)[:, None], r"yours has shape \(256, 1\)"),
            (closed, "Open the outer two cells"),
            (shares, "Dividing by the sum"),
            (by_place, "not which come first or last"),
            (logistic, "That is the logistic"),
            (lambda k, mean, sd: right(k, mean, sd).tolist(), RIGHT),
            (lambda k, mean, sd: stats.norm.pdf(k, mean, sd), "That is a density"),
            (
                lambda k, mean, sd: stats.norm.cdf(k + 1.0, mean, sd) - stats.norm.cdf(k, mean, sd),
                "not from k to k",
            ),
            (lambda k, mean, sd: right(k, mean, np.sqrt(sd)), "took it for the variance"),
            (lambda k, mean, sd: np.log(right(k, mean, sd)), "These are logarithms"),
            (lambda k, mean, sd: right(k, mean, sd) + 0.01, "must sum to 1"),
            (lambda k, mean, sd: right(k, mean, sd) * (1 + (mean == 250)), "At mean 250"),
            (lambda k, mean, sd: right(k, mean, sd) + 0.1 * (len(k) == 3), "At mean 100"),
        ],
        "22.3": letters(a="makes its own term larger", b=RIGHT, c="it is no constant"),
    }


@chapter
def chapter_23():
    from sklearn.mixture import GaussianMixture
    from sklearn.neighbors import KernelDensity

    def kernel(known, new, width=0.15):
        return KernelDensity(bandwidth=width).fit(known).score_samples(new)

    def mixture(known, new, parts=8):
        return GaussianMixture(parts, random_state=0).fit(known).score_samples(new)

    right = 25 - np.log(500)
    rounded = [right, 18.8, 18.78, 18.79, 18.785]
    return {
        "23.1": [
            *[(answer, RIGHT) for answer in rounded],
            (19, "at least 3 digits"),
            (18.7, "its last digit is off"),
            (18.5, "Mean KL = information"),
            (np.log(500), "the most that the codes can tell"),
            (6.21, "the most that the codes can tell"),
            (25 - np.log2(500), "in bits"),
            (16.03, "in bits"),
            (25 - np.log10(500), "natural logarithm"),
            (22.3, "natural logarithm"),
            (25 - np.log(4000), "here N is 500"),
            (16.7, "here N is 500"),
            (25 + np.log(500), "subtract"),
            (31.2, "subtract"),
            (0, "only if the codes told 25 nats"),
            (25, "if the codes tell nothing"),
        ],
        "23.2": [
            (mixture, RIGHT),
            (kernel, RIGHT),
            (off(kernel, 0.02), RIGHT),
            (lambda *rows: kernel(*rows, width=1), "You are .* nats short of the true density"),
            (lambda *rows: kernel(*rows, width=0.05), "another one: score known rows"),
            (lambda *rows: mixture(*rows, parts=4), "Take more parts"),
            (lambda *rows: mixture(*rows, parts=1), "A single Gaussian is 1.05 nats short"),
            (lambda *rows: np.exp(kernel(*rows)), "These are densities"),
            (times(kernel, -1), "minus their logarithms"),
            (lambda known, new: np.full(len(new), np.nan), "Each row needs a finite number"),
            (lambda known, new: np.full(len(new), -np.inf), "Each row needs a finite number"),
            (lambda *rows: kernel(*rows).mean(), r"yours have shape \(\)"),
            (lambda *rows: kernel(*rows)[:, None], r"yours have shape \(1000, 1\)"),
            (off(kernel, np.log(2 * np.pi)), "yours to 6.2"),
            (off(kernel, -np.log(2)), "yours to 0.50"),
            (times(kernel, 1 / np.log(2)), "the natural one"),
            (times(kernel, 1 / np.log(10)), "the natural one"),
            (lambda known, new: kernel(new, new, 0.1), "fit to `known`, never to `new`"),
            (lambda known, new: kernel(np.r_[known, new], new), "fit to `known`, never"),
        ],
        "23.3": letters(a="Whose property is that", b="the same decoder", c=RIGHT),
    }


@chapter
def chapter_24():
    rate = detection_rate

    def low(normal, anomaly, share):
        return rate(-normal, -anomaly, share)

    def swapped(normal, anomaly, share):
        return rate(anomaly, normal, share)

    def changed_if(condition, by):
        return lambda a, b, share: rate(a, b, share) + by * condition(a, b, share)

    def cut(normal, anomaly, share):
        """Rounds down what can be afforded: 0.29 of 100 becomes 28."""
        affordable = int(share * len(normal))
        if affordable == len(normal):
            return 1.0
        return np.mean(anomaly > np.sort(normal)[::-1][affordable])

    def has_ties(normal, *_):
        return len(np.unique(normal)) < len(normal)

    def scores(again=200, low=400, high=400, half=400):
        """Says of 400 rows what gives these areas (times 400), one call after the other."""
        calls = iter([np.arange(400)] + [np.full(400, n - 0.5) for n in (again, low, high, half)])
        return lambda x: next(calls)

    def length_only(x):
        return np.abs(np.square(x).sum(axis=1) - 100)

    def never_twice():
        """Refuses rows that it has seen, whatever their length."""
        seen = []

        def answer(x):
            direction = x[0] / np.linalg.norm(x[0])
            assert not any(np.allclose(direction, other) for other in seen)
            seen.append(direction)
            return surprise(x)

        return answer

    areas = "Areas that do not reach 0.9: "
    return {
        "24.1": [
            (rate, RIGHT),
            (lambda *args: np.float32(rate(*args)), RIGHT),
            (lambda *args: round(rate(*args), 3), RIGHT),
            (off(rate, 5e-4), RIGHT),
            (
                off(rate, 5.2e-4),
                r"200 normal images, 150 anomalies .* 5% the best is .*interpolate",
            ),
            (off(rate, -5.2e-4), r"the best is [\d.]+, got [\d.]+\. Which thresholds"),
            (low, "the alarm for low scores"),
            (
                lambda a, *rest: (low if len(a) == 12 else rate)(a, *rest),
                "the alarm for low scores",
            ),
            *[
                (off(wrong, 7e-4), "Which thresholds|interpolate")
                for wrong in (low, swapped, lambda *args: 1 - rate(*args))
            ],
            (swapped, r"you found [\d.]+: .* are swapped"),
            (lambda *args: 1 - rate(*args), "the share that is missed"),
            (times(rate, 100), "per cent; asked is a share"),
            (lambda *args: 100 * rate(*args) + 0.05, "per cent; asked is a share"),
            (lambda *args: 100 * rate(*args) + 0.052, "interpolate"),
            (lambda *args: rate(*args) if args[2] else 0.0, "got 0.0000. Which thresholds"),
            (lambda a, b, share: np.mean(b > np.quantile(a, 1 - share) - 1), "interpolate"),
            (changed_if(has_ties, -0.01), "300 .* Several scores are equal here. Which thresholds"),
            (changed_if(lambda a, *_: len(a) == 40, -0.01), "10% the best .*\\d. Which thresholds"),
            (changed_if(lambda a, *_: len(a) == 50, -0.01), "30% the best"),
            (changed_if(lambda a, b, share: share == 0, 0.01), "0% the best"),
            (changed_if(lambda a, b, share: share == 1, -0.01), "100% the best"),
            (changed_if(lambda a, *_: len(a) == 12, -0.01), "500 anomalies .* 15% the best"),
            (cut, r"100 normal images, 300 .* 29% you allow 28. In the computer 0.29 \* 100"),
            (changed_if(lambda a, *_: len(a) == 100, -0.01), "300 anomalies .* 29% the best"),
        ],
        "24.2": letters(a="The sign was chosen by these faults", b=RIGHT, c="A perfect model of"),
        "24.3": [
            (surprise, RIGHT),
            (never_twice(), RIGHT),
            (lambda x: surprise(x)[:, None], r"shape \(400,\); yours have shape \(400, 1\)"),
            (
                lambda x: np.square(x).sum(axis=1),
                rf"{areas}too little contrast 0.0\d, .*Likely is not",
            ),
            (
                lambda x: -np.square(x).sum(axis=1),
                r"reach 0.9: too much contrast 0.0\d, .*The sign is flipped",
            ),
            (length_only, f"{areas}the repeated half 0.[3-7].*Its length is typical"),
            (
                lambda x: np.maximum(length_only(x), 150),
                "too much contrast 0.5.*Combine statistics",
            ),
            (
                lambda x: np.maximum(length_only(x), 39),
                r"too little contrast 0.\d+, too much contrast 0.*Combine",
            ),
            (scores(), RIGHT),
            (scores(again=240), RIGHT),
            (scores(again=160), RIGHT),
            (scores(again=241), "look alike .* yours gives 0.60"),
            (scores(again=159), "look alike .* yours gives 0.40"),
            (scores(low=361, high=361, half=361), RIGHT),
            (scores(low=360), f"{areas}too little contrast 0.90. Combine"),
            (scores(high=360), f"{areas}too much contrast 0.90. Combine"),
            (scores(half=360), f"{areas}the repeated half 0.90. Its length is typical"),
            (scores(high=360, half=0), "contrast 0.90, the repeated half 0.00. Combine"),
            (scores(low=39), "Likely is not typical"),
            (scores(low=40), "Combine statistics"),
            (scores(low=39, high=39), "Likely is not typical"),
            (scores(high=39), "The sign is flipped for large contrast"),
            (scores(high=40), "Combine statistics"),
        ],
    }


def mig_of(table, entropy):
    ordered = np.sort(table, axis=0)
    return np.mean((ordered[-1] - ordered[-2]) / entropy)


@chapter
def chapter_25():
    level = 2 * 0.25
    rate = 0.5 * np.log(3 / level) + 0.5 * np.log(1.2 / level)
    place, wrong = np.array([7.7, 142.4]), "Call train_at"
    return {
        "25.1": rounded(
            rate,
            "Which of the three variances rise above",
            {
                rate + 0.5 * np.log(0.4 / level): "under water: its rate is 0",
                0.5 * np.log(3 * 1.2 * 0.4 / 0.25**3): "That is beta = 1",
                2 * rate: "The 1/2 is missing",
                rate / np.log(2): "in bits",
                level + level + 0.4: "the squared error that is left",
                (level + level + 0.4) / (2 * 0.25): "That is distortion",
            },
        ),
        "25.2": [
            *[(list(right), RIGHT) for right in (place, [7.2, 143.9], [8.0, 141.2])],
            (np.array([7.702, 142.43]), RIGHT),
            (place[::-1], "The rate comes first"),
            (place * [3, 1], "That is beta times the rate"),
            (np.add(place, [0, place[0]]), "the -ELBO; give the"),
            (np.add(place, [0, 3 * place[0]]), "D . 3R, what training"),
            *[(other, wrong) for other in ([11.7, 130.1], [5.5, 151.3], [13.8, 109.5])],
            *[(other, wrong) for other in ([7.4, 130.8], [0, 0], [np.nan, 140], [-7.7, 142.4])],
            (7.7, r"two numbers, \[rate, distortion\]; yours has shape \(\)"),
            ([7.7, 142.4, 150.1], r"yours has shape \(3,\)"),
        ],
        "25.3": letters(a="Another beta is another price", b="D . R is the test at", c=RIGHT),
    }


@chapter
def chapter_26():
    table, entropy = np.array([[1.1, 0.3], [0.4, 1.7]]), np.log([4, 8])
    gaps = np.array([1.1 - 0.4, 1.7 - 0.3])
    right = np.mean(gaps / entropy)

    def by_svd(z, factors, scaled=True, keep=False, swap=False):
        v = factors - factors.mean(axis=0)
        left, sizes, right = np.linalg.svd(z.T @ (v / v.std(axis=0) if scaled else v))
        found = left @ (np.diag(sizes) if keep else np.eye(5)) @ right
        return found.T if swap else found

    def reordered(z, factors):
        return -by_svd(z, factors)[:, ::-1]

    return {
        "26.1": [
            *[(value, RIGHT) for value in (right, 0.589, 0.5891, 0.58910)],
            (0.59, "give at least 3 digits"),
            (0.6, "give at least 3 digits"),
            (1.05, "by the entropy of its factor"),
            (round(np.sum(gaps / entropy), 3), "not their sum"),
            (round(gaps.sum() / entropy.sum(), 3), "Divide factor by factor"),
            (round(np.mean([1.1, 1.7] / entropy), 3), "the best latent alone"),
            (round(np.mean(gaps / np.log2([4, 8])), 3), "your entropies in bits"),
            (round(np.mean([0.8, 1.3] / entropy), 3), "not two factors"),
            (0.585, "For each factor"),
            (table.sum(), "For each factor"),
        ],
        "26.2": letters(
            a="which is lower.*from the new W", b=RIGHT, c="columns of W are not perpendicular"
        ),
        "26.3": [
            (by_svd, RIGHT),
            (reordered, RIGHT),
            (lambda z, factors: by_svd(z, factors) + 1e-9, RIGHT),
            (lambda z, factors: z @ by_svd(z, factors), "the matrix Q, not z @ Q"),
            (lambda z, factors: by_svd(z, factors)[:3], r"yours has shape \(3, 5\)"),
            (lambda z, factors: by_svd(z, factors, keep=True), "not orthogonal"),
            (lambda z, factors: np.linalg.lstsq(z, factors, rcond=None)[0], "not orthogonal"),
            (lambda z, factors: by_svd(z, factors, swap=True), "but transposed"),
            (lambda z, factors: np.eye(5), r"has a gap of 0\.\d\d; it should be above 0.9"),
            (lambda z, factors: np.linalg.svd(z, full_matrices=False)[2].T, "be above 0.9"),
            (lambda z, factors: by_svd(z, factors, scaled=False), RIGHT),
            (lambda z, factors: np.linalg.svd(z.T @ factors)[0], "multiply U by V transposed"),
            (lambda z, factors: (by_svd(z, factors), 1.0), "Return one matrix; a tuple"),
        ],
    }


@chapter
def chapter_27():
    def size(log_weights):
        weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
        return weights.sum(axis=1) ** 2 / np.square(weights).sum(axis=1)

    share = times(size, 1 / 50)

    def careless(log_weights):
        weights = np.exp(log_weights)
        return weights.sum(axis=1) ** 2 / np.square(weights).sum(axis=1) / 50

    def squares(log_weights):
        return np.exp(2 * (log_weights - logsumexp(log_weights, axis=1)[:, None])).sum(axis=1)

    def nan_in_one(log_weights):
        return share(log_weights) * [1, 1, 1, 1, 1, np.inf]

    return {
        "27.1": [
            (share, RIGHT),
            (lambda w: share(w.astype("float32")), RIGHT),
            (lambda w: share(w)[:, None], r"six numbers, shape \(6,\); yours has shape \(6, 1\)"),
            (careless, "Subtract each row's largest log weight first"),
            (nan_in_one, "Subtract each row's largest log weight first"),
            (size, "the effective sample size itself"),
            (squares, "Upside down"),
            (lambda w: 50 / size(w), "Upside down"),
            (times(size, 1 / 6), "divided by the number of images"),
            (off(share, 0.01), "With equal weights the share must be 1"),
            (
                lambda w: np.exp(logsumexp(w, axis=1) - w.max(axis=1)) / 50,
                "in between, the square of the sum",
            ),
            (
                lambda w: share(w) - 0.5 * (w.std(axis=1) == 0),
                "With equal weights the share must be 1",
            ),
        ],
        "27.2": [
            (-89.7, RIGHT),
            (2 * -89.95 - -90.20, RIGHT),
            (np.array([-89.70]), RIGHT),
            (-90, "at least 4 digits"),
            (-89.71, "its last digit is off"),
            (89.70, "Mind the sign"),
            ((-89.95 - 90.20) / 2, "That is their mean"),
            (-90.08, "That is their mean"),
            (np.logaddexp(-90.20, -89.95) - np.log(2), "the log of their mean"),
            (-89.95, "by half of what the other one is"),
            (2 * -90.20 - -89.95, "You went the wrong way"),
            (-89.8, "Write bound = log p"),
            (-90.2, "Write bound = log p"),
        ],
        "27.3": letters(a="all weights are equal", b=RIGHT, c="slowly and in jumps"),
    }


@chapter
def chapter_28():
    def coder(begin=0.5, ahead=False, together=False):
        """Adaptive counts, pixel by pixel: right as it stands."""

        def bits(contexts, pixels):
            counts, total = {}, 0.0
            for context, pixel in zip(contexts, pixels, strict=True):
                seen = counts.setdefault(0 if together else int(context), [begin, begin])
                seen[pixel] += ahead
                total -= math.log2(seen[pixel] / sum(seen))
                seen[pixel] += not ahead
            return total

        return bits

    def counted_first(begin):
        def bits(contexts, pixels):
            black = np.bincount(contexts, pixels, minlength=6) + begin
            total = np.bincount(contexts, minlength=6) + 2 * begin
            share = (black / total)[contexts]
            return -np.log2(np.where(pixels, share, 1 - share)).sum()

        return bits

    def each(contexts, pixels):
        return np.full(len(pixels), coder()(contexts, pixels) / len(pixels))

    right = coder()
    return {
        "28.1": [
            (86.76 / np.log(2) / 784, RIGHT),
            (0.16, RIGHT),
            (0.160, RIGHT),
            (0.1597, RIGHT),
            (np.array([0.1596]), RIGHT),
            (0.2, "at least 3 digits"),
            (125.17, "bits per image"),
            (125, "bits per image"),
            (0.111, "nats per pixel"),
            (0.1107, "nats per pixel"),
            (0.0767, "Turn it over"),
            (4.47, "not 28"),
            (0.17, "From nats to bits divide"),
        ],
        "28.2": [
            (right, RIGHT),
            (lambda c, x: np.array(right(c, x)), RIGHT),
            (lambda c, x: round(right(c, x), 1), RIGHT),
            (each, r"yours has shape \(300,\)"),
            (coder(begin=0), "could not be checked"),
            (lambda c, x: np.inf, "a colour not seen so far is impossible"),
            (counted_first(0), "use only earlier ones"),
            (counted_first(0.5), "use only earlier ones"),
            (times(right, np.log(2)), "Those are nats"),
            (times(right, 1 / 300), "That is the mean"),
            (times(right, -1), "Mind the sign"),
            (coder(begin=1), "half a count for each colour"),
            (coder(together=True), "each has counts of its own"),
            (coder(ahead=True), "Code the pixel first, then count it"),
            (off(right, 0.5), "1.415 bits"),
        ],
        "28.3": letters(a=RIGHT, b="frees fewer", c="That is the rate"),
    }


def label_posterior(log_p):
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@chapter
def chapter_31():
    from helpers import data
    from helpers.vae import VAE

    def in_place(log_p):
        log_p -= log_p.max(axis=1, keepdims=True)
        return label_posterior(log_p)

    def careless(log_p):
        return np.exp(log_p) / np.exp(log_p).sum(axis=1, keepdims=True)

    def only_if(condition, otherwise):
        return lambda log_p: label_posterior(log_p) if condition(log_p) else otherwise(log_p)

    digits = data.load("mnist-5k")
    clear = np.stack([digits.x_train[digits.y_train == digit].mean(axis=0) for digit in range(10)])
    x_val = data.binarise(digits.x_val, seed=0)

    def obeys(images, nats, latents=8, inputs=2):
        """Draws what is asked, but for 1,000 - `images` times the next digit; -ELBO is `nats`."""

        class Network:
            def __init__(self, call):
                self.inputs, self.call = [None] * inputs, call

            def __call__(self, parts):
                return self.call(np.asarray(parts[0]), np.asarray(parts[1]))

        def encoder(x, condition):
            mean = np.zeros((len(x), latents), "float32")
            mean[:, 0] = np.sqrt(20)  # a KL of 10 nats
            return mean, 0 * mean

        def decoder(z, condition):
            if len(z) == 1000:
                labels = (condition.argmax(axis=1) + (np.arange(1000) < 1000 - images)) % 10
                shares = np.clip(clear[labels], 1e-4, 1 - 1e-4)
                return np.log(shares / (1 - shares)).astype("float32")
            p = np.exp(-(nats - 10) / 784)  # of the pixel that is there
            logit = np.log(p / (1 - p))
            return np.where(x_val > 0, logit, -logit).astype("float32")

        return fake(VAE, latent_dim=latents, encoder=Network(encoder), decoder=Network(decoder))

    return {
        "31.1": [
            (label_posterior, RIGHT),
            (lambda log_p: label_posterior(log_p).tolist(), RIGHT),
            (in_place, "changes its argument"),
            (lambda log_p: label_posterior(log_p)[0], r"one of the same shape, not \(4,\)"),
            (careless, "At -2000 nats, exp gives 0"),
            (lambda log_p: careless(log_p - log_p.max()), "At -2000 nats, exp gives 0"),
            (only_if(lambda p: not -500 < p.max() < -50, careless), RIGHT),
            (only_if(lambda p: p.max() > -500, lambda p: p * np.nan), "At -2000 nats"),
            (only_if(lambda p: not -500 < p.max() < -50, lambda p: p * np.nan), "At -140 nats"),
            (lambda log_p: np.log(label_posterior(log_p) + 1e-300), "Those are logarithms"),
            (lambda log_p: np.exp(log_p - log_p.max()), "Each row must sum to 1"),
            (lambda log_p: label_posterior(log_p.T).T, "Each row must sum to 1"),
            (lambda log_p: label_posterior(-log_p), "it is not Bayes' rule"),
            (lambda log_p: label_posterior(log_p / 2), "it is not Bayes' rule"),
        ],
        "31.2": letters(a="Ten sets of coins", b=RIGHT, c="Ours fell by more than that"),
        "31.3": [
            (obeys(950, nats=135.9), RIGHT),
            (obeys(949, nats=135.9), "Yours obeys in 94.9%, at .* recorded settings"),
            (obeys(1000, nats=136.1), "obeys in 100.0%, at .*: its code says too little"),
            (obeys(1000, nats=174), "obeys in 100.0%, at 174.0 nats. More than .* ten fixed"),
            (obeys(1000, nats=120, latents=7), "At least 8 latents, please; yours has 7"),
            (obeys(1000, nats=120, inputs=1), "must both take a label"),
            (clear, "a trained conditional VAE, not ndarray"),
        ],
    }


@chapter
def chapter_32():
    from helpers.vae import VAE
    from helpers.vae.text import TextVAE

    def writer(nats, exact, latents=4):
        """A fake with that -ELBO; that share of names comes back; a KL of half its latents."""
        model = vae_of(TextVAE, nats, latents)
        model.reconstruct = lambda x: np.where(np.arange(len(x))[:, None] < exact * len(x), x, 0)
        return model

    return {
        "32.1": [
            *rounded(
                2 * np.log(4),
                "Write reconstruction",
                {
                    np.log(4): "the KL of the perfect code",
                    3 * np.log(4): "the saving in reconstruction",
                    -2 * np.log(4): "A positive number",
                    4.0: "in bits",
                },
                digits=2,
            ),
        ],
        "32.2": letters(a="Which of its two terms", b="e to the 0.04", c=RIGHT),
        "32.3": [
            (writer(14.89, exact=0.13), RIGHT),
            (writer(14.0, exact=0.5), RIGHT),
            (writer(14.91, exact=0.13), "14.91: too high"),
            (writer(14.7, exact=0.10), r"KL 2.0 nats, but 10.0% come back: a code can cost"),
            (writer(14.2, exact=0.0), "a code can cost and say little"),
            (writer(14.2, exact=0.0, latents=1), "The KL is 0.50 nats: still collapsed"),
            (writer(22.1, exact=0.5), r"-ELBO 22.1 nats: is the model trained"),
            (vae_of(VAE, 14), "a trained helpers.vae.text.TextVAE, not Fake"),
        ],
    }


@chapter
def chapter_33():
    from scipy.spatial.distance import cdist

    def covered(real, drawn, place):
        radius = np.sort(cdist(real, real), axis=1)[:, place]
        return (cdist(drawn, real) <= radius).any(axis=1)

    def precision(real, drawn, k):
        return covered(real, drawn, k).mean()

    def broadcast(real, drawn, k):
        inner = np.linalg.norm(real[:, None] - real, axis=2)
        outer = np.linalg.norm(real[:, None] - drawn, axis=2)
        return np.mean((outer <= np.sort(inner, axis=0)[k][:, None]).any(axis=0))

    def one_radius(real, drawn, k):
        radius = np.sort(cdist(real, real), axis=1)[:, k].max()
        return (cdist(drawn, real) <= radius).any(axis=1).mean()

    def nearest_only(real, drawn, k):
        gaps, radius = cdist(drawn, real), np.sort(cdist(real, real), axis=1)[:, k]
        nearest = gaps.argmin(axis=1)
        return (gaps[np.arange(len(drawn)), nearest] <= radius[nearest]).mean()

    def always_three(real, drawn, k):
        return covered(real, drawn, min(3, len(real) - 1)).mean()

    return {
        "33.1": rounded(
            -math.log(0.65),
            r"how much is log q̄ above log p\?",
            {
                math.log(0.65): "Mind the sign",
                -math.log(0.35): "-ln of the share that fails",
                0.35: "the share itself",
                -0.35 * math.log(0.35) - 0.65 * math.log(0.65): "entropy of failing",
                -math.log2(0.65): "in bits",
                math.log(1.35): "by the factor 0.65",
            },
        ),
        "33.2": [
            (precision, RIGHT),
            (broadcast, RIGHT),
            (lambda real, drawn, k: np.array(precision(real, drawn, k)), RIGHT),
            (lambda real, drawn, k: ..., "Not answered yet"),
            (lambda real, drawn, k: covered(real, drawn, k), r"the share; yours has shape \(95,\)"),
            (lambda real, drawn, k: precision(drawn, real, k), "That is the recall"),
            (lambda real, drawn, k: precision(real, drawn, k - 1), "a neighbour too short"),
            (lambda real, drawn, k: precision(real, drawn, k + 1), "a neighbour too long"),
            (lambda real, drawn, k: 100 * precision(real, drawn, k), "in per cent"),
            (lambda real, drawn, k: covered(real, drawn, k).sum(), "That is a count"),
            (lambda real, drawn, k: 1 - precision(real, drawn, k), "lies in no ball"),
            (lambda real, drawn, k: np.nan, "NaN"),
            (one_radius, "of its own radius, of any real row"),
            (nearest_only, "of its own radius, of any real row"),
            (always_three, "with k = 1 must give 1/3"),
            (
                lambda real, drawn, k: precision(real, drawn, k) - 0.1 * (real is drawn),
                "equal sets must give 1",
            ),
            (
                lambda real, drawn, k: max(precision(real, drawn, k), 0.01),
                "far noise must give 0",
            ),
        ],
        "33.3": letters(a="a bound may fall alone", b=RIGHT, c="another prior is in place"),
    }


@chapter
def chapter_34():
    def chain(half=0.5, pooled=False, back=True, axis=-1, first=True):
        """Looks back by one word, right as it stands."""

        def bits(train, test, size):
            counts = np.bincount(train[:, 0], minlength=size) + half
            total = -np.log2(counts / counts.sum())[test[:, 0]] * first
            pairs = np.zeros((train.shape[1], size, size))
            for place in range(1, train.shape[1]):
                for before, word in train[:, place - 1 : place + 1]:
                    pairs[place, before if back else slice(None), word] += 1
            if pooled:
                pairs[:] = pairs.sum(axis=0)
            for place in range(1, train.shape[1]):
                share = pairs[place] + half
                share = share / share.sum(axis=axis, keepdims=True)
                total = total - np.log2(share[test[:, place - 1], test[:, place]])
            return total

        return bits

    def on_test(train, test, size):
        return chain()(test, test, size)

    def spoils(train, test, size):
        found = chain()(train, test, size)
        train[:], test[:] = 0, 0
        return found

    raw = 128 * 128 * 3 * 8
    return {
        "34.1": rounded(
            raw / 9216,
            "The raw bits over",
            {
                raw / 8 / 9216: "has 8 bits",
                raw / 3 / 9216: "three colours",
                raw / (1024 * 512): "not 512 bits",
                raw / 1024: "more than one bit",
                raw / (1024 * math.log(512)): "nats per word",
                9216 / raw: "Upside down",
                16.0: "pixels per word",
            },
        ),
        "34.2": [
            (chain(), RIGHT),
            (lambda *args: chain()(*args).astype("float32"), RIGHT),
            (lambda *args: list(chain()(*args)), RIGHT),
            (spoils, RIGHT),
            (lambda *args: chain()(*args).mean(), r"yours has shape \(\)"),
            (chain(half=0), "a pair of words not seen so far is impossible"),
            (times(chain(), math.log(2)), "Those are nats"),
            (times(chain(), -1), "Mind the sign"),
            (chain(first=False), "first word has to be sent"),
            (on_test, "Count in `train`"),
            (chain(half=1), "not a whole"),
            (chain(pooled=True), "you pooled the places"),
            (chain(back=False), "look back by one word"),
            (chain(axis=0), "must sum to 1"),
            (off(chain(), 0.5), "followers' counts plus 1/2"),
        ],
        "34.3": letters(a="stands in the message", b=RIGHT, c="every decoder"),
    }


@chapter
def chapter_35():
    def sd(share_power=1.0, square=2.0, at_less=False, root=True, x=True, known=True, plain=False):
        """The scatter of z_(i-1) given z_i, right as it stands."""

        def of(v, now, less):
            share = -np.expm1(now - less)
            a, sigma_squared = (1 / (1 + np.exp(-less))) ** 0.5, 1 / (1 + np.exp(less))
            error = v if plain else v / (1 + v * np.exp(less if at_less else now))
            variance = (
                known * share * sigma_squared + x * (a * share**share_power) ** square * error
            )
            return variance**0.5 if root else variance

        return of

    def sum_of_roots(v, now, less):
        return sd(x=False)(v, now, less) + sd(known=False)(v, now, less)

    return {
        "35.1": rounded(
            800 / 784 / np.log(2),
            "Divide by the pixels, and by ln 2",
            {
                800 / 784: "nats per pixel",
                800 / 784 * np.log(2): "multiplied by ln 2",
                800 / np.log(2): "bits of the whole image",
                800 / 784 / np.log(2) + 8: "belong to densities",
            },
        ),
        "35.2": [
            (sd(), RIGHT),
            (lambda v, now, less: np.float32(sd()(v, now, less)), RIGHT),
            (lambda v, now, less: np.array([sd()(v, now, less)])[0], RIGHT),
            (sd(x=False), "standard deviation when x is known"),
            (sd(root=False), "the variance; take its root"),
            (sd(at_less=True), "its error is that at `now`"),
            (sd(square=1.0), "a factor enters a variance squared"),
            (sd(square=0.0), "the error of the guess does so too"),
            (sum_of_roots, "standard deviations do not"),
            (sd(plain=True), "its variance is not v any more"),
            (sd(share_power=0.5), "scatters for two reasons"),
            (lambda v, now, less: [1.0, 2.0], "need one number"),
        ],
        "35.3": letters(a="Which levels hold most", b=RIGHT, c="holds for any guess"),
    }


@chapter
def chapter_41():
    def score(distances, labels, folds):
        blocked = np.where(folds[:, None] == folds, np.inf, distances)
        correct = labels[blocked.argmin(axis=1)] == labels
        return np.mean([correct[folds == fold].mean() for fold in np.unique(folds)])

    def nearest(distances, labels, train, test):
        found = train[distances[np.ix_(test, train)].argmin(axis=1)]
        return (labels[found] == labels[test]).mean()

    def parts(folds, drawer=0):
        return np.flatnonzero(folds != drawer), np.flatnonzero(folds == drawer)

    def inner(distances, labels, folds, drawer=0):
        train, _ = parts(folds, drawer)
        return [score(d[np.ix_(train, train)], labels[train], folds[train]) for d in distances]

    def fresh_test(distances, labels, folds, drawer=0):
        winner = distances[np.argmax(inner(distances, labels, folds, drawer))]
        return nearest(winner, labels, *parts(folds, drawer))

    def peeked(distances, labels, folds):
        winner = distances[np.argmax([score(d, labels, folds) for d in distances])]
        return nearest(winner, labels, *parts(folds))

    def by_drawer(distances, labels, folds):
        return max(nearest(d, labels, *parts(folds)) for d in distances)

    def trained_on_all(distances, labels, folds, self_distance=0.0):
        winner = distances[np.argmax(inner(distances, labels, folds))]
        winner = winner + np.diag(np.full(len(labels), self_distance))
        return nearest(winner, labels, np.arange(len(labels)), parts(folds)[1])

    def all_folds(distances, labels, folds):
        return score(distances[np.argmax(inner(distances, labels, folds))], labels, folds)

    def nested(distances, labels, folds):
        return np.mean([fresh_test(distances, labels, folds, drawer) for drawer in range(5)])

    def expected_best(candidates, m):
        return (1 - stats.binom.cdf(np.arange(m), m, 0.5) ** candidates).sum() / m

    allowed = max(c for c in range(1, 30) if expected_best(c, 200) < 0.55)
    examples = {
        0.95 * 0.05 / 0.01**2: "half of it takes four times as many",
        0.25 / 0.005**2: "the worst case",
        np.sqrt(0.95 * 0.05) / 0.005: "Square it",
        0.95 * 0.05 / (0.005 / 1.96) ** 2: "95 % interval",
    }
    return {
        "41.1": [
            *rounded(1900.0, "Solve sqrt", examples),
            *[(said, RIGHT) for said in (1900, 0.95 * 0.05 / 0.005**2)],
        ],
        "41.2": [
            (fresh_test, RIGHT),
            (lambda *given: np.array(fresh_test(*given)), RIGHT),
            (lambda *given: max(inner(*given)), "the score that chose the winner"),
            (peeked, "The search has seen fold 0"),
            (by_drawer, "The drawer chose the winner"),
            (trained_on_all, "find themselves"),
            (lambda *given: trained_on_all(*given, np.inf), "find each other"),
            (all_folds, "asked is fold 0 alone"),
            (nested, "That is nested evaluation"),
            (lambda *given: fresh_test(*given, 1), "rows with folds == 0 are only tested"),
            (lambda *given: 1 - fresh_test(*given), "rows with folds == 0 are only tested"),
            (lambda d, *given: [nearest(d[0], given[0], *parts(given[1]))] * 2, r"shape \(2,\)"),
        ],
        "41.3": [
            (allowed, RIGHT),
            (float(allowed), RIGHT),
            (allowed + 1, "One too many"),
            (allowed + 2, "Too many: the expected best"),
            (allowed - 1, "You may try more than that"),
            (0, "You may try more than that"),
            (allowed + 0.5, "A whole number of candidates"),
            (str(allowed), "A whole number of candidates"),
            (str(allowed).encode(), "A whole number of candidates"),
        ],
        "41.4": letters(
            a=RIGHT,
            b="An interval does not know",
            c="the mean of maxima",
            d="the best of 50 was chosen by them",
        ),
    }


@chapter
def chapter_42():
    def per_patient(patient, rng):
        names, row = np.unique(patient, return_inverse=True)
        return rng.integers(0, 2, len(names))[row]

    def by_dict(patient, rng):
        coins = {one: bool(rng.random() < 0.5) for one in sorted(set(patient.tolist()))}
        return [coins[one] for one in patient]

    def in_place(patient, rng):
        coins = per_patient(patient, rng)
        patient.sort()
        return coins

    return {
        "42.1": [
            *rounded(
                27 / 47,
                "Odds of a calibrated model",
                {
                    3 / 23: "a calibrated model; the balanced one",
                    20 / 23: "Turn it over",
                    27 / 23: "not the probability",
                    27 / 20: "Those are odds",
                    3 / 20: "9 times as much",
                    1 / 61: "You divided",
                },
            ),
            (0.5, "a miss that costs 9"),
            (0.574, RIGHT),
            (0.57, "at least 3 digits"),
        ],
        "42.2": [
            (per_patient, RIGHT),
            (by_dict, RIGHT),
            (times(per_patient, 1.0), RIGHT),
            (lambda patient, rng: rng.permutation(patient.size) % 2, "one coin per patient"),
            (lambda patient, rng: rng.integers(0, 2, patient.size), "one coin per patient"),
            (lambda patient, rng: rng.integers(0, 2, len(set(patient))), "the coin of its patient"),
            (lambda patient, rng: rng.integers(0, 2), r"yours has shape \(\)"),
            (times(per_patient, 2), "Each label is 0 or 1"),
            (lambda p, rng: per_patient(p, np.random.default_rng()), "The same rng must give"),
            (lambda p, rng: per_patient(p, np.random.default_rng(0)), "the same for every rng"),
            (lambda p, rng: per_patient(p, rng) * per_patient(p, rng), "no fair coins"),
            (lambda p, rng: np.full(p.size, rng.integers(0, 2)), "no fair coins|same for every"),
            (in_place, "Leave patient as it is"),
            (lambda p, rng: rng.integers(0, 2, p.max() + 1)[p], "could not be checked"),
        ],
        "42.3": [
            (2, RIGHT),
            (2.0, RIGHT),
            (np.array([2]), RIGHT),
            (1, "Bonferroni"),
            (3, "Never falling"),
            (4, "Without a correction"),
            (5, "Sort them"),
            (0, "Sort them"),
        ],
    }


def one_standard_error(scores, cost, ddof=1, error_of=lambda errors, best: errors[best]):
    means = scores.mean(axis=1)
    best = np.nanargmax(means)
    errors = scores.std(axis=1, ddof=ddof) / np.sqrt(scores.shape[1])
    within = np.flatnonzero(means >= means[best] - error_of(errors, best))
    return within[np.argmin(cost[within])]


@chapter
def chapter_43():
    def within_a_deviation(scores, cost):
        return one_standard_error(
            scores, cost, error_of=lambda errors, best: errors[best] * np.sqrt(scores.shape[1])
        )

    def own_errors(scores, cost):
        means, errors = scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
        within = np.flatnonzero(means + errors >= np.nanmax(means))
        return within[np.argmin(cost[within])]

    def strictly(scores, cost):
        means = scores.mean(axis=1)
        best = np.nanargmax(means)
        error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
        within = np.flatnonzero(means > means[best] - error)
        return within[np.argmin(cost[within])]

    def place_among_the_left(scores, cost):
        means = scores.mean(axis=1)
        best = np.nanargmax(means)
        error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
        return np.argmin(cost[means >= means[best] - error])

    splits, leaves = (2, 3, 4, 6, 8, 12), (1, 2, 3, 4, 6)
    every = list(itertools.product(splits, leaves))
    multiply, general = "multiply, they do not add", "Candidates are the product"
    return {
        "43.1": number(
            general,
            (10 * 5**6 + 1, 0, RIGHT),
            (10 * 5**6, 0, "fitted once more"),
            (5**6, 0, "Those are the candidates"),
            (5**6 + 1, 0, "Those are the candidates"),
            (10 * 6**5, 0, "Upside down"),
            (10 * 6**5 + 1, 0, "Upside down"),
            (10 * 6 * 5, 0, multiply),
            (10 * 6 * 5 + 1, 0, multiply),
        ),
        "43.2": number(
            "For each leaf count the different",
            (len({(leaf, max(split, 2 * leaf)) for split, leaf in every}), 0, RIGHT),
            (30, 0, "Some are copies"),
            (len({max(split, 2 * leaf) for split, leaf in every}), 0, "the different thresholds"),
            (sum(split > 2 * leaf for split, leaf in every), 0, "still make one candidate"),
        ),
        "43.3": [
            (one_standard_error, RIGHT),
            (lambda scores, cost: None, "Return one index"),
            (lambda scores, cost: [3], "Return one index"),
            (lambda scores, cost: np.argmin(cost), "its mean is NaN"),
            (within_a_deviation, "You allowed one standard deviation"),
            (lambda scores, cost: np.nanargmax(scores.mean(axis=1)), "That is the best one"),
            (lambda scores, cost: 4, "the cheapest of all"),
            (place_among_the_left, "A place among those that are left"),
            (lambda scores, cost: 7, "Keep those with mean"),
            (lambda *args: one_standard_error(*args, ddof=0), "Use std"),
            (lambda scores, cost: 3 if len(cost) == 6 else 0, "Use std"),
            (own_errors, "that of the best candidate, not of each"),
            (strictly, "With an error of 0 nobody is left"),
            (lambda scores, cost: 3 if len(cost) == 6 else 1, "that of the best candidate"),
        ],
    }


def hit_rate(size, good, n):
    missed = 1.0
    for draw in range(n):
        missed *= max(size - good - draw, 0) / (size - draw)
    return 1 - missed


@chapter
def chapter_44():
    space = {
        "learning_rate": stats.loguniform(1e-4, 1e-1),
        "layers": stats.randint(1, 5),
        "dropout": stats.uniform(0.1, 0.4),
    }
    loguniform, uniform = stats.loguniform, stats.uniform
    uneven = stats.rv_discrete(values=([1, 2, 3, 4], [0.1, 0.4, 0.4, 0.1]))
    near = stats.loguniform(1e-4 * (1 - 9.4e-6), 1e-1)  # the median is half of that too low
    nearer = stats.loguniform(1e-4 * (1 - 6e-6), 1e-1)

    def with_replacement(size, good, n):
        return 1 - (1 - good / size) ** n

    def changed(*cases):
        return lambda *case: hit_rate(*case) + 0.1 * (case in cases)

    def by_factorials(size, good, n):  # fails where a hit is certain
        f = math.factorial
        return 1 - f(size - good) * f(size - n) / f(size) / f(size - good - n)

    few, no_draw = (12, 5, 9), (50, 4, 0)
    enough = next(n for n in range(1, 100) if (n + 3) / (2 * (n + 1) * (n + 2)) <= 1 / 16)
    return {
        "44.1": [
            (space, RIGHT),
            (list(space), "A dictionary, please"),
            ({"layers": space["layers"]}, r"missing: \['dropout', 'learning_rate'\]"),
            ({"layers": 4, "dropout": 0.1, "learning_rate": 1}, "learning_rate must be a distri"),
            *[(space | {name: [1, 2]}, f"{name} must be a distribution") for name in space],
            (space | {"learning_rate": loguniform(1e-3, 1e-1)}, "must run from 0.0001 to 0.1"),
            (space | {"learning_rate": loguniform(1e-4, 1)}, "must run from 0.0001 to 0.1"),
            (space | {"learning_rate": uniform(1e-4, 0.0999)}, "By its order of magnitude"),
            (space | {"learning_rate": near}, "By its order of magnitude"),
            (space | {"learning_rate": nearer}, RIGHT),
            (space | {"layers": stats.randint(1, 4)}, "never becomes 4"),
            (space | {"layers": stats.randint(0, 5)}, "with equal probabilities"),
            (space | {"layers": stats.randint(1, 6)}, "with equal probabilities"),
            (space | {"layers": uneven}, "with equal probabilities"),
            (space | {"dropout": uniform(0.1, 0.5)}, "the LENGTH of the interval"),
            (space | {"dropout": uniform(0, 0.5)}, "must be uniform from 0.1"),
            (space | {"dropout": uniform(0.1, 0.3)}, "must be uniform from 0.1"),
            (space | {"dropout": stats.beta(2, 5, 0.1, 0.4)}, "must be uniform from 0.1"),
        ],
        "44.2": [
            (enough, RIGHT),
            (8.5, "A whole number of draws"),
            (7, "Almost: 7 draws"),
            (4**6, "the grid's own budget"),
            (4, "leave gaps"),
            *[(n, "the smallest number is asked for") for n in (9, 64, 4095)],
            *[(n, "The grid tests 4 values") for n in (6, 5, 3, 0, 4097)],
        ],
        "44.3": [
            (hit_rate, RIGHT),
            (lambda *case: 1 - hit_rate(*case), "to miss them all"),
            (with_replacement, "with replacement"),
            (changed(few), "Look at the ends"),
            (changed(no_draw), "Look at the ends"),
            (by_factorials, "Look at the ends"),
            (lambda *case: by_factorials(10, 3, 2), "Missing: "),
            *[(changed(c), "Missing: ") for c in ((144, 7, 60), (10, 3, 2), (20, 1, 20))],
        ],
    }


@chapter
def chapter_45():
    from helpers.compare import paired
    from helpers.search import Space, strategies

    def chance(here, neighbour, temperature):
        if temperature == 0:
            return float(neighbour > here)
        return min(1.0, math.exp((neighbour - here) / temperature))

    def wrong_for(*start):
        return lambda *case: chance(*case) + 1e-5 * (case[: len(start)] == start)

    source = cell_of("45_greedy_search_and_evolution", "34-greedy-and-priority-search-15")
    own = {}
    exec(source.partition("\n\n\nfor")[0], own)  # `climb`, as the notebook builds it
    table = records.load("search_tables")
    space = Space(table["spaces"]["svm"])
    runs = [run for run in table["runs"] if run["table"] == "svm"]
    scores = {space.find(run["params"]): float(np.mean(run["accuracy"])) for run in runs}

    def count(strategy, seed):
        search = strategy(space, np.random.RandomState(seed))
        return int(np.argmax(strategies.run(search, scores.get, len(scores))[1])) + 1

    climbs, ties = (
        [count(strategy, seed) for seed in range(30)]
        for strategy in (own["climb"], strategies.greedy)
    )
    half = paired(climbs, ties).half
    low, high = stats.ttest_ind(climbs, ties).confidence_interval()
    normal = 1.96 * stats.sem(np.subtract(climbs, ties))
    return {
        "45.1": number(  # 82, 84, 85, 81, 80; of these the diagonals leave three, the edges two
            "A local optimum is higher",
            (5, 0, RIGHT),
            (1, 0, "The highest is one"),
            (3, 0, "counted diagonal cells"),
            (2, 0, "Cells at the edge count"),
        ),
        "45.2": [
            (chance, RIGHT),
            (lambda h, n, t: math.exp((n - h) / t) if t else float(n > h), "never above 1"),
            (lambda h, n, t: min(1, math.exp((h - n) / t)), "never above 1"),
            (lambda h, n, t: 1.0, "The sign: the neighbour"),
            (lambda h, n, t: float(n > h), r"exp\(-0.01 / 0.02\)"),
            (wrong_for(0.95, 0.94, 0.02), r"exp\(-0.01 / 0.02\)"),
            (wrong_for(0.95, 0.90), r"exp\(-0.05 / 0.02\)"),
            (wrong_for(0.95, 0.94, 0.04), "Twice the temperature"),
            (lambda h, n, t: chance(h, n, t) - (h == n), "An equal neighbour loses nothing"),
            (lambda h, n, t: min(1, math.exp((n - h) / t)), "divides by zero"),
            (lambda h, n, t: chance(h, n, t) if t else 0.0, "A temperature of 0 is greedy"),
            (lambda h, n, t: ..., "Not answered yet"),
        ],
        "45.3": [
            *[((value, True), RIGHT) for value in (8.22, 8.225, half, np.float64(half))],
            ((8.2, True), "at least 3 digits"),
            *[(((high - low) / 2, told), "share their seeds") for told in (True, False)],
            ((normal, True), "Student's t"),
            ((2 * half, True), "the whole width"),
            ((paired(climbs, ties).mean, True), "the mean difference"),
            ((5.0, True), "of the seeds 0 to 29"),
            ((half, False), "larger than the mean"),
            ((half, "no"), "Say True or False"),
            *[(answer, "A pair, please") for answer in (half, (half,), "8.22")],
            ((True, half), "The half width comes first"),
        ],
    }


def probability_of_improvement(mean, std, best):
    z = (mean - best) / np.where(std > 0, std, 1)
    return np.where(std > 0, stats.norm.cdf(z), mean > best)


@chapter
def chapter_46():
    gain, std, cdf, pdf = -0.02, 0.02, stats.norm.cdf, stats.norm.pdf
    best = probability_of_improvement

    def certain(value):
        """Right wherever the score is uncertain."""
        return lambda m, s, b: best(m, s, b) if s.all() else value(m, b)

    return {
        "46.1": [
            *rounded(
                gain * cdf(-1) + std * pdf(1),
                "z = ",
                {
                    -gain * cdf(1) + std * pdf(1): "The sign",
                    cdf(-1): "the probability of an improvement",
                    std * pdf(1): "One of the two terms is missing: gain",
                    gain * cdf(-1): "One of the two terms is missing: std",
                    gain * cdf(-1) + pdf(1): "multiplied by the standard deviation",
                    cdf(-1) * gain / std + pdf(1): "in units of the standard deviation",
                    gain * cdf(gain) + std * pdf(gain): "z is the gain divided",
                    gain: "may still come out above it",
                },
            ),
            (-0.02 * 0.15866 + 0.02 * 0.24197, RIGHT),
            (0, "may still come out above it"),
        ],
        "46.2": rounded(
            math.sqrt(1 - 0.49 / 1.3),
            "The variance is signal",
            {
                1 - 0.49 / 1.3: "That is the variance",
                math.sqrt(0.51): "K is 1.3, not 1",
                math.sqrt(1.3 - 0.49 / 1.3): "the noise of the new evaluation too",
                0.9: "where it is inverted",
                0.7 / 1.3: "what its mean is multiplied by",
                0.51: "And a root is to be taken",
            },
        ),
        "46.3": [
            (best, RIGHT),
            (off(best, 9e-13), RIGHT),
            (lambda *args: best(*args)[:3], r"shape \(4,\); yours has shape \(3,\)"),
            (lambda *args: 1 - best(*args), "the sign of the gain is flipped"),
            (lambda m, s, b: pdf((m - b) / np.where(s > 0, s, 1)), "That is the density"),
            (lambda m, s, b: cdf((m - b) / s**2), "What is the probability that it is above"),
            (off(best, 1.5e-9), "What is the probability that it is above"),
            (certain(lambda m, b: np.full(len(m), np.nan)), "the score is certain: 1 above"),
            (certain(lambda m, b: np.where(m > b, 0.9, 0)), "the score is certain: 1 above"),
            (certain(lambda m, b: np.where(m < b, 1, 0)), "the score is certain: 1 above"),
            (certain(lambda m, b: (m >= b).astype(float)), "equals the best is no improvement"),
            (certain(lambda m, b: np.where(m == b, 0.5, m > b)), "equals the best is no improv"),
            (certain(lambda m, b: np.where(m == b, 2e-12, m > b)), "equals the best is no improv"),
        ],
    }


def first_rungs(R, eta):
    s_max = 0
    while eta ** (s_max + 1) <= R:
        s_max += 1
    return [-(-(s_max + 1) * eta**s // (s + 1)) for s in range(s_max, -1, -1)]


@chapter
def chapter_47():
    def by_logarithm(R, eta):
        s_max = math.floor(math.log(R) / math.log(eta))
        return [math.ceil((s_max + 1) * eta**s / (s + 1)) for s in range(s_max, -1, -1)]

    def rounded_logarithm(R, eta):
        s_max = round(math.log(R, eta))
        return [math.ceil((s_max + 1) * eta**s / (s + 1)) for s in range(s_max, -1, -1)]

    def rounded_early(R, eta):
        s_max = len(first_rungs(R, eta)) - 1
        return [(s_max + 1) // (s + 1) * eta**s for s in range(s_max, -1, -1)]

    def changed_at(at, change):
        return lambda R, eta: change(first_rungs(R, eta)) if R == at else first_rungs(R, eta)

    def one_more(rungs):
        return [n + 1 for n in rungs]

    def ruled(share=None, order=None, sign=1, step=1, noted=True, again=False, last=0):
        """ASHA's rule for a free worker, with one thing wrong in it."""
        share = share or (lambda rungs, k: len(rungs[k]) // 3)
        order = order or (lambda n: range(n - 1, -1, -1))

        def next_job(rungs, promoted, waiting):
            for k in order(len(rungs) - 1 + last):
                ranked = sorted(rungs[k], key=lambda number: -sign * rungs[k][number])
                for number in ranked[: share(rungs, k)]:
                    if again or number not in promoted[k]:
                        if noted:
                            promoted[k].add(number)
                        return number, k + step
            return (waiting.pop(0), 0) if waiting else None

        return next_job

    rule = ruled()

    def by_places(rungs, promoted, waiting):
        """As many promotions as a third of the rung, whoever they were."""
        for k in range(len(rungs) - 2, -1, -1):
            ranked = sorted(rungs[k], key=rungs[k].get, reverse=True)
            left = [number for number in ranked if number not in promoted[k]]
            if len(promoted[k]) < len(ranked) // 3:
                promoted[k].add(left[0])
                return left[0], k + 1
        return (waiting.pop(0), 0) if waiting else None

    return {
        "47.1": number(
            "Add up candidates times epochs",
            (4 * 64, 0, RIGHT),
            (64 * 64, 0, "trains all 64 to the end"),
            (3 * 64, 0, "Three cuts make four rungs"),
            (64 + 16 + 4 + 1, 0, "Those are the trainings"),
            (5 * 64, 0, "Five rungs belong"),
            (64 * 1 + 16 * 3 + 4 * 12 + 1 * 48, 0, "with checkpoints"),
        ),
        "47.2": [
            (first_rungs, RIGHT),
            (lambda *args: np.array(first_rungs(*args), float), RIGHT),
            (lambda *args: None, "Return the list"),
            (lambda R, eta: None if R == 100 else first_rungs(R, eta), "Return the list"),
            (rounded_early, "Round once, at the end and up"),
            (lambda *args: first_rungs(*args)[::-1], "comes first"),
            (lambda *args: first_rungs(*args)[:4], "both included"),
            (lambda *args: first_rungs(*args)[:3], "For R = 81 and eta = 3 it must be"),
            (by_logarithm, r"R = 243 is 3\*\*5, .* gives 4\. Count in whole numbers"),
            (changed_at(81, one_more), r"For R = 81 .* be \[81, 34.* yours is \[82.0, 35.0"),
            (changed_at(16, one_more), "For R = 16 and eta = 2 it must be"),
            (changed_at(16, sum), "could not be checked"),
            (changed_at(16, lambda rungs: rungs[1:]), "For R = 16 and eta = 2 it must be"),
            (changed_at(100, one_more), "For R = 100 and eta = 3 it must be"),
            (rounded_logarithm, "For R = 200 and eta = 3 it must be"),
            (changed_at(243, one_more), "For R = 243 and eta = 3 it must be"),
        ],
        "47.3": [
            (rule, RIGHT),
            (lambda *state: (job := rule(*state)) and np.array(job), RIGHT),
            (
                ruled(share=lambda rungs, k: len(rungs[max(0, k - 1)]) // 3),
                "Still at the wrong rung",
            ),
            (ruled(share=lambda rungs, k: len(rungs[0]) // 3), "Still at the wrong rung"),
            (ruled(share=lambda rungs, k: -(-len(rungs[k]) // 3)), "Round down"),
            (ruled(share=lambda rungs, k: len(rungs[k]) // 4), "promote before you start"),
            (ruled(order=range), "Begin with the highest rung"),
            (by_places, "Do not count who was promoted before"),
            (ruled(sign=-1), "That is the worst of the three"),
            (ruled(step=2), r"to rung k \+ 1"),
            (ruled(step=0), r"to rung k \+ 1"),
            (ruled(noted=False), "Note each promotion"),
            (ruled(again=True), "promoted from the first rung already"),
            (ruled(last=1), "Nobody goes on from the last rung"),
            (lambda rungs, promoted, waiting: (waiting.pop(0), 0), "promote before you start"),
            (lambda rungs, *rest: rule(rungs, *rest) or (0, 1), "Round down"),
            (lambda *state: None, r"must be \(1, 1\); yours is None"),
            (lambda *state: 1, "could not be checked"),
            (
                lambda rungs, promoted, waiting: rule(rungs, promoted, waiting[::-1]),
                "in their order",
            ),
            (lambda rungs, promoted, waiting: rule(rungs, promoted, waiting[:]), "no longer waits"),
        ],
    }


@chapter
def chapter_48():
    def fits(seconds, overhead, workers):
        return max(1, math.ceil((workers - 1) * overhead / seconds - 1e-9))

    def changed_at(at, by):
        return lambda *case: fits(*case) + by * (case[2] == at)

    def takes(workers, tasks=720, s=0.6, o=0.003):  # equal tasks, one after the other handed out
        free, dispatcher = [0.0] * workers, 0.0
        for _ in range(tasks):
            worker = free.index(min(free))
            dispatcher = max(dispatcher, free[worker]) + o
            free[worker] = dispatcher + s
        return max(free)

    fewest = next(workers for workers in range(1, 721) if takes(workers) <= 3)
    stragglers = stats.binom(16, 1 / 20)
    mean, longest = 0.95 * 1 + 0.05 * 10, stragglers.pmf(0) * 1 + stragglers.sf(0) * 10
    return {
        "48.1": rounded(
            fewest * takes(fewest),
            "Look for the smallest W",
            {
                145 * takes(145): "145 workers are enough",
                144 * takes(144): "144 workers are enough for the work alone",
                145 * 3: "With 145 workers, the last round",
                720 * 0.6: "the work alone",
                720 * 0.603: "what one worker takes",
                fewest * 3: "until the last result",
                201 * takes(201): "Fewer are enough",
                takes(fewest): "Each of them is paid",
                fewest: "The right number of workers",
            },
        ),
        "48.2": [
            (fits, RIGHT),
            (lambda *case: float(fits(*case)), RIGHT),
            (lambda s, o, w: (w - 1) * o / s, "is not a whole number"),
            (lambda s, o, w: math.ceil((w - 1) * o / s), "For 2 s, 1 s and 1 workers .* no fits"),
            (lambda s, o, w: max(1, math.ceil(w * o / s)), r"For 1 s.* 1 is enough: 1 \+ k s/o"),
            (lambda s, o, w: fits(s, o, w) + (w == 201), "201 workers 4 is enough"),
            (lambda s, o, w: max(1, math.floor((w - 1) * o / s)), "39 is one too few"),
            (lambda s, o, w: 7, "it is 40, yours is 7. A batch works"),
            *[(changed_at(w, 10), f"and {w} workers it is") for w in (1000, 2, 201, 12, 1)],
        ],
        "48.3": rounded(
            1 - mean / longest,
            "A batch takes 10 with probability",
            {
                mean / longest: "at work; the rest is idle",
                1 - mean / 10: "Not every batch has a straggler",
                1 - 0.95**16: "how often a batch has a straggler",
                0.95**16: "how often a batch has no straggler",
                1 - 1 / longest: "The stragglers are at work, too",
                longest - mean: "Divide by what a batch takes",
                1 - mean / 8.2: "the mean number of stragglers",
            },
        ),
    }


def price(n, r, last, seeds, checkpoints, least=1):
    total, before = 0, 0
    while r <= last:
        total += n * (r - before if checkpoints else r)
        n, before, r = max(least, n // 3), r, 3 * r
    return seeds * total


def fair_portfolio(gain, parents, size, weight=lambda tasks: 1.0):
    """Mean over the data sets of the mean over their tasks, weighted; one candidate at a time."""
    chosen, names = [], sorted(set(parents))
    for _ in range(size):
        worth = {
            c: sum(
                weight(gain[parents == name]) * gain[parents == name][:, [*chosen, c]].max(1).mean()
                for name in names
            )
            for c in range(gain.shape[1])
            if c not in chosen
        }
        most = max(worth.values())
        chosen.append(next(c for c in worth if worth[c] > most - 1e-12))
    return chosen


def honest_loss(predictions, choose, fold):
    came = np.empty(predictions.shape[1])
    for one in np.unique(fold):
        came[fold == one] = choose(predictions[:, fold != one]) @ predictions[:, fold == one]
    return -np.log(came).mean()


def best_weights(predictions, steps=500):
    weights = np.full(len(predictions), 1 / len(predictions))
    for _ in range(steps):
        share = weights[:, None] * predictions
        weights = (share / share.sum(axis=0)).mean(axis=1)
    return weights


@chapter
def chapter_51():
    from helpers.search import pipeline_space
    from sklearn import discriminant_analysis, linear_model, tree

    six = pipeline_space()
    columns = {name: values for name, values in six[0].items() if name.startswith("columns__")}
    own = {"model__max_depth": [2, 4, 8], "model__min_samples_leaf": [1, 5, 20]}

    grown = tree.DecisionTreeClassifier(random_state=0)

    def seventh(part, model=grown, shared=columns):
        return [*six, shared | {"model": [model]} | part]

    analysis = discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr")
    shrunk = {"model__shrinkage": [None, "auto", 0.5], "model__priors": [None, [0.5, 0.5]]}
    margins, strength = linear_model.RidgeClassifier(), {"model__alpha": [1, 2]}
    absurd = {"model__max_depth": [-1, -2], "model__ccp_alpha": [0, 1]}
    first, with_p, with_x, last = 0.12, 0.07, 0.11, 0.07
    part = (2 * first + with_p + with_x + 2 * last) / 6
    return {
        "51.1": [
            (2010, RIGHT),
            (np.array(2010.0), RIGHT),
            (2000, "winner of each search is fitted once more"),
            (201, "That is one search; ten"),
            (200, "without the fit of its winner"),
            (2001, "in each of the ten outer splits"),
            (410, "once per fold"),
            (400, "once per fold, and each winner"),
            (2050, "not once more in each fold"),
            (20100, "not a hundred"),
            (2011, "40 candidates times five folds"),
            (1809, "40 candidates times five folds"),
        ],
        "51.2": rounded(
            part,
            "A third of",
            {
                first: "set free first",
                last: "set free last",
                (first + with_p + with_x + last) / 4: "weights 1/3, 1/6, 1/6, 1/3",
                (first + last) / 2: "comes second count, too",
                0.16: "the whole gain",
                -part: "The sign",
            },
        ),
        "51.3": [
            (seventh(own), RIGHT),
            (tuple(seventh(own)), RIGHT),
            (seventh(shrunk, analysis), RIGHT),
            ([*seventh(own), columns | {"model": [analysis]} | shrunk], RIGHT),
            (columns | own, "That is one family"),
            (six, "has 6 families; it should have seven"),
            ([*six, columns], 'Each family needs its "model"'),
            (seventh(own)[1:] + seventh(own)[-1:], "should stay; missing: .'LogisticRegression'"),
            ([*six, six[2]], "another model than the six"),
            (seventh({"model__max_depth": [2, 4]}), "two or more parameters"),
            (seventh(own | {"model__max_depth": [2]}), "two or more parameters"),
            (seventh(own, shared={}), "no choices for the columns"),
            (seventh(strength | {"model__tol": [0.1, 1]}, margins), "no predict_proba"),
            (seventh({"model__depth": [2, 4], "model__leaf": [1, 5]}), "no parameters"),
            (seventh(absurd), "could not be checked"),
            (3, "could not be checked"),
        ],
    }


@chapter
def chapter_52():
    p = np.array([0.9, 0.5, 0.1])
    gap = -np.log(p).mean() + math.log(p.mean())

    def by_fold(chosen_on, mean=lambda came, fold: came.mean()):
        """The loss by weights chosen on the rows that `chosen_on` says of a fold."""

        def answer(predictions, choose, fold):
            came = np.empty(predictions.shape[1])
            for one in np.unique(fold):
                weights = choose(predictions[:, chosen_on(fold, one)])
                came[fold == one] = -np.log(weights @ predictions[:, fold == one])
            return mean(came, fold)

        return answer

    def mean_of_folds(came, fold):
        return np.mean([came[fold == one].mean() for one in np.unique(fold)])

    def turned(predictions, choose, fold):
        return honest_loss(predictions, lambda shown: choose(shown.T)[: len(predictions)], fold)

    def only_best(predictions):
        return np.eye(len(predictions))[np.log(predictions).mean(axis=1).argmax()]

    return {
        "52.1": rounded(
            gap,
            "minus -log of the mean",
            {
                -math.log(0.5): "the log loss of the average",
                -np.log(p).mean(): "the mean of the losses; how far",
                -gap: "the other way",
                gap / math.log(2): "in bits",
                gap / math.log(10): "decimal logarithms",
                3 * gap: "the sum over the members",
            },
        ),
        "52.2": [
            (honest_loss, RIGHT),
            (off(honest_loss, 1e-9), RIGHT),
            (by_fold(lambda fold, one: fold != one), RIGHT),
            (by_fold(lambda fold, one: fold == one), "on the fold that judges them"),
            (by_fold(lambda fold, one: fold >= 0), "chosen on all rows"),
            (by_fold(lambda fold, one: fold != one, mean_of_folds), "not over the folds"),
            (times(honest_loss, -1), "the other sign"),
            (turned, r"shape \(candidates, rows\)"),
            (off(honest_loss, 1e-3), "For each fold k"),
        ],
        "52.3": [
            (best_weights, RIGHT),
            (lambda p: best_weights(p, 2000), RIGHT),
            (lambda p: best_weights(p)[:4], "need five weights"),
            (lambda p: best_weights(p, 0), "the equal weights of the start"),
            (lambda p: best_weights(p, 2), "divides by the mixture"),
            (only_best, "All weight lies on one"),
            (times(best_weights, 60), "must sum to 1"),
            (lambda p: best_weights(p) + np.array([1, -1, 0, 0, 0]), "No weight may be negative"),
            (times(best_weights, np.nan), "not finite"),
        ],
    }


@chapter
def chapter_53():
    fair = fair_portfolio

    def alone(gain, parents, size):
        mean = np.mean([gain[parents == name].mean(0) for name in sorted(set(parents))], axis=0)
        return (-mean).argsort()[:size]

    def means_first(gain, parents, size):
        means = np.array([gain[parents == name].mean(0) for name in sorted(set(parents))])
        return fair(means, np.arange(len(means)), size)

    def spoils(gain, parents, size):
        found = fair(gain, parents, size)
        gain[:, found] = 0
        return found

    def last_of_equals(gain, parents, size):
        return [0, 1, 3, 2][:size] if gain.shape[1] == 4 else fair(gain, parents, size)

    share = 1 - 0.75**4
    return {
        "53.1": rounded(
            0.156,
            "Which is the best of the two",
            {
                0.364: "That is the expected gain",
                0.52 - 0.23: "the regret after one draw",
                0.52 - 0.3372: "never the first one again",
                0.52 - 0.46: "do not add up",
                0.3372: "of draws with repeats",
                0.52 * 0.6: "drawn with probability 2/5",
            },
        ),
        "53.2": rounded(
            0.31 / share,
            "Greedy has at least the share",
            {
                0.31 / (1 - math.exp(-1)): "holds for every size",
                0.31 * share: "the best is the larger one",
                0.31 * (1 - math.exp(-1)): "the best is larger",
                share: "That is greedy's least share",
                0.31 / 0.25: "The power is missing",
                0.31 / 0.75**4: r"The share is 1 - \(1 - 1/k\)\^k",
                0.31 / 0.75: "the share for pairs",
            },
        ),
        "53.3": [
            (fair, RIGHT),
            (lambda *args: np.array(fair(*args)), RIGHT),
            (lambda *args: fair(*args)[:-1], r"A list of \d candidates is asked for"),
            (lambda *args: fair(*args)[:-1] + fair(*args)[:1], "stands in it twice"),
            (lambda *args: fair(*args, weight=len), "Every task has the same say"),
            (lambda *args: fair(*args, weight=lambda tasks: len(tasks) ** 2), "are turned"),
            (alone, "These are the best alone"),
            (means_first, "First the best of the portfolio on each task"),
            (lambda *args: fair(*args)[::-1], "Weight each task by 1 over"),
            (lambda gain, parents, size: list(range(size)), "Weight each task by 1 over"),
            (spoils, "has changed the table"),
            (last_of_equals, "take the first that is not in it"),
        ],
    }


@chapter
def chapter_61():
    losses = np.array([[24.0, 24.4], [23.6, 25.2], [24.5, 24.1], [24.9, 24.7]])
    means, lowest = losses.mean(axis=1), losses.min(axis=1)
    one_seed = "the regret within one seed"

    def right(goals, no_worse=np.less_equal, is_better=np.any, columns=None):
        goals = np.asarray(goals)[:, :columns]
        better = is_better(goals[:, None] < goals, axis=2)
        return ~(no_worse(goals[:, None], goals).all(axis=2) & better).any(axis=0)

    def pair_by_pair(goals):  # the fronts of two goals each, together
        n = goals.shape[1]
        pairs = [right(goals[:, [i, j]]) for i, j in itertools.combinations(range(n), 2)]
        return np.any(pairs, axis=0)

    weights, three = (np.arange(10**6) + 0.5) / 10**6, np.array([[0, 1], [0.55, 0.55], [1, 0]])

    def best_of(small):  # [i, j]: network i is the best with weight j
        parts = three[:, :, None] * np.stack([weights, 1 - weights])
        values = parts.max(axis=1) + small * parts.sum(axis=1)
        return values == values.min(axis=0)

    best = best_of(0)

    def first_of_equals(goals):
        seen = [row.tolist() in goals[:i].tolist() for i, row in enumerate(goals)]
        return right(goals) & ~np.array(seen)

    return {
        "61.1": number(
            "The mean of the two seeds for each",
            (means[[2, 3]].min() - means.min(), 1e-6, RIGHT),
            (means[2] - losses.min(), 1e-6, "the luck of one seed"),
            (lowest[[2, 3]].min() - lowest.min(), 1e-6, "the best seed of each network"),
            (losses[[2, 3], 0].min() - losses[:, 0].min(), 1e-6, one_seed),
            (losses[[2, 3], 1].min() - losses[:, 1].min(), 1e-6, one_seed),
            (means[3] - means.min(), 1e-6, "not the last one"),
            (means.min() - means[[2, 3]].min(), 1e-6, "The sign"),
        ),
        "61.2": [
            *[(value, RIGHT) for value in (4.1, 4.10, np.array([4.1]))],
            (4, "The last network adds"),
            (9.6, "overlap"),
            (7.6, "overlap"),
            (4.25, "is dominated by"),
            (4.8, "where no network is"),
            (5.5, "From the smallest network on"),
        ],
        "61.3": [
            (right, RIGHT),
            (lambda goals: right(goals).tolist(), RIGHT),
            (lambda goals: right(goals, is_better=np.all), "no worse than"),
            (lambda goals: np.ones(len(goals), bool), "is worse than"),
            (lambda goals: ~right(goals), "is worse than"),
            (lambda goals: right(-goals), "is worse than"),
            (first_of_equals, "both stay"),
            (lambda goals: right(goals, columns=2), "best in the third"),
            (pair_by_pair, r"\(2, 2, 2\) stays"),
            (lambda goals: np.flatnonzero(right(goals)), "a boolean array of shape"),
            (lambda goals: right(goals).astype(float), "a boolean array of shape"),
            (lambda goals: ..., "Not answered yet"),
        ],
        "61.4": [
            *rounded(
                best[1].mean(),
                "Of .0, 1. it is 1 - w",
                {
                    weights[best[1].argmax()]: "the weight from which",
                    weights[::-1][best[1][::-1].argmax()]: "the weight up to which",
                    best[1].mean() / 2: "the half below",
                    1 - best[1].mean(): "of the two others together",
                    best_of(0.05)[1].mean(): "Without the small sum",
                    1 / 3: "Not equally often",
                },
            ),
            (0, "the weighted sum, which never"),
            (0.0, "the weighted sum, which never"),
        ],
    }


def annealing(space, rng, learns=True, steps=10**6, again=0):
    """A strategy that passes; it can ignore its scores, stop, or ask for known points."""
    point, t = space.random(rng), 0.3
    score, known = (yield [point])[0], {point}
    for _ in range(again):
        yield [point]
    for _ in range(steps):
        near = [p for p in space.neighbours(point) if p not in known] or [space.random(rng)]
        other = near[rng.randint(len(near))]
        known.add(other)
        new = (yield [other])[0]
        if not learns or new >= score or rng.random_sample() < math.exp((new - score) / t):
            point, score = other, new
        t *= 0.95


@chapter
def chapter_62():
    def seconds(epochs=(9, 18, 54), builds=(9, 0, 0), units=81):
        """Seconds of a race from its epochs on each rung, and how many are built for it."""

        def race(build, train):
            rungs = (train.sum(), train[:3].sum(), train[0])
            trained = sum(n * rung for n, rung in zip(epochs, rungs, strict=True)) / units
            return trained + sum(build[:count].sum() for count in builds)

        return race

    def without_rng(space, rng):
        return annealing(space, np.random.RandomState())

    def uphill(space, rng):
        """Learns to go where it is bad."""
        inner, scores = annealing(space, rng), None
        while True:
            scores = -(yield inner.send(scores))

    return {
        "62.1": [
            (seconds(), RIGHT),
            (seconds((9, 27, 81)), "From 9 to 27 there are 18 new epochs"),
            (seconds((9, 27, 81), (9, 3, 1)), "the price anew"),
            (seconds(builds=(9, 3, 1)), "A network is built once"),
            (seconds(builds=(0, 0, 0)), "have to be built as well"),
            (seconds(units=1), "an epoch costs train / 81"),
            (seconds((81, 0, 0)), "Only the first of them"),
            (seconds((9, 18, 81)), "54 more for one"),
            (lambda build, train: build + train, "Return one number"),
            (lambda build, train: 0 * train.sum(), "54 more for one"),
        ],
        "62.2": [
            (annealing, RIGHT),
            (lambda space, rng: ..., "Not answered"),
            (lambda space, rng: annealing(space, rng, steps=20), "It stopped after 21 networks"),
            (without_rng, "draw from rng"),
            (lambda space, rng: annealing(space, rng, learns=False), "It learns nothing"),
            (lambda space, rng: annealing(space, rng, again=40), "40 of 60 evaluations"),
            (uphill, "must lie below zero"),
            (lambda space, rng: None, "could not be checked"),
            (lambda space, rng: (space.random(rng) for _ in range(60)), "Yield a list of points"),
            (lambda space, rng: ([0] for _ in range(60)), "Yield a list of points"),
        ],
        "62.3": letters(a=RIGHT, b="No network was trained anew", c="One data set"),
    }


@chapter
def chapter_63():
    from helpers.table import ArchitectureTable

    table = ArchitectureTable.load()
    rng = np.random.default_rng(0)

    def size(params):
        return float(np.log(table.weights[table.row(params)]))

    def with_relu(params):
        return size(params) + (params["activation_1"] == "relu")

    snip = 50_000 * 500 / 60_000 / 90
    return {
        "63.1": [
            *rounded(
                snip,
                "Images seen by all networks",
                {
                    90 * snip: "in epochs",
                    snip / 3: "needs the gradient",
                    3 * snip: "the factor cancels",
                    500 / 60_000 / 90: "for one network",
                    50_000 / 90: "not all 60,000",
                },
            )
        ],
        "63.2": [
            (with_relu, RIGHT),
            (lambda params: ..., "Not answered"),
            (size, "to be beaten"),
            (lambda params: int(table.weights[table.row(params)]), "to be beaten"),
            (lambda params: -with_relu(params), "wrong way round"),
            (lambda params: 1.0, "the same of all"),
            (lambda params: with_relu(params) + 0.1 * rng.normal(), "two different things"),
            (lambda params: table.score(params), "look into the table"),
            (lambda params: -float(table.val[table.row(params), 0, -1]), "look into the table"),
            (lambda params: -params["depth"], "asked of both"),
            (lambda params: math.nan, "no number"),
            (lambda params: [1.0, 2.0], "no number"),
            (lambda params: params["no"], "could not be checked"),
        ],
        "63.3": [
            (0.8, RIGHT),
            (0.80, RIGHT),
            (np.sqrt(0.64), RIGHT),
            (0.64, "another training reaches"),
            (0.41, "take the root"),
            (0.4096, "take the root"),
            (1, "has its noise"),
            (0.786, "Spearman's"),
            (0.79, "Spearman's"),
            (0.9, "plus noise"),
            (-0.8, "plus noise"),
        ],
    }


def novelty(samples, training):
    different = {tuple(row) for row in samples.tolist()}
    return len(different - {tuple(row) for row in training.tolist()}) / len(different)


@chapter
def chapter_64():
    def rows(array):
        return [tuple(row) for row in array.tolist()]

    def new(samples, training):
        return len(set(rows(samples)) - set(rows(training)))

    def by_tokens(samples, training):
        return np.mean([not np.isin(row, training).all() for row in np.unique(samples, axis=0)])

    def share_of_all(samples, training):
        return np.mean([row not in set(rows(training)) for row in rows(samples)])

    def ordered(rows, latents_apart=True, width=1.0):
        layers, latents = (rows > 0) & (rows < 9), rows.max(axis=1) - 8.0
        widths = np.where(layers, width * (1 + (rows - 1) // 2), 0)[:, :3]
        kinds = np.where(layers, 1 + (rows - 1) % 2, 0)[:, :3]
        return np.hstack([widths, kinds, latents[:, None] if latents_apart else rows])

    is_known, whole = r"the share that \*is\*", "in the training set, divided by different"
    return {
        "64.1": [
            *rounded(
                3 / 32,
                "Add them up.$",
                {
                    1 / 8 + 1 / 16: "must be the end: another 1/4",
                    1 / 32: "one of two depths",
                    1 / 16: "one of two depths",
                    6 / 40: "not equally likely",
                    6 / 39: "not equally likely",
                    1 / 32 + 1 / 64: "no end is needed",
                },
                digits=2,
            ),
            (6 / 64, RIGHT),  # all rows of three are equally likely
            ("3/32", "leave out the quotation marks"),
        ],
        "64.2": [
            (novelty, RIGHT),
            (off(novelty, 9e-10), RIGHT),
            (off(novelty, 1.1e-9), whole),
            (lambda a, b: novelty(a, b) if len(a) == 5 else 0.2, "must have novelty 0"),
            (lambda a, b: novelty(a, b) if len(a) == 5 else 1.1e-9, "must have novelty 0"),
            (lambda a, b: novelty(a, b) * (a[0, 0] == 1), "The order of the rows"),
            (lambda a, b: novelty(a, b) * (b[0, 0] == 1), "The order of the rows"),
            (lambda a, b: novelty(a, b) + 1.1e-9 * (a[0, 0] == 3), "The order of the rows"),
            (share_of_all, "count different strings"),
            (off(share_of_all, 9e-10), "count different strings"),
            (off(share_of_all, 1.1e-9), whole),
            *[
                (lambda a, b, v=value + e: v, said if abs(e) < 1e-9 else whole)
                for value, said in (
                    (1 / 3, is_known),
                    (2 / 5, "not by the number of samples"),
                    (1 / 5, is_known),
                    (2, "how many are new"),
                    (1, "Compare whole rows"),
                )
                for e in (-1.1e-9, -9e-10, 0, 9e-10, 1.1e-9)
            ],
            (lambda a, b: 1 - novelty(a, b), is_known),
            (lambda a, b: new(a, b) / len(a), "not by the number of samples"),
            (lambda a, b: new(a, b), "how many are new"),
            (lambda a, b: 0.5, whole),
            (by_tokens, "A string of known tokens"),
        ],
        "64.3": [
            *rounded(
                np.log(0.5) / np.log(1 - 1 / 2336),
                "when is that one half",
                {
                    1168: "birthday",
                    2336: "about 63 %",
                    np.log(0.5) / np.log(1 - 2 / 2336): "not half of the training half",
                },
            ),
            (1619, RIGHT),
            (1620, RIGHT),
            *[(value, RIGHT) for value in (2336 * np.log(2), 1619.19, 1619.2)],
            (1618, "its last digit is off"),
        ],
        "64.4": [
            (ordered, RIGHT),
            (lambda rows: 7 + 3 * ordered(rows), RIGHT),
            (lambda rows: ordered(rows).tolist(), RIGHT),
            (lambda rows: ..., "Not answered yet"),
            (lambda rows: ordered(rows)[0], "a row of numbers for each string"),
            (lambda rows: ordered(rows)[:9], "a row of numbers for each string"),
            (lambda rows: 0 / ordered(rows), "must be finite"),
            (lambda rows: np.eye(13)[rows].reshape(-1, 52), "A width of 16 must be nearer"),
            (lambda rows: ordered(rows, width=0), "A width of 16 must be nearer"),
            (lambda rows: ordered(rows)[:, :6], "2 latents must be nearer"),
            (lambda rows: rows, "the same step at every depth"),
            (lambda rows: ordered(rows, latents_apart=False), "the same step at every depth"),
            (lambda rows: ordered(rows)[:, [0, 1, 2, 6]], "have the same code"),
        ],
    }


@chapter
def chapter_65():
    from sklearn.decomposition import PCA

    def features(scale, fit_on_new=False):
        def answer(x_train, x, k):
            fitted = PCA(k).fit(x if fit_on_new else x_train)
            return fitted.transform(x) * scale(fitted.explained_variance_, fitted.noise_variance_)

        return answer

    def leaked(fitted, held):
        return sum(row.tobytes() in {row.tobytes() for row in fitted} for row in held)

    def common(fitted, held):
        return len(set(map(tuple, fitted)) & set(map(tuple, held)))

    def changed(rows, by=1):
        return lambda fitted, held: leaked(fitted, held) + by * (len(fitted) == rows)

    right, classes = 1.5 * math.sqrt(3.25), "do not know the classes"
    return {
        "65.1": [
            *[(answer, RIGHT) for answer in (right, 2.704, 2.7, 2.7042)],
            (3, "at least 3 digits"),
            (1.5, classes),
            (math.sqrt(3.25), classes),
            (1.8, classes),
            (7.3125, "take its root"),
            (8.31, "the variance of the label's direction"),
            (2.883, "The noise adds 1"),
            (4, "the same variance"),
        ],
        "65.2": letters(
            a="a Pipeline refits PCA", b=r"unlabelled \*training\*", c=RIGHT, d="only transformed"
        ),
        "65.3": [
            (features(lambda v, s: np.sqrt(v - s) / v), RIGHT),
            (features(lambda v, s: 1), "PCA scores as they are"),
            (features(lambda v, s: v**-0.5), "PCA whitened"),
            (features(lambda v, s: np.sqrt(v - s)), "how the decoder stretches"),
            (features(lambda v, s: (v - s) / v), "Take the root"),
            (features(lambda v, s: np.sqrt(v - s) / v, fit_on_new=True), "the new examples"),
            (features(lambda v, s: 1 / v), "multiply score i"),
            (lambda x_train, x, k: PCA(k).fit_transform(x_train), r"Expected shape \(40, 3\)"),
        ],
        "65.4": [
            (leaked, RIGHT),
            (lambda fitted, held: np.isin(held, fitted).sum(), "You counted single pixels"),
            (lambda fitted, held: np.isin(held, fitted).all(axis=1).sum(), "compare whole rows"),
            (common, "a set counts it once"),
            (lambda fitted, held: bool(leaked(fitted, held)), "not whether one does"),
            (lambda fitted, held: leaked(held, fitted), "With 4 rows fitted and 4 held out, 3 of"),
            (changed(8), "With 8 rows fitted and 4 held out, 0 of .*; you return 1"),
            (changed(9), "With 9 rows fitted and 4 held out, 1 of .*; you return 2"),
            (changed(12), "With 12 rows fitted and 4 held out, 4 of .*; you return 5"),
            (changed(2), "With 2 rows fitted and 3 held out, 1 of .*; you return 2"),
            (changed(3), "With 3 rows fitted and 3 held out, 2 of .*; you return 3"),
        ],
    }


@chapter
def chapter_90():
    from helpers.table import ArchitectureTable

    table = ArchitectureTable.load()
    nats = table.means()
    terms = {
        "后验坍缩": "posterior collapse",
        "代理模型": "surrogate",
        "留出法": "hold-out",
        "重参数化": "reparameterisation",
    }
    variants = {
        "后验坍缩": "Posterior-Collapse",
        "代理模型": "Surrogate model",
        "留出法": "hold out",
        "重参数化": "reparameterization trick",
    }

    def near_enough(tolerance):
        return nats <= nats.min() + tolerance

    def smallest(tolerance):
        return table.weights[near_enough(tolerance)].min()

    def right_until(worst, wrong):
        return lambda tolerance: wrong if tolerance >= worst else smallest(tolerance)

    right, per_pixel = 0.118 * 784 + 0.021 * 20, 784 * np.log(2)
    both, first = "multiply each by the number of terms", "Sum the reconstruction over 784"
    bits = right / per_pixel
    return {
        "90.1": [
            (terms, RIGHT),
            (variants, RIGHT),
            (terms | {"重参数化": "Reparametrization"}, RIGHT),
            (terms | {"重参数化": "the reparameterisation trick", "留出法": "hold-out set"}, RIGHT),
            (dict.fromkeys(terms, ...), "Not answered yet"),
            *[(terms | {term: "loss"}, f"Look up {term} again") for term in terms],
            (dict.fromkeys(terms, "surrogate"), "Look up 后验坍缩, 留出法, 重参数化 again"),
            (list(terms.values()), "Answer with a dict whose keys are 后验坍缩, 代理模型"),
            ({"代理模型": "surrogate"}, "Answer with a dict"),
            (terms | {"变分": "variational"}, "Answer with a dict"),
        ],
        "90.2": letters(
            a="The gap is the KL to the posterior",
            b="A lower bound above",
            c=RIGHT,
            d="The reconstruction keeps its scale",
            e="knowledge of test images",
        ),
        "90.3": [
            *[((nats, b), RIGHT) for nats in (92.93, 92.9, 93, right) for b in (0.171, 0.17, bits)],
            *[((mean, bits), both) for mean in (0.139, 0.14)],
            *[((mean, bits), "not over the pixels") for mean in (109, 108.98)],
            *[((value, bits), first) for value in (80, 20.5, 0.5)],
            *[((right, b), "more bits than nats") for b in (0.119, 0.12, right / 784)],
            *[((right, b), "Those are bits per image") for b in (134, 134.1, bits * 784)],
            *[((right, b), "Divide by ln 2") for b in (0.1, 1.171, 0.082)],
            ((right, 0.2), "at least 2 digits"),
            ((..., ...), "Not answered yet"),
            ((right, ...), "Not answered yet"),
            (right, "Answer with a pair"),
            ((right, bits, 0), "Answer with a pair"),
        ],
        "90.4": [
            (smallest, RIGHT),
            (lambda t: table.weights[nats < nats.min() + t].min(), "With a tolerance of 0"),
            (lambda t: table.weights[nats <= t].min(), r"nats <= best \+ tolerance"),
            (lambda t: table.weights[near_enough(t).argmax()], "first network of the table"),
            (lambda t: 0, "For a tolerance of 0.0 the answer is larger than 0"),
            (lambda t: 1e9, "For a tolerance of 0.0 the answer is smaller than 1,000,000,000"),
            *[
                (right_until(worst, 0), f"For a tolerance of {worst} the answer is larger")
                for worst in (0.01, 0.05, 0.1, 0.5, 10.0)
            ],
        ],
    }


@chapter
def chapter_91():
    def operations(factor=6, is_batch=True):
        return lambda sizes, batch: (
            factor * (batch if is_batch else 1) * sum(a * b for a, b in itertools.pairwise(sizes))
        )

    def speed_up(overhead, work, factor):
        return (overhead + work) / (overhead + work / factor)

    def changed(at, by=1):
        return lambda *case: speed_up(*case) + by * (case[0] == at)

    right, general = operations(), "Three products per layer"
    parts = {
        1: "count both operations",
        2: "That is the forward pass",
        3: "a multiply and an add are two",
        4: "you need both",
    }
    return {
        "91.1": [
            (right, RIGHT),
            *[(off(right, e), RIGHT) for e in (-0.45, 0.45)],
            *[(off(right, e), general) for e in (-0.55, 0.55)],
            *[(operations(factor), said) for factor, said in parts.items()],
            *[(off(operations(factor), 0.45), said) for factor, said in parts.items()],
            *[(off(operations(factor), 0.55), general) for factor in parts],
            (operations(5), r"sizes \[784, 64, 10\] and batch 1 you have 254,080. Three products"),
            *[
                (lambda s, b, factor=factor: operations(factor if b == 100 else 6)(s, b), said)
                for factor, said in parts.items()
            ],
            (operations(is_batch=False), r"batch 100 .* for one image; a step has 100"),
            (lambda s, b: right(s, 1) + 0.45 * (b > 1), "for one image"),
            (lambda s, b: right(s, 1) + 0.55 * (b > 1), general),
            (lambda s, b: right(s, b) + (b == 100), r"sizes \[784, 200, 200, 50\] and batch 100"),
            (lambda s, b: right(s, b) + (b == 7), r"sizes \[3, 2\] and batch 7"),
        ],
        "91.2": [
            (speed_up, RIGHT),
            (off(speed_up, 9e-7), RIGHT),
            (off(speed_up, 1.1e-6), r"Expected 2.500: \(overhead"),
            (
                lambda *case: 1 / speed_up(*case),
                "overhead 3.0, work 6.0, factor 10.0: 0.400. Upside",
            ),
            (lambda *case: 1 / speed_up(*case) + 9e-7, "Upside down"),
            (lambda *case: 1 / speed_up(*case) + 1.1e-6, "Expected 2.500"),
            (lambda overhead, work, factor: factor, "The overhead does not get faster"),
            (lambda overhead, work, factor: factor + 9e-7, "The overhead does not get faster"),
            (lambda overhead, work, factor: factor + 1.1e-6, "Expected 2.500"),
            (lambda overhead, work, factor: overhead + work / factor, "the new time in itself"),
            (lambda overhead, work, factor: 3.6 + 9e-7, "the new time in itself"),
            (lambda overhead, work, factor: 3.6 + 1.1e-6, "Expected 2.500"),
            *[(changed(at), f"overhead {at}.* Expected") for at in (3.0, 0.5)],
            (changed(1.0), "overhead 1.0, work 0.0, factor 50.0: 2.000. Expected 1.000"),
        ],
        "91.3": number(
            "The gap between neighbours",
            (2**11, 0.5, RIGHT),
            (2**10, 0.5, "Off by a factor of two"),
            (2**12, 0.5, "Off by a factor of two"),
            (2**8, 0.5, "where bfloat16 stops"),
            (65504, 10, "the largest number of float16"),
        ),
    }


ROUNDED = [  # target, digits asked for, right answers, other answers and what is said of them
    (
        1.3069,
        3,
        (1.3069, 1.307, 1.31),
        {1.3: "at least 3", 1.306: "last digit", 1.4: "idea"},
    ),
    (18.785, 3, (18.785, 18.79, 18.8), {19: "at least 3 digits", 18.7: "last digit"}),
    (44.356, 3, (44.36, 44.4), {44: "at least 3 digits", 44.3: "last digit", -44.4: "idea"}),
    (0.7604, 2, (0.7604, 0.76), {0.761: "last digit", 0.8: "at least 2 digits", 0.1: "idea"}),
    (55.5, 2, (55.5, 55, 56), {60: "at least 2 digits", 55.4: "last digit", np.nan: "idea"}),
    (543.43, 3, (543.43, 543.4, 543), {540: "at least 3 digits", 500: "at least 3", 205: "known"}),
    (-0.00123, 3, (-0.00123,), {0.00123: "idea", -0.001: "at least 3 digits"}),
]


@pytest.mark.parametrize("target, digits, right, others", ROUNDED)
def test_every_correct_rounding_is_right_and_no_other(target, digits, right, others):
    def hint(answer):
        return exercises.number(answer, target, digits, "another idea", {205: "a known mistake"})

    assert [answer for answer in (*right, np.array([target])) if hint(answer) is not None] == []
    for answer, said in others.items():
        assert said in hint(answer), answer


def surprises(rows: dict[str, Rows]) -> list[str]:
    """What the checks say of these answers, where it is not what they must say."""
    found = []
    for exercise, (i, (answer, said)) in (
        (exercise, row) for exercise, table in rows.items() for row in enumerate(table)
    ):
        result = check(exercise, answer)
        if said is RIGHT and result.passed:
            continue
        if said is not RIGHT and not result.passed and re.search(said, result.message):
            continue
        found.append(f"row {i} of {exercise}, {answer!r}: {said!r} was due; {result.message}")
    return found


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # wrong answers divide by zero
@pytest.mark.parametrize("name", sorted(TABLES))
def test_each_answer_gets_its_hint(name):
    rows = TABLES[name]()
    assert set(rows) == {n for n in exercises.numbers() if n.partition(".")[0] == name}
    assert surprises(rows) == []


def test_no_chapter_is_missing():
    assert set(TABLES) == {n.partition(".")[0] for n in exercises.numbers()}
