"""Train the judge that ships: a small convolutional classifier of binarised digits.

    KERAS_BACKEND=jax python data/recipes/make_judge.py

Needs data/mnist.npz (or the Keras cache). Like the VAEs of make_weights.py it never sees the 500
validation and 500 test digits of the course. Writes data/weights/judge.npz, float16, and
data/results/judge.json: its sum, and what the weights that ship reach on the held-out digits.
"""

import hashlib
import io

from helpers import data
from helpers.vae import BinarisedBatches
from helpers.vae.samples import judge_network
import keras
from make_weights import training_images
import numpy as np
from recording import Record

EPOCHS = 12
WHAT = (
    "the judge that ships: a classifier trained on all of MNIST's 60,000 training images but "
    "the course's 500 validation and 500 test digits, binarised afresh at every epoch; what "
    "its float16 weights reach on these digits, binarised once: share that it names rightly, "
    "mean largest probability, nats per image"
)


def main() -> None:
    record = Record("judge", WHAT, command="KERAS_BACKEND=jax python data/recipes/make_judge.py")
    x, y = training_images(None)
    keras.utils.set_random_seed(0)
    judge = judge_network()
    network = keras.Model(judge.inputs, judge.outputs[1])  # its probabilities
    falling = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * -(-len(x) // 100))
    loss = "sparse_categorical_crossentropy"
    network.compile(keras.optimizers.Adam(falling), loss=loss, metrics=["accuracy"])
    network.fit(Labelled(x, 100, 0, y=y), epochs=EPOCHS, verbose=2)
    halves = [value.astype("float16") for value in judge.get_weights()]
    judge.set_weights(halves)  # what is measured is what ships
    file = io.BytesIO()
    np.savez_compressed(file, **{f"{n:02}": half for n, half in enumerate(halves)})
    (data.DATA_DIR / "weights" / "judge.npz").write_bytes(file.getvalue())
    about = {"epochs": EPOCHS, "sha256": hashlib.sha256(file.getvalue()).hexdigest()}
    record.put({"name": "judge"}, about | measure(judge, data.load("mnist-5k")))


class Labelled(BinarisedBatches):
    """The batches of a classifier: (images, labels)."""

    def __getitem__(self, index: int):
        return super().__getitem__(index)[0]


def measure(judge, digits: data.Dataset) -> dict:
    found = {}
    for part in ("val", "test"):
        x, y = (getattr(digits, f"{axis}_{part}") for axis in "xy")
        probability = judge.predict(data.binarise(x, seed=0), verbose=0)[1]
        found[part] = {
            "right": round(float((probability.argmax(axis=1) == y).mean()), 4),
            "confidence": round(float(probability.max(axis=1).mean()), 4),
            "nats": round(float(-np.log(probability[np.arange(len(y)), y]).mean()), 4),
        }
    return found


if __name__ == "__main__":
    main()
