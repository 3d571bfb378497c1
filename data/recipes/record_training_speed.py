"""Run the training benchmark on this machine, and record its figures under the device's name.

    python data/recipes/record_training_speed.py [--batch-size 500] [--rounds 5]

Every backend that is installed takes part; tests/benchmarks/requirements.txt adds PyTorch. One run
per device and batch size: a new one takes the place of the old. Let nothing else run meanwhile.
"""

import importlib.util
import json
from pathlib import Path
import subprocess
import sys
import tempfile

from helpers import data, runtime
from recording import Record, device_name

BENCHMARK = data.DATA_DIR.parent / "tests" / "benchmarks" / "training.py"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        subprocess.run([sys.executable, BENCHMARK, *sys.argv[1:], "--out", out], check=True)
        figures = json.loads(out.read_text())
    in_use = runtime.keras.backend.backend()
    others = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]
    record = Record(
        "training_speed",
        "the default VAE in training: backend, way to train it, images per second, and what share "
        "that is of the speed at which its matrix products alone would run (PyTorch's: of those of "
        "the first backend); medians over rounds in which all take turns",
        packages=[name for name in others if name != in_use],
        command=" ".join(["python data/recipes/record_training_speed.py", *sys.argv[1:]]),
    )
    key = {"device": device_name(), "batch_size": figures.pop("batch_size")}
    record.put(key, figures)
