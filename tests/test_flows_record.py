"""The recipe of chapter 14: log q of every family against autodiff, and a record that is no lie."""

from helpers import records
import numpy as np

PROGRAM = """
import record_flows as record  # first: it sets the backend
import jax, jax.numpy as jnp, numpy as np

rng = np.random.default_rng(0)
x = rng.random((1, 784)).astype("float32")
noise = rng.standard_normal((1, 5, record.LATENTS)).astype("float32")
for family in record.FAMILIES:
    posterior = record.networks(family)[0]
    weights = [w + 0.05 * rng.standard_normal(w.shape).astype("float32")
               for w in record.first_weights(family, 0)[0]]
    draw = lambda e: posterior.stateless_call(weights, [], x, e[None, None])[0]
    for e in noise[0]:
        z, log_q = draw(e)
        jacobian = jax.jacfwd(lambda e: draw(e)[0][0, 0])(e)
        exact = record.log_normal(e) - jnp.linalg.slogdet(jacobian)[1]
        np.testing.assert_allclose(log_q[0, 0], exact, atol=2e-3), family
    (z, log_q), _ = posterior.stateless_call(weights, [], x, noise)  # all draws at once
    np.testing.assert_allclose(z[0, 3], draw(noise[0, 3])[0][0, 0], atol=1e-4)
    np.testing.assert_allclose(log_q[0, 3], draw(noise[0, 3])[1][0, 0], atol=1e-3)

flow = {"mean": jnp.ones(2), "log_scale": jnp.array([0.3, -0.5]), "w": rng.normal(size=(3, 2)),
        "u": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
for e in rng.normal(size=(5, 2)):
    log_q = record.planar(flow, jnp.array(e))[1]
    jacobian = jax.jacfwd(lambda e: record.planar(flow, e)[0])(jnp.array(e))
    exact = record.log_normal(jnp.array(e)) - jnp.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(log_q, exact, atol=1e-3)

first, second = (record.first_weights(family, 3) for family in ("mean field", "flow"))
for a, b in zip([*first[0], *first[1]], [*second[0][:8], *second[1]], strict=True):
    np.testing.assert_array_equal(a, b)  # the same trunk, heads and decoder
logs = np.log(np.array([[1.0, 3.0], [2.0, 2.0]]))
found = record.nats(logs)
np.testing.assert_allclose(found["negative_log_likelihood"], -np.log(2))
np.testing.assert_allclose(found["negative_elbo"], -logs.mean())
print("all is well")
"""


def test_the_recipes_own_parts(run_on_jax):
    assert run_on_jax(PROGRAM).endswith("all is well\n")


def test_no_recorded_bound_is_above_the_evidence():
    runs = records.load("flows")["runs"]
    bends = [run for run in runs if run["part"] == "bend"]
    assert len(bends) == 25
    assert all(min(run["kl"]) > 0 for run in bends)
    mean_field = {run["x"]: run["kl"] for run in bends if run["steps"] == 0}
    exact = {0: 0.2539, 1: 0.4749, 2: 0.9531}  # closed form: test of the chapter's own ELBO
    for x, kl in exact.items():
        np.testing.assert_allclose(mean_field[x], kl, atol=2e-3)


def test_a_better_q_comes_closer_under_every_recorded_decoder():
    digits = [run for run in records.load("flows")["runs"] if run["part"] == "digits"]
    for run in digits:
        for parts in (run["own"], *run["frozen"].values()):
            assert all(q["negative_log_likelihood"] < q["negative_elbo"] for q in parts.values())
        for decoder in run["local"].values():
            full, mean_field = (decoder[q] for q in ("full covariance", "mean field"))
            assert full["negative_elbo"] < mean_field["negative_elbo"]
            assert full["negative_log_likelihood"] < full["negative_elbo"]
