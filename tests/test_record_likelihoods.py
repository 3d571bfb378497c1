"""The recipe of the likelihoods against exact cases, and two planted mistakes that they find."""

NOISE = "x = seen(setting, k[order], rng)"
NORMALISED = "return gaussian_log_density(x, first, spread)"

PROGRAM = """
import record_likelihoods as record  # first: it sets the backend
import numpy as np
from scipy.stats import norm


def check_sums(record):
    # one pixel: every density integrates to 1, every probability sums to 1; the cross-entropy not
    rng = np.random.default_rng(0)
    for setting in record.SETTINGS:
        low, high = (-60, 60) if setting.startswith("Gaussian") else (0, 1)
        x = np.linspace(low, high, 120_001)[:, None].astype("float32")
        if setting.startswith("logistic"):
            x = (np.arange(256) / 255).astype("float32")[:, None]
        for _ in range(3):
            out = np.tile(rng.normal(size=9).astype("float32"), (len(x), 1))
            out = out if "mixture" in setting else out[:, : 1 + ("per pixel" in setting)]
            p = np.exp(np.asarray(record.log_likelihood(setting, x, out, np.float32(0.1))))
            total = p.sum() if len(x) == 256 else np.trapezoid(p, x[:, 0])
            assert abs(total - 1) < 1e-3 or setting == "cross-entropy", (setting, total)
            assert total < 0.7 or setting != "cross-entropy", total


def check_constant(record):
    # one value for all pixels: a Gaussian's best bound is its entropy under the noise
    k = np.full((1000, 4), 100, "float32")
    setting = "Gaussian, one learned variance"  # and no latents, so that nothing else is to learn
    params = record.train(setting, k, 0, seed=0, epochs=300)
    bits = record.judge(setting, params, k, seed=1)["bits"]
    exact = 0.5 * np.log2(2 * np.pi * np.e / 12)
    assert abs(bits - exact) < 0.02, (bits, exact)


def check_cells():
    mean, log_var = np.array([[0.3]]), np.log(0.05)
    every = [record.cell_nats(np.array([[float(k)]]), mean, log_var)[0] for k in range(256)]
    edges = norm.cdf([-np.inf, *np.arange(1, 256) / 256, np.inf], 0.3, 0.05**0.5)
    np.testing.assert_allclose(np.exp(np.negative(every)), np.diff(edges), rtol=1e-6)
    far = record.cell_nats(np.array([[200.0]]), np.array([[0.1]]), np.log(1e-4))[0]
    assert abs(far + norm.logpdf(200 / 256, 0.1, 0.01) - np.log(256)) < 4, far


def check_patches():
    training, test = record.photograph_patches()
    assert training.shape == (6144, 8, 8) and test.shape == (1536, 8, 8)
    assert training.dtype == test.dtype == np.uint8


check_cells()
check_patches()
for find, (right, wrong) in {
    check_sums: (NORMALISED, "return (-0.5 * (x - first) ** 2 * jnp.exp(-spread)).sum(axis=1)"),
    check_constant: (NOISE, "x = (k[order] / np.float32(256))"),
}.items():
    find(record)
    source = open(record.__file__, encoding="utf-8").read()
    assert source.count(right) == 1
    planted = type(record)("planted")
    exec(source.replace(right, wrong), planted.__dict__)
    try:
        find(planted)
    except AssertionError as error:
        print("found:", find.__name__, error)
    else:
        raise RuntimeError(f"{find.__name__} did not find: {wrong}")
"""


def test_exact_cases_hold_and_planted_mistakes_are_found(run_on_jax):
    said = run_on_jax(f"NOISE, NORMALISED = {NOISE!r}, {NORMALISED!r}\n{PROGRAM}")
    assert said.count("found:") == 2, said
