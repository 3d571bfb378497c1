"""Flows: log-determinants against autodiff, inverses, densities that integrate to 1."""

from helpers import runtime
from helpers.elbo import gaussian_log_density
from helpers.vae.flows import AutoregressiveFlow
import numpy as np
import pytest

keras = runtime.keras


def numpy(x):
    return keras.ops.convert_to_numpy(x).astype("float64")


def jacobians(function, x):
    """dy_i/dx_j of each row by the backend's own differentiation: (batch, dim, dim)."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.vmap(jax.jacfwd(lambda row: function(row[None])[0]))(x))
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.batch_jacobian(y, x).numpy()


def shaken(flow, scale=0.3, seed=0):
    """The flow with random weights: as it starts, its networks give 0, and it only turns x."""
    rng = np.random.default_rng(seed)
    for variable in flow.weights:
        variable.assign(rng.normal(0, scale, variable.shape))
    return flow


@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("context", [0, 3])
def test_output_i_sees_only_what_comes_before(dim, context):
    flow = shaken(AutoregressiveFlow(dim, steps=1, hidden=(16, 12), context=context))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, dim)).astype("float32")
    told = rng.normal(size=(1, context)).astype("float32")

    def terms(rows):
        given = keras.ops.tile(told, (len(rows), 1)) if context else None
        return keras.ops.concatenate(flow.terms(flow.networks[0], rows, given), axis=1)

    for found in np.split(jacobians(terms, x), 2, axis=1):  # of the shift, of the log_scale
        assert (np.triu(found) == 0).all()
        rows, columns = np.tril_indices(dim, -1)
        assert (found[:, rows, columns] != 0).all()  # and all of that: no connection is lost
    if context:
        before, told = numpy(terms(x)), told + 1
        assert (before != numpy(terms(x))).all()


@pytest.mark.parametrize("context", [0, 3])
def test_log_determinant_is_that_of_autodiff(context):
    flow = shaken(AutoregressiveFlow(5, steps=3, hidden=(20, 20), context=context))
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6, 5)).astype("float32")
    told = np.tile(rng.normal(size=(1, 3)).astype("float32"), (6, 1)) if context else None

    def forward(rows):
        return flow(rows, None if told is None else told[: len(rows)])

    log_det = numpy(forward(x)[1])
    exact = np.linalg.slogdet(jacobians(lambda rows: forward(rows)[0], x).astype("float64"))[1]
    np.testing.assert_allclose(log_det, exact, atol=1e-4)
    assert np.abs(log_det).max() > 0.2  # a turned sign or a term left out could not hide


def test_inverse_undoes_the_flow():
    flow = shaken(AutoregressiveFlow(4, steps=3, hidden=(16,), context=2))
    x = np.random.default_rng(3).normal(size=(50, 4)).astype("float32")
    told = keras.ops.ones((50, 2))
    np.testing.assert_allclose(numpy(flow.inverse(flow(x, told)[0], told)), x, atol=2e-4)
    np.testing.assert_allclose(numpy(flow(flow.inverse(x, told), told)[0]), x, atol=2e-4)


def grid(half=12.0, points=401):
    axis = np.linspace(-half, half, points)
    plane = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return plane.astype("float32"), (axis[1] - axis[0]) ** 2


def test_both_densities_integrate_to_one():
    flow = shaken(AutoregressiveFlow(2, steps=2, hidden=(16,)), scale=0.2)
    points, area = grid()
    noise, log_det = flow(points)  # a density of codes: the codes are carried to noise
    fitted = numpy(gaussian_log_density(noise, 0.0, 0.0) + log_det)
    assert abs(np.exp(fitted).sum() * area - 1) < 1e-3
    noise = flow.inverse(points)  # q of a VAE: the noise is carried to codes
    q = numpy(gaussian_log_density(noise, 0.0, 0.0) - flow(noise)[1])
    assert abs(np.exp(q).sum() * area - 1) < 1e-3


def test_a_flow_starts_as_its_input_turned():
    x = np.random.default_rng(4).normal(size=(3, 4)).astype("float32")
    y, log_det = AutoregressiveFlow(4, steps=3)(x)
    np.testing.assert_array_equal(numpy(y), x[:, ::-1])
    assert (numpy(log_det) == 0).all()


def test_it_trains_as_a_density():
    """Chapter 33's use: maximum likelihood of codes, here of a bend whose entropy is known."""
    rng = np.random.default_rng(5)
    codes = rng.normal(size=(2000, 2))
    codes[:, 1] = 0.5 * codes[:, 1] + codes[:, 0] ** 2
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    y, log_det = AutoregressiveFlow(2, steps=2, hidden=(32,))(x)
    model = keras.Model(x, gaussian_log_density(y, 0.0, 0.0) + log_det)
    model.compile(keras.optimizers.Adam(0.01), loss=lambda _, log_p: -log_p)
    model.fit(codes.astype("float32"), np.zeros(2000), batch_size=200, epochs=25, verbose=0)
    entropy = np.log(2 * np.pi * np.e) + np.log(0.5)  # of the bend: its map has determinant 1
    assert -numpy(model(codes.astype("float32"))).mean() < entropy + 0.15


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"dim": 2, "steps": 0}, {"dim": 2, "hidden": (0,)}])
def test_sizes_are_checked(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        AutoregressiveFlow(**wrong)
