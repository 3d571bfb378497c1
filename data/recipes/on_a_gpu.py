"""Everything that the course wants from a GPU, in one command of at most eight minutes.

    KERAS_BACKEND=jax python data/recipes/on_a_gpu.py --out FOLDER
    KERAS_BACKEND=jax python data/recipes/on_a_gpu.py --out FOLDER --small    # a trial on a CPU

Needs JAX, Keras, data/mnist.npz and the packages of the tests (nbval, nbclient, ipykernel); no
TensorFlow. PyTorch takes part in the benchmark where it is installed. Each part is a process with a
time limit of its own, so that one that fails does not stop the rest. Two beside each other, for a
training of small networks leaves most of the card idle:

1. `record_iwae.py`: the IWAE with k = 50 on all of MNIST, from its checkpoint if there is one;
2. the tests of the models;

then, one after the other, since they measure speed:

3. `record_training_speed.py`, with batches of 500 and 100, which adds this machine to chapter 91.

Logs, the records and the checkpoint are copied to FOLDER. To carry on with
a training on the next machine, put the checkpoint back into cache/ before the start.
"""

import argparse
import os
from pathlib import Path
import shutil
import subprocess
import sys
import threading
import time

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("iwae", "training_speed")  # of the records
TESTS = ("elbo", "vae", "iwae", "evaluate", "beta", "text", "convolution_and_condition")
EPOCHS = 370  # of batch 20: 296 s on one H100, and half a minute for the test images


def parts(small: bool) -> list[tuple[str, int, list]]:
    """Name, seconds at most, and arguments for Python of each part."""
    tests = [f"tests/test_{name}.ipynb" for name in (TESTS[:1] if small else TESTS)]
    speed = ["data/recipes/record_training_speed.py", "--rounds", 2]
    iwae = ["data/recipes/record_iwae.py", "iwae", 50, "--decay", 1, "--at-once", 100]
    if small:
        speed += ["--images", 2000]
        iwae += ["--data", "mnist-5k", "--batch", 500, "--epochs", 2, "--every", 1]
    else:
        iwae += ["--batch", 20, "--epochs", EPOCHS, "--every", 10]
    return [
        ("iwae", 360, iwae),
        ("tests", 360, ["-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *tests]),
        ("speed_500", 45, [*speed, "--batch-size", 500]),
        ("speed_100", 45, [*speed, "--batch-size", 100]),
    ]


def run(name: str, limit: int, arguments: list, out: Path) -> str:
    """Run one part with its log in a file; how it ended."""
    # The tests hold results to a few digits; a GPU's short products have fewer.
    precise = {"JAX_DEFAULT_MATMUL_PRECISION": "float32"} if name == "tests" else {}
    shared = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # two processes, one memory
    start = time.monotonic()
    with open(out / f"{name}.log", "w") as log:
        try:
            done = subprocess.run(
                [sys.executable, *map(str, arguments)],
                cwd=ROOT,
                env=os.environ
                | {"PYTHONPATH": _path(), "PYTHONUNBUFFERED": "1"}
                | shared
                | precise,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=limit,
            )
            ending = "done" if done.returncode == 0 else f"failed ({done.returncode})"
        except subprocess.TimeoutExpired:
            ending = f"stopped after its {limit} seconds"
    return f"{name}: {ending}, {time.monotonic() - start:.0f} s"


def _path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where logs and results go")
    parser.add_argument("--small", action="store_true", help="small numbers, and no record changed")
    parser.add_argument("--only", nargs="+", help="some of the parts, by name")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("COURSE_BUDGET", "quick")  # the tests' own
    records = [ROOT / "data" / "results" / f"{name}.json" for name in NAMES]
    before = [record.read_bytes() for record in records]

    def do(name: str, limit: int, arguments: list) -> None:
        if not given.only or name in given.only:
            ending = run(name, limit * (5 if given.small else 1), arguments, given.out)
            last = (given.out / f"{name}.log").read_text().splitlines()[-12:]
            print("\n".join([ending, *last]), flush=True)

    training, tests, *timed = parts(given.small)
    beside = threading.Thread(target=do, args=training)
    beside.start()
    do(*tests)
    beside.join()
    for part in timed:
        do(*part)
    for kept in (*records, *(ROOT / "cache").glob("*_iwae_50_*.npz")):
        shutil.copy(kept, given.out)
    if given.small:
        for record, content in zip(records, before, strict=True):
            record.write_bytes(content)


if __name__ == "__main__":
    main()
