"""How fast the default VAE trains, beside what its matrix products alone would take.

    python tests/benchmarks/training.py [--batch-size 100] [--rounds 5] [--out FILE]
    python tests/benchmarks/training.py --backends jax

One process for each of TensorFlow, JAX and PyTorch, those of them that are installed
(requirements.txt beside this file adds PyTorch). All contestants take turns, round by round, since
a machine's speed drifts. Prints milliseconds per step and images per second, and the share of the
limit within a round, as medians: the limit is the backend's matrix products alone (forward times
three, for the backward pass has twice the products; PyTorch is held against the first backend's).
Between the limit and `fit` stand, for TensorFlow, the gradient alone, the same with Adam, and with
an Adam that makes one pass: what each adds is where a step's time goes.
"""

import argparse
from collections.abc import Callable
import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys
import time

from helpers import data
import numpy as np

BACKENDS = ("tensorflow", "jax", "torch")
EPOCHS = 3  # of each contestant at each turn: what a call costs once weighs little


def of_torch(x, size: int) -> dict[str, Callable]:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, relu

    device = "cuda" if torch.cuda.is_available() else "cpu"
    sizes = [(784, 512), (512, 256), (256, 20), (256, 20), (20, 256), (256, 512), (512, 784)]
    layers = [torch.nn.Linear(*shape).to(device) for shape in sizes]
    e1, e2, mean, log_var, d1, d2, d3 = layers
    parameters = [p for layer in layers for p in layer.parameters()]
    optimizer = torch.optim.Adam(parameters, 1e-3, foreach=True)
    images = torch.tensor(x.reshape(len(x), -1), device=device)

    def loop():
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x), device=device).split(size):
                batch = images[rows]
                h = relu(e2(relu(e1(batch))))
                m, v = mean(h), log_var(h)
                logits = d3(relu(d2(relu(d1(m + torch.exp(0.5 * v) * torch.randn_like(m))))))
                cost = binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(1)
                kl = -0.5 * (1 + v - m.square() - v.exp()).sum(1)
                loss = (cost + kl).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return loss.item()

    return {"hand-written loop": loop}


def seconds(function: Callable) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def serve(backend: str, images: int, size: int) -> None:
    """A backend's process: one run of each contestant, and then one for each line that comes."""
    grey = data.load("mnist-5k").x_train
    copies = range(-(-images // len(grey)))
    x = np.concatenate([data.binarise(grey, seed) for seed in copies])[:images]
    if backend == "torch":  # without Keras: two backends in one process can clash
        contestants = of_torch(x, size)
    else:
        import training_keras

        contestants = getattr(training_keras, f"of_{backend}")(x, size)
    print("names", json.dumps(list(contestants)), flush=True)
    for _ in sys.stdin:
        print("seconds", json.dumps([seconds(run) for run in contestants.values()]), flush=True)


class Process:
    """A backend in a process of its own."""

    def __init__(self, backend: str, options) -> None:
        command = [sys.executable, __file__, "--serve", backend, "--images", str(options.images)]
        self.process = subprocess.Popen(
            [*command, "--batch-size", str(options.batch_size)],
            env=os.environ | {"KERAS_BACKEND": backend},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.names = self.answer("names")

    def answer(self, kind: str) -> list:
        for line in self.process.stdout:  # Keras and TensorFlow have lines of their own
            if line.startswith(kind):
                return json.loads(line.removeprefix(kind))
        raise SystemExit(f"{self.process.args} ended with {self.process.wait()}: run it to see why")

    def run(self) -> list[float]:
        """Seconds of each contestant, in turn."""
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return self.answer("seconds")


def compete(options) -> list[tuple]:
    """Rows of backend, contestant, images per second, share of the limit."""
    processes = {backend: Process(backend, options) for backend in options.backends}
    for process in processes.values():
        process.run()  # compiles, and does not count
    rounds = {backend: [] for backend in processes}
    for _ in range(options.rounds):
        for backend, process in processes.items():
            rounds[backend].append(process.run())
    first, rows = np.array(rounds[options.backends[0]])[:, :1], []
    for backend, process in processes.items():
        process.process.stdin.close()
        times = np.array(rounds[backend])
        limit = first if backend == "torch" else times[:, :1]
        shares = np.median(limit / times, axis=0)
        speeds = EPOCHS * options.images / np.median(times, axis=0)
        rows += zip(
            [backend] * len(speeds), process.names, speeds.round(), shares.round(3), strict=True
        )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="fewer, for a trial")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=installed)
    parser.add_argument("--serve", choices=BACKENDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.images, options.batch_size)
        sys.exit()
    rows = compete(options)
    print(f"{options.images} images, batch {options.batch_size}, {options.rounds} rounds")
    print(f"{'medians':39} {'ms/step':>8} {'images/s':>9} {'share of the limit':>19}")
    for backend, name, speed, share in rows:
        step = 1e3 * options.batch_size / speed
        print(f"{backend:10} {name:28} {step:8.2f} {speed:9.0f} {share:19.2f}")
    if options.out:
        made = {"batch_size": options.batch_size, "images": options.images}
        made |= {"rounds": options.rounds, "speeds and shares": rows}
        options.out.write_text(json.dumps(made) + "\n")
