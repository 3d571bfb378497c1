"""Train the models that ship, each on all of MNIST but the 1,000 held-out digits of the course.

    KERAS_BACKEND=jax python data/recipes/make_weights.py digits
    KERAS_BACKEND=jax python data/recipes/make_weights.py        # all of them

Needs data/mnist.npz (or the Keras cache). The 5,000 digits that ship are part of MNIST's training
set; what chapters measure on, their 500 validation and 500 test images, is left out here, with
every copy of them. MNIST's own 10,000 test images are not touched.

Writes data/weights/NAME.npz, float16, and a row of data/results/weights.json: sizes, sum, and
nats per image of the 500 validation images, by the very weights that ship. Goes on where it was
stopped; `--epochs 3` makes a draft.
"""

import argparse
import hashlib
import io

from helpers import data
from helpers.vae import (
    VAE,
    BinarisedBatches,
    ConditionalVAE,
    conditional_networks,
    dense_networks,
    evaluate,
)
import keras
import numpy as np
from recording import Record

SMALL = {"hidden": [256, 128], "latent_dim": 20}
DEFAULT = {"hidden": [512, 256], "latent_dim": 20}
MODELS = {
    "digits": {"sizes": DEFAULT, "epochs": 150},
    "plane": {"sizes": DEFAULT | {"latent_dim": 2}, "epochs": 100},
    "conditional": {"sizes": DEFAULT, "epochs": 100},
    "without_1": {"sizes": SMALL, "epochs": 60, "left_out": 1},
    "without_2": {"sizes": SMALL, "epochs": 60, "left_out": 2},
}
CACHE = data.DATA_DIR.parent / "cache"
WHAT = (
    "trained VAEs that ship: all of MNIST's 60,000 training images but the course's 500 validation "
    "and 500 test digits, binarised afresh at every epoch; nats per image on the validation "
    "digits, binarised once, by the float16 weights: -ELBO of 20 draws, -log p(x) by 1,000 "
    "importance samples"
)


def training_images(left_out: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Grey images and labels of MNIST's training set, without those that the course holds out."""
    everything, course = data.load("mnist"), data.load("mnist-5k")
    if everything.name != "mnist":
        raise SystemExit("this recipe needs the full MNIST: see data/README.md")
    x = np.concatenate([everything.x_train, everything.x_val])
    y = np.concatenate([everything.y_train, everything.y_val])
    held_out = {image.tobytes() for image in np.concatenate([course.x_val, course.x_test])}
    keep = np.array([image.tobytes() not in held_out for image in x])
    assert len(x) - keep.sum() >= len(held_out) == 1000  # the same bytes: found all of them
    if left_out is not None:
        keep &= y != left_out
    return x[keep], y[keep]


def build(name: str, sizes: dict) -> VAE:
    keras.utils.set_random_seed(0)
    if name == "conditional":
        return ConditionalVAE(*conditional_networks(**sizes), seed=0)
    return VAE(*dense_networks(**sizes), seed=0)


class Checkpoint(keras.callbacks.Callback):
    """Keeps the whole model, its optimizer too, every ten epochs, under a name with the epoch."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if (epoch + 1) % 10 == 0:
            old = list(CACHE.glob(f"{self.name}_*.keras"))
            self.model.save(CACHE / f"{self.name}_{epoch + 1:04}.keras")
            for path in old:
                path.unlink()
            print(f"{self.name}: epoch {epoch + 1}, {logs['loss']:.2f} nats", flush=True)


def train(name: str, epochs: int) -> VAE:
    model = MODELS[name]
    x, y = training_images(model.get("left_out"))
    labels = {"y": y} if name == "conditional" else {}
    batches = BinarisedBatches(x, batch_size=100, seed=0, **labels)
    CACHE.mkdir(exist_ok=True)
    saved, done = sorted(CACHE.glob(f"weights_{name}_{epochs}_*.keras")), 0
    if saved:
        vae, done = keras.models.load_model(saved[-1]), int(saved[-1].stem.rpartition("_")[2])
        batches.epoch = done - 1
        batches.on_epoch_end()
    else:
        vae = build(name, model["sizes"])
        falling = keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(batches))
        vae.compile(keras.optimizers.Adam(falling))
    callbacks = [Checkpoint(f"weights_{name}_{epochs}")]
    vae.fit(batches, epochs=epochs, initial_epoch=done, verbose=0, callbacks=callbacks)
    return vae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="all, if none is named")
    parser.add_argument("--epochs", type=int, help="for a draft; the recipe's own, if left out")
    given = parser.parse_args()
    digits = data.load("mnist-5k")
    for name in given.names or MODELS:
        model = MODELS[name]
        epochs = given.epochs or model["epochs"]
        command = f"KERAS_BACKEND={keras.backend.backend()} python data/recipes/make_weights.py"
        command += f" {name} --epochs {epochs}"
        record = Record("weights", WHAT, command=command)
        vae = train(name, epochs)
        variables = vae.encoder.weights + vae.decoder.weights
        halves = [variable.numpy().astype("float16") for variable in variables]
        for variable, half in zip(variables, halves, strict=True):
            variable.assign(half.astype("float32"))  # what is measured is what ships
        file = io.BytesIO()
        np.savez_compressed(file, **{f"{n:02}": half for n, half in enumerate(halves)})
        path = data.DATA_DIR / "weights" / f"{name}.npz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file.getvalue())
        about = {
            "kind": type(vae).__name__,
            "sizes": model["sizes"],
            "left_out": model.get("left_out"),
            "epochs": epochs,
            "sha256": hashlib.sha256(file.getvalue()).hexdigest(),
        }
        record.put({"name": name}, about | measure(vae, digits, model))


def measure(vae: VAE, digits: data.Dataset, model: dict, samples: int = 1000) -> dict:
    """Nats per validation image of the digits that the model was trained on."""
    x, y = data.binarise(digits.x_val, seed=0), digits.y_val
    seen = y != model.get("left_out")
    if isinstance(vae, ConditionalVAE):
        parts = [(vae.given(label), x[y == label]) for label in range(10)]
    else:
        parts = [(vae, x[seen])]
    elbo = np.concatenate([evaluate.elbo(v, images, samples=20) for v, images in parts])
    log_p = [evaluate.log_likelihood(v, images, samples=samples) for v, images in parts]
    return {
        "validation_images": int(seen.sum()),
        "negative_elbo": round(float(-elbo.mean()), 2),
        "negative_log_likelihood": round(float(-np.concatenate(log_p).mean()), 2),
    }


if __name__ == "__main__":
    main()
