"""Run the training benchmark on this machine, and record its figures under the device's name.

    python data/recipes/record_training_speed.py [--batch-size 500] [--rounds 5]
    KERAS_BACKEND=jax python data/recipes/record_training_speed.py

One run per device, backend and batch size: a new one takes the place of the old. Let nothing else
run meanwhile.
"""

import json
from pathlib import Path
import subprocess
import sys
import tempfile

from helpers import data, runtime
from recording import Record

BENCHMARK = data.DATA_DIR.parent / "tests" / "benchmarks" / "training.py"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        subprocess.run([sys.executable, BENCHMARK, *sys.argv[1:], "--out", out], check=True)
        figures = json.loads(out.read_text())
    backend = runtime.keras.backend.backend()
    command = f"KERAS_BACKEND={backend} python data/recipes/record_training_speed.py"
    record = Record(
        "training_speed",
        "the default VAE in training: images per second of several ways to train it, and what "
        "share that is of the speed at which its matrix products alone would run; medians over "
        "rounds of 3 epochs in which all take turns",
        command=" ".join([command, *sys.argv[1:]]),
    )
    key = {"device": runtime.device_name(), "backend": backend}
    record.put(key | {"batch_size": figures.pop("batch_size")}, figures)
