"""The one-pass Adam makes Keras's steps, whatever the type, the schedule and the backend."""

from helpers.vae import VAE, FusedAdam, dense_networks
import keras
from keras import ops
import numpy as np
import pytest

SETTINGS = [
    {"learning_rate": 1e-2},
    {"learning_rate": 1e-2, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(1e-2, 2, 0.5)},
    {"learning_rate": 1e-2, "clipnorm": 0.1},
    {"learning_rate": 1e-2, "weight_decay": 0.1},
    {"learning_rate": 1e-2, "use_ema": True, "ema_overwrite_frequency": 3},
    {"learning_rate": 1e-2, "amsgrad": True},
]


def path_of(optimizer, steps: int = 7) -> np.ndarray:
    """Where a variable goes when gradients of changing size and sign push it."""
    rng = np.random.default_rng(0)
    variable = keras.Variable(np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4))
    path = []
    for step in range(steps):
        gradient = rng.normal(size=(3, 4)).astype("float32") * 10.0 ** (step % 4 - 2)
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        path.append(ops.convert_to_numpy(variable.value).copy())
    return np.stack(path)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: list(settings)[-1])
def test_it_goes_where_adam_goes(settings):
    ours, theirs = path_of(FusedAdam(**settings)), path_of(keras.optimizers.Adam(**settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert np.abs(np.diff(ours, axis=0)).min() > 0  # it moved, at every step


@pytest.mark.parametrize("jit", [False, True])
def test_it_trains_a_vae_as_adam_does(jit):
    x = np.random.default_rng(0).integers(0, 2, (60, 4, 4)).astype("float32")
    losses = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        keras.utils.set_random_seed(1)
        vae = VAE(*dense_networks(image_shape=(4, 4), hidden=(8,), latent_dim=2), seed=0)
        vae.supports_jit = True  # TensorFlow's default on a CPU is off
        vae.compile(kind(1e-2), jit_compile=jit)
        losses.append(vae.fit(x, batch_size=20, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_a_saved_model_goes_on(tmp_path):
    x = np.zeros((8, 4, 4), "float32")
    vae = VAE(*dense_networks(image_shape=(4, 4), hidden=(8,), latent_dim=2), seed=0)
    vae.compile(FusedAdam(1e-2))
    vae.fit(x, verbose=0)
    vae.save(tmp_path / "vae.keras")
    again = keras.saving.load_model(tmp_path / "vae.keras")
    assert isinstance(again.optimizer, FusedAdam)
    assert int(again.optimizer.iterations.numpy()) == int(vae.optimizer.iterations.numpy()) == 1
