"""The architecture table: every VAE of a small space, trained in advance on real digits.

    python -m helpers.table build    # trains what its log does not hold yet, then writes the table
    python -m helpers.table check    # trains rows again with VAE.fit, and compares

A search over the table costs microseconds per answer, and its regret is exact, because the best
architecture is known. After NAS-Bench-101 (Ying et al. 2019), with VAEs instead of classifiers.

**The space.** 1 to 3 hidden layers in the encoder, each with a width and an activation of its own;
the decoder mirrors them; and a number of latents: 2,336 architectures, no two of them alike.

**The training**, the same for all: scikit-learn's digits (1,200 images for training), binarised
afresh at every epoch; Adam at a constant learning rate, so that a training of 9 epochs is the first
ninth of one of 81; two seeds, which decide weights, order, noise and binarisation.

**The score**: -ELBO in nats per image on the 300 validation images, for whoever searches, and on
the 297 test images, for the final report alone; each image binarised ten times.
"""

import argparse
from collections.abc import Sequence
import functools
import itertools
import json
import os
from pathlib import Path
import time

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "data" / "architectures.npz"
LOG = ROOT / "cache" / "architectures.jsonl"

WIDTHS, ACTIVATIONS, LATENT_DIMS, MAX_DEPTH = (16, 32, 64, 128), ("relu", "tanh"), (2, 4, 8, 16), 3
EPOCHS, SEEDS = (1, 3, 9, 27, 81), (0, 1)
BATCH_SIZE, LEARNING_RATE, COPIES = 25, 2e-3, 10


def param_space() -> list[dict]:
    """The space as scikit-learn writes one: a list of dicts, one for each depth.

    `width_2` and `activation_2` exist only where `depth` is 2 or more; so for the third layer.

    Example:
        >>> sklearn.model_selection.ParameterGrid(param_space())  # all 2,336 architectures
    """
    spaces = []
    for depth in range(1, MAX_DEPTH + 1):
        space = {"depth": [depth], "latent_dim": list(LATENT_DIMS)}
        for layer in range(1, depth + 1):
            space |= {f"width_{layer}": list(WIDTHS), f"activation_{layer}": list(ACTIVATIONS)}
        spaces.append(space)
    return spaces


def architectures() -> list[dict]:
    """Every architecture, as a dict of parameters, in a shuffled order that never changes.

    Shuffled, so that the rows of an unfinished build are a fair sample of the space.
    """
    rows = []
    for space in param_space():
        rows += [
            dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())
        ]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[index] for index in order]


def layers_of(params: dict) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Widths and activations of the encoder's hidden layers, from the image inwards."""
    numbers = range(1, params["depth"] + 1)
    widths = tuple(params[f"width_{number}"] for number in numbers)
    return widths, tuple(params[f"activation_{number}"] for number in numbers)


def build_vae(params: dict, seed: int):
    """The course's own VAE of one architecture, untrained: `dense_encoder` and `dense_decoder`.

    Args:
        params: one architecture of `architectures()`.
        seed: of the weights and of the sampling noise. Moves Keras's global random state.

    Returns:
        A `helpers.vae.VAE` of images of 8 x 8 pixels.
    """
    from helpers.vae import VAE, dense_decoder, dense_encoder
    import keras

    widths, activations = layers_of(params)
    keras.utils.set_random_seed(seed)
    encoder = dense_encoder((8, 8), widths, params["latent_dim"])
    decoder = dense_decoder((8, 8), widths[::-1], params["latent_dim"])
    for network, names in ((encoder, activations), (decoder, activations[::-1])):
        dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
        for layer, name in zip(dense, names, strict=False):  # the output layers stay linear
            layer.activation = keras.activations.get(name)
    return VAE(encoder, decoder, seed=seed)


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Validation and test images as the table scores them: ten binarised copies of each image."""
    from helpers import data

    digits = data.load("digits")
    parts = ((digits.x_val, 100), (digits.x_test, 101))
    x_val, x_test = (data.binarise(np.repeat(x, COPIES, axis=0), seed) for x, seed in parts)
    return x_val, x_test


@functools.cache
def _batches(epochs: int, seed: int) -> np.ndarray:
    """What `BinarisedBatches` delivers: uint8, (epochs, steps, BATCH_SIZE, 8, 8)."""
    from helpers import data

    source = data.BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
    drawn = []
    for _ in range(epochs):
        drawn.append([source[index] for index in range(len(source))])
        source.on_epoch_end()
    return np.array(drawn, dtype="uint8")


@functools.cache
def _noise(epochs: int, seed: int, latent_dim: int) -> np.ndarray:
    """What `Sampling(seed)` draws in a training: (epochs, steps, BATCH_SIZE, latent_dim)."""
    steps = _batches(epochs, seed).shape[1]
    drawn = _draws(seed, epochs * steps, BATCH_SIZE, latent_dim)
    return drawn.reshape(epochs, steps, BATCH_SIZE, latent_dim)


@functools.cache
def _scored(latent_dim: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Held-out images, validation first, the noise `evaluate.elbo` gives them, and the border."""
    x_val, x_test = held_out()
    noise = [  # evaluate.elbo takes 500 images at a time, and seed 0
        _draws(0, -(-len(x) // 500), 500, latent_dim).reshape(-1, latent_dim)[: len(x)]
        for x in (x_val, x_test)
    ]
    return np.concatenate([x_val, x_test]), np.concatenate(noise), len(x_val)


def _draws(seed: int, times: int, *shape: int) -> np.ndarray:
    import keras

    generator = keras.random.SeedGenerator(seed)
    return np.stack([np.asarray(keras.random.normal(shape, seed=generator)) for _ in range(times)])


def train_row(params: dict, epochs: Sequence[int] = EPOCHS) -> dict:
    """Train one architecture with every seed, and score it at every number of epochs.

    The networks are the course's, and so are the losses; only the loop is our own. It is what
    `VAE.fit` does, in one compiled function for both seeds: compiling takes longer than training.

    Args:
        params: one architecture.
        epochs: when to score, rising.

    Returns:
        `params`; `val`, `val_kl` and `test`, nats per image, each [seed][level]; the number of
        `weights`; CPU `seconds` of each seed's training and scores; `build_seconds`, CPU, for
        building and compiling.

    Raises:
        RuntimeError: the Keras backend is not JAX.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise RuntimeError("the table is built on JAX: set KERAS_BACKEND=jax before the start")
    latent_dim, seeds = params["latent_dim"], [int(seed) for seed in SEEDS]
    inputs = {
        seed: (_batches(epochs[-1], seed), _noise(epochs[-1], seed, latent_dim)) for seed in seeds
    }
    scored = _scored(latent_dim)
    start = time.process_time()
    vaes = [build_vae(params, seed) for seed in seeds]
    weights = [_flat(vae) for vae in vaes]
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([keras.Variable(weights[0])])
    moments = [np.asarray(variable.value) for variable in optimizer.variables]
    train = _compile(vaes[0], optimizer, (weights[0], moments), *inputs[seeds[0]], *scored)
    row = {"params": params, "weights": len(weights[0]), "val": [], "val_kl": [], "test": []}
    row |= {"build_seconds": round(time.process_time() - start, 3), "seconds": []}
    for seed, initial in zip(seeds, weights, strict=True):
        start, state, scores = time.process_time(), (initial, moments), []
        for first, last in itertools.pairwise((0, *epochs)):
            state, score = train(state, *inputs[seed], *scored[:2], first, last)
            scores.append([round(float(value), 4) for value in score])
        for name, values in zip(("val", "val_kl", "test"), zip(*scores, strict=True), strict=True):
            row[name].append(list(values))
        row["seconds"].append(round(time.process_time() - start, 3))
    return row


def _flat(vae) -> np.ndarray:
    """All trainable weights in one vector: Adam moves each by itself, and this compiles faster."""
    return np.concatenate([np.asarray(weight.value).ravel() for weight in vae.trainable_variables])


def _compile(vae, optimizer, state, batches, noise, held, held_noise, border: int):
    """The function (state, ..., first, last) -> (state, scores) that trains epochs first..last-1.

    The state is the vector of weights and the optimizer's own variables.
    """
    from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
    import jax

    shapes = [tuple(weight.shape) for weight in vae.trainable_variables]
    cuts = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    inner = len(vae.encoder.trainable_variables)

    def losses(flat, x, noise):  # nats per image: -ELBO, and its KL term
        parts = jax.numpy.split(flat, cuts)
        weights = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        (z_mean, z_log_var), _ = vae.encoder.stateless_call(weights[:inner], [], x)
        z = z_mean + jax.numpy.exp(0.5 * z_log_var) * noise
        logits, _ = vae.decoder.stateless_call(weights[inner:], [], z)
        kl = gaussian_kl(z_mean, z_log_var)
        return kl - bernoulli_log_likelihood(x, logits), kl

    def step(state, inputs):
        flat, moments = state
        x, noise = inputs
        gradient = jax.grad(lambda flat: losses(flat, x.astype("float32"), noise)[0].mean())(flat)
        [flat], moments = optimizer.stateless_apply(moments, [gradient], [flat])
        return (flat, moments), None

    def train(state, batches, noise, held, held_noise, first, last):
        def epoch(number, state):
            return jax.lax.scan(step, state, (batches[number], noise[number]))[0]

        state = jax.lax.fori_loop(first, last, epoch, state)
        loss, kl = losses(state[0], held, held_noise)
        return state, (loss[:border].mean(), kl[:border].mean(), loss[border:].mean())

    lowered = jax.jit(train).lower(state, batches, noise, held, held_noise, 0, 1)
    # Level 1 compiles tanh networks twice as fast as the default, and they train as fast.
    return lowered.compile(compiler_options={"xla_backend_optimization_level": 1})


def read_log(log: Path) -> tuple[dict | None, list[dict]]:
    """The header and the rows of a log; a last line without its end, left by a kill, is ignored."""
    if not log.exists():
        return None, []
    lines = log.read_text().split("\n")[:-1]  # what follows the last end of line is not whole
    records = [json.loads(line) for line in lines]
    return (records[0], records[1:]) if records else (None, [])


def build(
    table: Path = TABLE,
    log: Path = LOG,
    jobs: int = 2,
    limit: int | None = None,
    epochs: Sequence[int] = EPOCHS,
) -> None:
    """Train the architectures that the log does not hold, then write all of them as the table.

    Args:
        table: the file to write.
        log: one line per architecture, appended as soon as it is trained; a killed build goes on
            from there, and ends with the same table.
        jobs: processes.
        limit: train only the first so many of `architectures()`; all, if None.
        epochs: when to score, rising.

    Raises:
        ValueError: the log was made with other settings.
        RuntimeError: the Keras backend is not JAX.
    """
    from joblib import Parallel, delayed

    settings = {
        "epochs": list(epochs),
        "seeds": list(SEEDS),
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "copies": COPIES,
    }
    header, rows = read_log(log)
    if header is None:
        header = settings | provenance()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(header) + "\n")
    elif settings != {name: header.get(name) for name in settings}:
        raise ValueError(f"log must have been made with {settings}, but {log} starts with {header}")
    _cut_half_line(log)
    wanted = architectures()[:limit]
    done = {_key(row["params"]) for row in rows}
    missing = [params for params in wanted if _key(params) not in done]
    trained = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(train_row)(params, tuple(epochs)) for params in missing
    )
    for count, row in enumerate(trained, start=len(wanted) - len(missing) + 1):
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        if count % 50 == 0 or count == len(wanted):
            print(f"{time.strftime('%H:%M:%S')} {count} of {len(wanted)} architectures", flush=True)
    write(table, log, wanted)


def _cut_half_line(log: Path) -> None:
    content = log.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(log, content.rfind(b"\n") + 1)


def _key(params: dict) -> str:
    return json.dumps(params, sort_keys=True)


def provenance() -> dict:
    from helpers import runtime
    import jax

    made = runtime.circumstances()
    made["versions"] += f" {jax.__version__}"
    return {"command": "python -m helpers.table build", "data": "scikit-learn's digits"} | made


def write(table: Path, log: Path, wanted: list[dict]) -> None:
    """Put the rows of a log, in the order of `wanted`, into one small file."""
    header, rows = read_log(log)
    by_key = {_key(row["params"]): row for row in rows}
    found = [by_key[key] for key in map(_key, wanted) if key in by_key]
    arrays = {
        name: np.array([row[name] for row in found], dtype)
        for name, dtype in {
            "val": "float32",
            "val_kl": "float32",
            "test": "float32",
            "seconds": "float32",
            "build_seconds": "float32",
            "weights": "int32",
        }.items()
    }
    text = json.dumps({"about": header, "params": [row["params"] for row in found]})
    new = table.with_name(table.name + ".new")
    with new.open("wb") as file:
        np.savez_compressed(file, text=np.frombuffer(text.encode(), "uint8"), **arrays)
    os.replace(new, table)
    print(f"{len(found)} architectures -> {table.name}, {table.stat().st_size:,} bytes")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.table")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="train what is missing, then write the table")
    command.set_defaults(run=build)
    command.add_argument("--table", type=Path, default=TABLE, help="the file to write")
    command.add_argument("--log", type=Path, default=LOG, help="kept as it goes, for a new start")
    command.add_argument("--jobs", type=int, default=2, help="processes")
    command.add_argument("--limit", type=int, help="train only the first so many architectures")
    command.add_argument("--epochs", type=int, nargs="+", default=EPOCHS, help="when to score")
    given = vars(parser.parse_args(arguments))
    os.environ |= {  # before the first import of Keras, here and in the processes
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }
    given.pop("run")(**given)


if __name__ == "__main__":
    from helpers.table import main as imported_main  # so that other processes find its functions

    imported_main()
