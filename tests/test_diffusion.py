"""Diffusion: chapter 35's bound where the answer is known, and the recipe's against the chapter's.

A planted mistake must be found: a weight off by one step, to either side.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

ROOT = Path(__file__).resolve().parent.parent
CELLS = json.loads(
    (ROOT / "notebooks" / "35_hierarchies_and_diffusion.ipynb").read_text(encoding="utf-8")
)["cells"]
RIGHT = "0.5 * (snr[:-1] - snr[1:])"
OFF_BY_ONE = {
    "the next step's": "0.5 * (snr[:-1] - snr[1:]) * snr[1] / snr[0]",
    "the step's before": "0.5 * (snr[:-1] - snr[1:]) * snr[0] / snr[1]",
}


def cells_with(*starts: str) -> list[str]:
    code = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
    return [next(one for one in code if start in one) for start in starts]


def run(names: dict, change: str = RIGHT) -> dict:
    """The chapter's cells on the bound and its exact case, checks included."""
    for cell in cells_with("def step_weights", "def exact_terms", "def simulated_steps"):
        exec(cell.replace(RIGHT, change), names)
    return names


def names() -> dict:
    return {"np": np, "expit": expit, "logsumexp": logsumexp, "softmax": softmax}


def test_the_exact_case_falls_to_the_entropy():
    chapter = run(names())
    for v in (0.05, 1.0, 9.0):
        entropy = 0.5 * np.log(2 * np.pi * np.e * v)
        gaps = []
        for steps in (1, 30, 1000, 2000, 10**6):
            prior, terms, last = chapter["exact_terms"](v, chapter["levels"](steps))
            assert len(terms) == steps
            gaps.append(prior + terms.sum() + last - entropy)
        assert min(gaps) > 0  # never below
        assert gaps[2] / gaps[3] == pytest.approx(2, abs=0.02)  # like 1 / T
        assert gaps[-1] < 1e-3


@pytest.mark.parametrize("mistake", OFF_BY_ONE)
def test_a_weight_off_by_one_step_is_found(mistake):
    with pytest.raises(AssertionError):
        run(names(), OFF_BY_ONE[mistake])


def test_the_sum_finds_it_too():
    """Without the check of one step: the bound falls below the entropy, or does not fall to it."""
    chapter, entropy = run(names()), 0.5 * np.log(2 * np.pi * np.e * 0.25)
    for change, sign in zip(OFF_BY_ONE.values(), (-1, 1), strict=True):
        weights = {"np": np}
        exec(f"def step_weights(log_snr):\n    snr = np.exp(log_snr)\n    return {change}", weights)
        chapter["step_weights"] = weights["step_weights"]
        prior, terms, last = chapter["exact_terms"](0.25, chapter["levels"](100))
        assert sign * (prior + terms.sum() + last - entropy - 0.5297) > 0.5


def test_the_reader_s_broken_bound_lies_below_the_entropy():
    chapter = run(names())
    exec(*cells_with("def suspicious_bound"), chapter)
    assert chapter["suspicious_bound"](0.25, 20) < chapter["entropy"]


PROGRAM = """
import record_diffusion as record  # first: it sets the backend
import json
from functools import partial
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, logsumexp, softmax
import keras
from keras import layers, ops
from helpers import records
import record_hierarchy as levels


def check_next_z(record):
    # Bayes' rule by two moments: z_s from q(z_s | x), z_t from z_s
    now, less, x, z = 0.3, 2.1, 0.7, -0.4
    (a, s), (b, r) = ((float(v[0]) for v in record.scales(jnp.full(1, l), 0)) for l in (now, less))
    down = a / b  # z_t = down * z_s + noise of variance s^2 - down^2 r^2
    gain = down * r**2 / s**2
    mean, var = b * x + gain * (z - a * x), r**2 - gain * down * r**2
    at = (jnp.full((1, 1), z), x, jnp.full(1, now), jnp.full(1, less))
    one = [record.next_z(*at, noise) for noise in (0, 1)]
    assert abs(float(one[0][0, 0]) - mean) < 1e-5
    assert abs(float(one[1][0, 0] - one[0][0, 0]) - var**0.5) < 1e-5


def check_code_bound(record):
    # v = 0: the best guess for standard normal codes, whose bound is then their entropy
    rng = np.random.default_rng(0)
    weights = record.dense_weights(record.CODE_SIZES, rng)
    weights["v_w3"] = jnp.zeros_like(weights["v_w3"])
    code = jnp.asarray(rng.normal(size=(4000, 20)), "float32")
    nats = np.asarray(record.code_bound(weights, code, jax.random.key(0), 50))
    entropy = 10 * np.log(2 * np.pi * np.e)
    assert abs(nats.mean() - entropy) < 6 * nats.std() / 4000**0.5 + 0.1, nats.mean()


def check_last_step(record):
    # one pixel: the probabilities of its 256 values sum to 1, and the nearest has nearly all
    here, values = jnp.full(1, record.HIGH), (jnp.arange(256) / 127.5 - 1).reshape(256, 1, 1, 1)
    alpha, sigma = record.scales(here, 3)
    z = jnp.broadcast_to(alpha * values[77] + 0.5 * sigma, (256, 1, 1, 1))
    p = np.exp(-np.asarray(record.last_step(values, z, here)))
    assert abs(p.sum() - 1) < 1e-4 and p[77] > 0.99, p


def check_the_chapter(record):
    cells = json.loads(open(CHAPTER, encoding="utf-8").read())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    space = dict(np=np, expit=expit, logsumexp=logsumexp, softmax=softmax, keras=keras)
    space |= dict(layers=layers, ops=ops, data=record.data, records=records)
    for start in ("def step_weights", "def denoiser", "def guess("):
        exec(next(one for one in code if start in one), space)
    z = np.random.default_rng(0).normal(size=(4, 28, 28)).astype("float32")
    guess = partial(record.guesser(record.denoiser()), record.shipped())
    for log_snr in (-4.0, 1.5, 9.0):
        ours = np.asarray(guess(z[..., None], jnp.full(4, log_snr)))[..., 0]
        assert abs(ours - space["guess"](z, log_snr)).max() < 2e-3
    down, up = space["levels"](4), np.linspace(record.HIGH, record.LOW, 5)
    assert (down == up).all()


def check_levels(levels):
    # one draw of log q - log p per level: on average the KL, which is known for one level
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.integers(0, 2, (200, 784)), "float32")
    for setting in levels.SETTINGS:
        weights = levels.dense_weights(levels.sizes(setting), rng)
        draws = [levels.parts(weights, x, jax.random.key(i), setting)[1] for i in range(60)]
        kl = np.array(draws).mean(axis=2)
        assert kl.shape == (60, levels.SETTINGS[setting])
        if setting == "one level":
            up = jax.nn.relu(levels.dense(weights, "up1", x))
            mean, log_var = levels.gaussian(weights, "q1", up)
            exact = 0.5 * (jnp.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1).mean()
            assert abs(kl.mean() - exact) < 6 * kl.std() / 60**0.5 + 1e-3
        blank = {name: jnp.zeros_like(value) for name, value in weights.items()}
        nothing = levels.parts(blank, x, jax.random.key(0), setting)[1]
        assert abs(nothing[-1]).max() < 1e-4  # q = p: costs nothing
        value = levels.loss(weights, x, jax.random.key(0), 1.0, setting)
        log_p, each = levels.parts(weights, x, jax.random.key(0), setting)
        each = each.mean(axis=1)
        if "free bits" in setting:
            each = each.clip(levels.FLOOR)
        whole = float(each.sum() - log_p.mean())  # the KL of every level counts
        assert abs(float(value) - whole) < 1e-2


for check in (check_next_z, check_code_bound, check_last_step, check_the_chapter):
    check(record)
check_levels(levels)
"""


def test_the_recipes(run_on_jax):
    chapter = ROOT / "notebooks" / "35_hierarchies_and_diffusion.ipynb"
    run_on_jax(PROGRAM.replace("CHAPTER", repr(str(chapter))))
