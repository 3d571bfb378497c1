"""Rank the 2,336 VAEs of the architecture table without training them all.

    python data/recipes/record_nas.py

**A path** is an architecture written as gates, numbers from 0 to 1 for depth, units, activations
and latents of one network of the largest sizes. With gates of 0 and 1 the network *is* that
architecture: its first so many units, latents and layers.

- **shared**: the gates of another architecture for every image, all weights shared; the training of
  the table otherwise (its images, batches of 25, Adam at 2e-3). Paths are drawn uniformly from the
  2,336, or the depth first; one for each image, or one for a whole batch; or the two activations of
  a layer have weights of their own. Now and then all slices are scored on the validation images.
- **DARTS**: the gates come from the softmax of numbers that are trained too, in turn: a batch of
  one half of the training images moves the weights, a batch of the other half the numbers.
- **proxies**: fresh weights for each architecture, one batch of 100 training images, no training.

Kept of each ranking: how well it agrees with the table; of the methods in KEPT also the order
itself (row numbers, best first). Of DARTS: the choice, and what it was chosen by.
Written to data/results/nas.json, run by run; a recording that was stopped goes on where it was.
"""

import functools
import os
import time

if __name__ == "__main__":  # before the first import of Keras and of JAX
    os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

from helpers import data
from helpers.table import ACTIVATIONS, ArchitectureTable, layers_of, param_space
from helpers.vae import BinarisedBatches
import jax
from jax import numpy as jnp
from make_architectures import BATCH_SIZE, LEARNING_RATE, held_out
import numpy as np
from recording import Record
from scipy.stats import spearmanr

DEEPEST = param_space()[-1]
WIDTHS, LATENT_DIMS, MAX_DEPTH = DEEPEST["width_1"], DEEPEST["latent_dim"], DEEPEST["depth"][0]
PIXELS, UNITS, LATENTS = 64, max(WIDTHS), max(LATENT_DIMS)
VARIANTS = {  # of a super-network's training: the epochs after which its slices are scored, seeds
    "depth first": ((9, 27, 81, 243, 729), 5),
    "uniform": ((27, 81), 5),
    "one path a batch": ((27, 81), 5),
    "weights for each activation": ((27, 81), 5),
}
PROXIES = ("loss", "gradient", "snip", "grasp", "synflow", "naswot", "jacobian")
KEPT = (
    "gradient",
    "snip",
    "synflow",
    "naswot",
    "jacobian",
    ("depth first", 81),
    ("depth first", 729),
)
PROXY_SEEDS, DARTS_EPOCHS = 5, 81
RATES = {3e-3: 20, 3e-4: 10, 3e-2: 10}  # of DARTS's own numbers -> seeds
PROXY_IMAGES, COLLAPSED = 100, 0.1  # images of a proxy; mean KL of an idle code, nats


# ---- one network for all architectures --------------------------------------------------------


def gates_of(params: dict) -> dict[str, np.ndarray]:
    """An architecture as gates, 0 and 1: depth (3,), units (3, 128), kinds (3, 2), latents (16)."""
    widths, kinds = layers_of(params)
    gates = {
        "depth": np.eye(MAX_DEPTH)[params["depth"] - 1],
        "units": np.zeros((MAX_DEPTH, UNITS)),
        "kinds": np.zeros((MAX_DEPTH, len(ACTIVATIONS))),
        "latents": (np.arange(LATENTS) < params["latent_dim"]).astype("float64"),
    }
    for layer, (width, kind) in enumerate(zip(widths, kinds, strict=True)):
        gates["units"][layer, :width] = 1
        gates["kinds"][layer, ACTIVATIONS.index(kind)] = 1
    return {name: gate.astype("float32") for name, gate in gates.items()}


def shapes(copies: int = 1) -> dict[str, tuple]:
    """The arrays of the largest network; `copies` of each hidden layer, one or one a kind."""
    inputs = (PIXELS, UNITS, UNITS)
    found = {"logits": (UNITS, PIXELS), "logits_bias": (PIXELS,)}
    found |= {"heads": (MAX_DEPTH, UNITS, 2, LATENTS), "heads_bias": (MAX_DEPTH, 2, LATENTS)}
    found |= {"entrances": (MAX_DEPTH, copies, LATENTS, UNITS)}  # from the code, one a depth
    for layer, size in enumerate(inputs):
        found |= {f"down_{layer}": (copies, size, UNITS), f"down_{layer}_bias": (copies, UNITS)}
        found |= {f"up_{layer}_bias": (copies, UNITS)}
        if layer:
            found |= {f"up_{layer}": (copies, UNITS, UNITS)}  # from this layer to the one before
    return found


def limits(gates: dict) -> dict:
    """Glorot's limit of each kernel of one architecture, as Keras would draw it by itself."""
    width, latents = gates["units"].sum(axis=1), gates["latents"].sum()
    width = jnp.where(width > 0, width, UNITS)
    ends = {"logits": width[0] + PIXELS, "heads": (width + latents)[:, None, None, None]}
    ends |= {"entrances": (width + latents)[:, None, None, None], "down_0": PIXELS + width[0]}
    for layer in (1, 2):
        ends[f"down_{layer}"] = ends[f"up_{layer}"] = width[layer - 1] + width[layer]
    return {name: jnp.sqrt(6 / end) for name, end in ends.items()}


def initial(key, gates: dict, copies: int = 1) -> dict:
    """Fresh weights of one architecture: Glorot's uniform, and biases of 0."""
    limit, weights = limits(gates), {}
    for number, (name, shape) in enumerate(shapes(copies).items()):
        if name.endswith("bias"):
            weights[name] = jnp.zeros(shape)
        else:
            drawn = jax.random.uniform(jax.random.fold_in(key, number), shape, minval=-1)
            weights[name] = drawn * limit[name]
    return weights


def whole() -> dict:
    """The gates of the largest network: three layers of 128 units, 16 latents."""
    top = {"depth": MAX_DEPTH, "latent_dim": LATENTS}
    for layer in range(1, MAX_DEPTH + 1):
        top |= {f"width_{layer}": UNITS, f"activation_{layer}": ACTIVATIONS[0]}
    return gates_of(top)


def _layer(before, gates: dict, layer: int, seen: list):
    """Units after the activation, from `before` of shape (copies, n, units)."""
    seen.append((before[0], gates["units"][layer]))
    kinds = gates["kinds"][layer]
    after = kinds[0] * jax.nn.relu(before[0]) + kinds[1] * jnp.tanh(before[-1])
    return after * gates["units"][layer]


def encode(weights: dict, gates: dict, x, seen: list):
    """z_mean and z_log_var, (n, 16) each, gated. x: (n, 64); `seen` collects units."""
    h, depth, codes = x, gates["depth"], 0
    for layer in range(MAX_DEPTH):
        kernel, bias = weights[f"down_{layer}"], weights[f"down_{layer}_bias"]
        h = _layer(h @ kernel + bias[:, None], gates, layer, seen)
        heads = weights["heads"][layer].reshape(UNITS, -1)
        codes = codes + depth[layer] * (h @ heads + weights["heads_bias"][layer].reshape(-1))
    codes = codes.reshape(-1, 2, LATENTS) * gates["latents"]
    return codes[:, 0], codes[:, 1]


def decode(weights: dict, gates: dict, z, seen: list):
    """The logits of the pixels, (n, 64): the hidden layers of `encode`, mirrored."""
    z, depth, h = z * gates["latents"], gates["depth"], None
    for layer in reversed(range(MAX_DEPTH)):
        before = depth[layer] * (z @ weights["entrances"][layer])
        if h is not None:
            before = before + depth[layer + 1 :].sum() * (h @ weights[f"up_{layer + 1}"])
        h = _layer(before + weights[f"up_{layer}_bias"][:, None], gates, layer, seen)
    return h @ weights["logits"] + weights["logits_bias"]


def negative_elbo(weights: dict, gates: dict, x, noise):
    """−ELBO of each image, nats: x (n, 64) of 0 and 1, noise (n, 16)."""
    z_mean, z_log_var = encode(weights, gates, x, [])
    logits = decode(weights, gates, z_mean + jnp.exp(0.5 * z_log_var) * noise, [])
    kl = 0.5 * (z_mean**2 + jnp.exp(z_log_var) - z_log_var - 1).sum(axis=1)
    return (jax.nn.softplus(logits) - x * logits).sum(axis=1) + kl


# ---- training ------------------------------------------------------------------------------------


def adam(weights: dict, moments: tuple, gradient: dict, rate: float, beta_1: float = 0.9):
    """One step of Keras's Adam. `moments`: (steps so far, first moments, second moments)."""
    count, first, second = moments
    count, beta_2 = count + 1, 0.999
    first = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: beta_2 * v + (1 - beta_2) * g**2, second, gradient)
    scale = rate * jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)
    new = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
    return new, (count, first, second)


def at_rest(weights: dict) -> tuple:
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return jnp.zeros(()), zeros, zeros


def stacked(table: ArchitectureTable) -> dict:
    """The gates of all architectures of a table, in its order."""
    rows = [gates_of(params) for params in table.params]
    return {name: jnp.array([row[name] for row in rows]) for name in rows[0]}


def sampler(table: ArchitectureTable, depth_first: bool):
    """(rng, size) -> rows of a table, drawn uniformly, or the depth first."""
    depth = np.array([params["depth"] for params in table.params])
    chance = 1 / np.bincount(depth)[depth] if depth_first else np.ones(len(depth))
    return lambda rng, size: rng.choice(len(depth), size, p=chance / chance.sum())


@jax.jit
def train_epoch(weights, moments, gates, paths, images, noise):
    """One epoch of a super-network. paths: rows of `gates`, (steps, batch) or (steps, 1)."""

    def step(state, inputs):
        rows, x, e = inputs

        def loss(weights):
            if len(rows) == 1:
                return negative_elbo(weights, take(rows[0]), x, e).mean()
            each = lambda row, x, e: negative_elbo(weights, take(row), x[None], e[None])  # noqa: E731
            return jax.vmap(each)(rows, x, e).mean()

        take = lambda row: {name: gate[row] for name, gate in gates.items()}  # noqa: E731
        value, gradient = jax.value_and_grad(loss)(state[0])
        return adam(*state, gradient, LEARNING_RATE), value

    state, values = jax.lax.scan(step, (weights, moments), (paths, images, noise))
    return *state, values.mean()


@jax.jit
def slices(weights, gates, x, noise):
    """The mean −ELBO of every slice: (architectures,)."""
    one = lambda now: negative_elbo(weights, now, x, noise).mean()  # noqa: E731
    return jax.lax.map(one, gates)


@functools.cache
def validation() -> tuple[np.ndarray, np.ndarray]:
    """Validation images, binarised once (the table did it ten times), and noise for the codes."""
    images = held_out()[0].reshape(-1, 10, PIXELS)[:, 0]
    return images, np.random.default_rng(0).standard_normal((len(images), LATENTS), "float32")


def train_shared(table, variant: str, seed: int, checkpoints, report=None) -> dict[int, np.ndarray]:
    """Train a super-network; the −ELBO of all slices after each number of epochs."""
    gates, draw = stacked(table), sampler(table, depth_first=variant != "uniform")
    weights = initial(
        jax.random.key(seed), whole(), 2 if variant == "weights for each activation" else 1
    )
    moments, scores = at_rest(weights), {}
    source = BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
    for epoch in range(checkpoints[-1]):
        images = np.stack([source[step].reshape(-1, PIXELS) for step in range(len(source))])
        source.on_epoch_end()
        rng = np.random.default_rng((seed, epoch, 63))
        steps = len(images)
        rows = draw(rng, (steps, 1 if variant == "one path a batch" else BATCH_SIZE))
        noise = rng.standard_normal((steps, BATCH_SIZE, LATENTS), "float32")
        weights, moments, loss = train_epoch(
            weights, moments, gates, rows, images.astype("float32"), noise
        )
        if epoch + 1 in checkpoints:
            scores[epoch + 1] = np.asarray(slices(weights, gates, *validation()))
            if report:
                report(epoch + 1, float(loss))
    return scores


# ---- DARTS ---------------------------------------------------------------------------------------


def soft(alphas: dict) -> dict:
    """Gates from the numbers of DARTS: the mean of the choices' gates under a softmax."""
    mean = {name: jax.nn.softmax(alpha, axis=-1) for name, alpha in alphas.items()}
    units = jnp.array([[unit < width for unit in range(UNITS)] for width in WIDTHS], "float32")
    latents = jnp.array([[k < size for k in range(LATENTS)] for size in LATENT_DIMS], "float32")
    return mean | {"units": mean["units"] @ units, "latents": mean["latents"] @ latents}


def decided(alphas: dict) -> dict:
    """The architecture with the largest number of each choice."""
    best = {name: np.asarray(alpha).argmax(axis=-1) for name, alpha in alphas.items()}
    params = {"depth": int(best["depth"]) + 1, "latent_dim": LATENT_DIMS[int(best["latents"])]}
    for layer in range(params["depth"]):
        params[f"width_{layer + 1}"] = WIDTHS[best["units"][layer]]
        params[f"activation_{layer + 1}"] = ACTIVATIONS[best["kinds"][layer]]
    return params


@jax.jit
def darts_epoch(state, rate, images, others, noise):
    """Steps in turn: the numbers on a batch of the other half, the weights on one of their own."""

    def step(state, inputs):
        (weights, w_moments), (alphas, a_moments) = state
        x, other, e = inputs
        loss = lambda alphas, weights, x, e: negative_elbo(weights, soft(alphas), x, e).mean()  # noqa: E731
        towards = jax.grad(loss)(alphas, weights, other, e[0])
        alphas, a_moments = adam(alphas, a_moments, towards, rate, beta_1=0.5)
        value, down = jax.value_and_grad(loss, argnums=1)(alphas, weights, x, e[1])
        weights, w_moments = adam(weights, w_moments, down, LEARNING_RATE)
        return ((weights, w_moments), (alphas, a_moments)), value

    return jax.lax.scan(step, state, (images, others, noise))


def run_darts(rate: float, seed: int, epochs: int = DARTS_EPOCHS) -> dict:
    """First-order DARTS over depth, widths, activations and latents at once."""
    weights = initial(jax.random.key(seed), whole())
    rng = np.random.default_rng((seed, 64))
    sizes = {
        "depth": (MAX_DEPTH,),
        "units": (MAX_DEPTH, len(WIDTHS)),
        "kinds": (MAX_DEPTH, len(ACTIVATIONS)),
        "latents": (len(LATENT_DIMS),),
    }
    alphas = {k: jnp.array(1e-3 * rng.standard_normal(v), "float32") for k, v in sizes.items()}
    state = (weights, at_rest(weights)), (alphas, at_rest(alphas))
    grey = data.load("digits").x_train.reshape(-1, PIXELS)
    halves = np.array_split(rng.permutation(len(grey)), 2)
    steps, curve = len(halves[0]) // BATCH_SIZE, []
    for _ in range(epochs):
        orders = [rng.permutation(half)[: steps * BATCH_SIZE] for half in halves]
        drawn = [(rng.random((len(o), PIXELS)) < grey[o]).astype("float32") for o in orders]
        images = [one.reshape(steps, BATCH_SIZE, PIXELS) for one in drawn]
        noise = rng.standard_normal((steps, 2, BATCH_SIZE, LATENTS), "float32")
        state, values = darts_epoch(state, rate, *images, noise)
        curve.append(float(values.mean()))
    (weights, _), (alphas, _) = state
    params = decided(alphas)
    score = lambda gates: float(negative_elbo(weights, gates, *validation()).mean())  # noqa: E731
    numbers = {
        k: np.asarray(jax.nn.softmax(v, axis=-1)).round(4).tolist() for k, v in alphas.items()
    }
    result = {"params": params, "softmax": numbers, "mixture": round(score(soft(alphas)), 4)}
    return result | {"slice": round(score(gates_of(params)), 4), "training": round(curve[-1], 4)}


# ---- proxies: nothing is trained -----------------------------------------------------------------


def dot(a: dict, b: dict):
    return sum(jnp.vdot(a[name], b[name]) for name in a)


def flow(weights: dict, gates: dict, x):
    """The logits of the code's mean: the network without its noise. x: (n, 64)."""
    return decode(weights, gates, encode(weights, gates, x, [])[0], [])


def synflow(weights: dict, gates: dict):
    """Σ |w| dR/d|w|, R the sum of the logits of an image of ones under the weights |w|."""
    size = jax.tree.map(jnp.abs, weights)
    total = lambda size: flow(size, gates, jnp.ones((1, PIXELS))).sum()  # noqa: E731
    return dot(size, jax.grad(total)(size))


def naswot(weights: dict, gates: dict, x):
    """log |det K|, K[i, j] the number of hidden units with the same sign for images i and j."""
    seen = []
    decode(weights, gates, encode(weights, gates, x, seen)[0], seen)
    used = gates["depth"][::-1].cumsum()[::-1]  # of layer k: is the depth k or more?
    layers = (*range(MAX_DEPTH), *reversed(range(MAX_DEPTH)))
    kernel = 1e-3 * jnp.eye(len(x))
    for layer, (before, units) in zip(layers, seen, strict=True):
        sign = jnp.sign(before) * jnp.sqrt(units * used[layer])
        kernel = kernel + (sign @ sign.T + (units * used[layer]).sum()) / 2
    return jnp.linalg.slogdet(kernel)[1]


def jacobian(weights: dict, gates: dict, x):
    """−Σ (log(v + k) + 1 / (v + k)), v the eigenvalues of the correlations of images' slopes."""
    slopes = jax.grad(lambda x: flow(weights, gates, x).sum())(x)
    slopes = slopes - slopes.mean(axis=1, keepdims=True)
    slopes = slopes / jnp.sqrt((slopes**2).sum(axis=1, keepdims=True) + 1e-20)
    values = jnp.linalg.eigvalsh(slopes @ slopes.T)
    return -(jnp.log(jnp.maximum(values, 0) + 1e-5) + 1 / (jnp.maximum(values, 0) + 1e-5)).sum()


def proxies(key, gates: dict, x, noise) -> dict:
    """Every proxy of one architecture with fresh weights, as published: larger is better."""
    weights = initial(key, gates)
    loss = lambda weights: negative_elbo(weights, gates, x, noise).mean()  # noqa: E731
    value, gradient = jax.value_and_grad(loss)(weights)
    curved = jax.jvp(jax.grad(loss), (weights,), (gradient,))[1]  # the Hessian times the gradient
    return {
        "loss": -value,
        "gradient": jnp.sqrt(dot(gradient, gradient)),
        "snip": dot(*(jax.tree.map(jnp.abs, part) for part in (weights, gradient))),
        "grasp": -dot(weights, curved),
        "synflow": synflow(weights, gates),
        "naswot": naswot(weights, gates, x),
        "jacobian": jacobian(weights, gates, x),
    }


@jax.jit
def all_proxies(key, gates, x, noise):
    """Of all architectures: name -> (architectures,). Each has weights of its own."""
    count = len(gates["depth"])
    keys = jax.random.split(key, count)
    return jax.lax.map(lambda inputs: proxies(*inputs, x, noise), (keys, gates))


def run_proxies(table, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng((seed, 65))
    grey = data.load("digits").x_train.reshape(-1, PIXELS)
    grey = grey[rng.permutation(len(grey))[:PROXY_IMAGES]]
    x = (rng.random(grey.shape) < grey).astype("float32")
    noise = rng.standard_normal((PROXY_IMAGES, LATENTS), "float32")
    found = all_proxies(jax.random.key(seed), stacked(table), x, noise)
    return {name: np.asarray(values, "float64") for name, values in found.items()}


# ---- the record ----------------------------------------------------------------------------------


def packed(order: np.ndarray) -> str:
    """Row numbers below 4,096 as text, two characters a row: digits to the base 64, 0 is "0"."""
    digits = np.stack(divmod(np.asarray(order), 64), axis=1)
    return bytes((digits + ord("0")).astype("uint8").ravel()).decode()


def unpacked(text: str) -> np.ndarray:
    digits = np.frombuffer(text.encode(), "uint8").astype(int) - ord("0")
    return digits.reshape(-1, 2) @ [64, 1]


def order_of(scores: np.ndarray) -> np.ndarray:
    """Rows from the best on, larger scores first. NaN is the worst; equals as in the table."""
    return np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")


def quality(scores: np.ndarray, table: ArchitectureTable) -> dict:
    """How a ranking agrees with the last column of a table: a number for each of its seeds.

    `spearman` over all; `active` over those that collapsed with no seed; `first` and `tenth`: the
    share of the table's best 1 % in the first 1 % and in the first 10 % of the ranking; `weights`:
    Spearman's correlation with the number of weights, which is the same for both.
    """
    order, losses = order_of(scores), table.val[:, :, -1].astype("float64")
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    active = (table.val_kl[:, :, -1] >= COLLAPSED).all(axis=1)
    top = -(-len(order) // 100)
    best = [set(np.argsort(loss, kind="stable")[:top]) for loss in losses.T]
    found = {
        "spearman": [spearmanr(place, loss).statistic for loss in losses.T],
        "active": [spearmanr(place[active], loss[active]).statistic for loss in losses.T],
        "first": [len(one.intersection(order[:top])) / top for one in best],
        "tenth": [len(one.intersection(order[: 10 * top])) / top for one in best],
    }
    found = {name: [round(float(value), 4) for value in values] for name, values in found.items()}
    return found | {"weights": round(float(spearmanr(-place, table.weights).statistic), 4)}


def kept(name, scores: np.ndarray, table: ArchitectureTable) -> dict:
    order = {"order": packed(order_of(scores))} if name in KEPT else {}
    return quality(scores, table) | order


def complete(record: Record, table: ArchitectureTable) -> None:
    """Do what the record does not hold: the proxies, DARTS, then the super-networks."""
    done = {(one["method"], one["variant"], one["seed"], one["epochs"]) for one in record.runs}

    def put(method, variant, seed, epochs, result):
        key = {"method": method, "variant": variant, "seed": seed, "epochs": epochs}
        record.put(key, result)
        print(time.strftime("%H:%M:%S"), *key.values(), flush=True)

    for seed in range(PROXY_SEEDS):
        if ("proxy", PROXIES[-1], seed, 0) not in done:
            for name, scores in run_proxies(table, seed).items():
                put("proxy", name, seed, 0, kept(name, scores, table))
    for rate, seeds in RATES.items():
        for seed in range(seeds):
            if ("DARTS", rate, seed, DARTS_EPOCHS) not in done:
                put("DARTS", rate, seed, DARTS_EPOCHS, run_darts(rate, seed))
    for variant, (checkpoints, seeds) in VARIANTS.items():
        for seed in range(seeds):
            if ("shared", variant, seed, checkpoints[-1]) not in done:
                start = time.process_time()
                scores = train_shared(table, variant, seed, checkpoints)
                seconds = {"cpu_seconds": round(time.process_time() - start, 1)}
                for epochs, values in scores.items():
                    spread = {"quantiles": np.quantile(values, (0, 0.01, 0.5, 1)).round(3).tolist()}
                    result = kept((variant, epochs), -values, table) | spread | seconds
                    put("shared", variant, seed, epochs, result)


def main() -> None:
    table = ArchitectureTable.load()
    record = Record(
        "nas",
        "how shared weights and proxies rank the architecture table, and what DARTS chooses",
        command="python data/recipes/record_nas.py",
        packages=("jax", "numpy", "scipy"),
        table=table.about["date"],
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        proxy_images=PROXY_IMAGES,
    )
    complete(record, table)


if __name__ == "__main__":
    main()
