"""Everything that the course wants from a GPU, in one command of ten minutes.

    KERAS_BACKEND=jax python data/recipes/on_a_gpu.py --out FOLDER
    KERAS_BACKEND=jax python data/recipes/on_a_gpu.py --out FOLDER --small    # a trial on a CPU

Needs JAX, Keras, data/mnist.npz and the packages of the tests (nbval, nbclient, ipykernel); no
TensorFlow. PyTorch takes part in the benchmark where it is installed. Each part is a process with a
time limit of its own, so that one that fails does not stop the rest. Beside each other, for a
training of small networks leaves most of the card idle:

1. `record_iwae.py`: the IWAE with k = 50 and with k = 5 on all of MNIST. Their checkpoints come
   back too; `record_iwae.py --start` goes on from one;
2. the tests of the models;

then, one after the other, since they measure speed:

3. `record_training_speed.py`, with batches of 500 and 100, which adds this machine to chapter 91.

Logs, the records and the checkpoints are copied to FOLDER.
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
TESTS = ("elbo", "vae", "evaluate", "beta", "text", "convolution_and_condition")
EPOCHS = {50: 1300, 5: 2600}  # beside each other 0.35 and 0.17 s each on an H100; 22 s to judge


def parts(small: bool) -> list[tuple[str, int, list]]:
    """Name, seconds at most, and arguments for Python of each part."""
    tests = [f"tests/test_{name}.ipynb" for name in (TESTS[:1] if small else TESTS)]
    speed = ["data/recipes/record_training_speed.py", "--rounds", 2]
    quick = ["--decay", 1, "--every", 20, "--at-once", 100, "--unroll", 4]
    iwae = {k: ["data/recipes/record_iwae.py", "iwae", k, *quick] for k in EPOCHS}
    if small:
        speed += ["--images", 2000]
    for k, epochs in EPOCHS.items():
        trial = ["--data", "mnist-5k", "--batch", 500, "--epochs", 2]
        iwae[k] += trial if small else ["--epochs", epochs]
    return [
        ("iwae_50", 560, iwae[50]),
        ("iwae_5", 560, iwae[5]),
        ("tests", 540, ["-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *tests]),
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

    *together, speed_500, speed_100 = parts(given.small)
    threads = [threading.Thread(target=do, args=part) for part in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in (speed_500, speed_100):
        do(*part)
    for kept in (*records, *(ROOT / "cache").glob("*_iwae_*.npz")):
        shutil.copy(kept, given.out)
    if given.small:
        for record, content in zip(records, before, strict=True):
            record.write_bytes(content)


if __name__ == "__main__":
    main()
