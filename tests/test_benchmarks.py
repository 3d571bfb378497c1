"""The Adam that the benchmark holds against Keras's: faster or not, it makes the same steps."""

from pathlib import Path

import keras
from keras import ops
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent / "benchmarks"
SETTINGS = [
    {"learning_rate": 1e-2},
    {"learning_rate": 1e-2, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(1e-2, 2, 0.5)},
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


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is a kernel of TensorFlow")
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: list(settings)[-1])
def test_the_one_pass_adam_goes_where_adam_goes(settings, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    import training_keras

    ours = path_of(training_keras.OnePassAdam(**settings))
    theirs = path_of(keras.optimizers.Adam(**settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert np.abs(np.diff(ours, axis=0)).min() > 0  # it moved, at every step
