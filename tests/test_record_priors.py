"""The recipe of priors: densities that integrate to 1, and nats where the answer is known."""

PROGRAM = """
import record_priors as record  # first: it sets the backend
import jax, jax.numpy as jnp, numpy as np
from helpers.elbo import gaussian_kl
from scipy import stats

rng = np.random.default_rng(0)
mean, log_var = rng.normal(size=(5, 2)), 0.3 * rng.normal(size=(5, 2))
line = np.linspace(-9, 9, 241)
z = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
density = np.exp(record.log_mixture(z, mean, log_var))
assert abs(density.sum() * (line[1] - line[0]) ** 2 - 1) < 1e-3  # a mean of logs has less
scipy = [stats.multivariate_normal(m, np.diag(np.exp(v))).pdf(z) for m, v in zip(mean, log_var)]
np.testing.assert_allclose(density, np.mean(scipy, axis=0), rtol=1e-3, atol=1e-7)

# The prior of a VampPrior is what its encoder says of its pseudo-inputs, whoever drew them.
grey = rng.integers(256, size=(300, 784)).astype("uint8")
weights = record.start("VampPrior", 0, grey)
assert weights["pseudo"].shape == (record.COMPONENTS, 784)
pseudo = jax.nn.sigmoid(weights["pseudo"])
assert 0.03 < float(pseudo.min()) < 0.06 and 0.94 < float(pseudo.max()) < 0.97
log_p, draw = record.prior_of(weights)
z = draw(7, rng)
centres, spread = record.encode(weights, pseudo)
np.testing.assert_allclose(log_p(z), record.log_mixture(z, centres, spread), rtol=1e-5)

# A network of zeros: every pixel is a fair coin, q is the prior, all bounds are 784 ln 2.
x = (grey[:20] > 127).astype("float32")
zero = {name: 0 * value for name, value in record.start("standard", 0, grey).items()}
found = record.nats(record.sampled(zero, x, 0, samples=5), record.prior_of(zero)[0])
exact = 784 * np.log(2)
assert abs(found["negative_elbo"] - exact) < 0.01 and abs(found["rate"]) < 0.001, found
assert abs(found["negative_log_likelihood"] - exact) < 0.01

# A rate by sampling is the closed form's, and a better prior of the same codes changes it alone.
weights = record.start("standard", 1, grey)
weights = {**weights, "b2": jnp.concatenate([jnp.full(20, 0.7), jnp.full(20, -0.5)])}
log_p = record.prior_of(weights)[0]
drawn = record.sampled(weights, x, seed=0, samples=400)
found = record.nats(drawn, log_p)
exact = float(np.mean(gaussian_kl(*record.encode(weights, x))))
assert abs(found["rate"] - exact) < 0.3, (found, exact)
shifted = record.nats(drawn, lambda z: log_p(z - 0.7))
assert shifted["distortion"] == found["distortion"] and shifted["rate"] < found["rate"] - 3

# Densities fitted to codes: as good as the truth on new ones, and they draw what they fit.
turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * [2.0, 1.0, 0.5]
known, new = (rng.normal(size=(4000, 3)) @ turn.T + 1 for _ in range(2))
truth = stats.multivariate_normal([1, 1, 1], turn @ turn.T)
single = known.astype("float32")
for log_r, draw in (record.gaussian_mixture(known, 0, count=2), record.flow(single, 0, epochs=30)):
    gap = truth.logpdf(new) - log_r(new.astype("float32"))
    assert abs(gap.mean()) < 0.06, gap.mean()
    drawn = draw(4000, rng)
    assert np.abs(np.cov(drawn.T) - turn @ turn.T).max() < 0.5
    assert np.abs(drawn.mean(axis=0) - 1).max() < 0.2
"""


def test_densities_and_nats(run_on_jax):
    run_on_jax(PROGRAM)
