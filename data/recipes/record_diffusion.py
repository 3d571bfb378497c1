"""Train small diffusion models, of grey digits and of codes, and measure them in nats.

    python data/recipes/record_diffusion.py train      # digits: data/weights/denoiser.npz
    python data/recipes/record_diffusion.py measure    # its bound, and how good its samples are
    python data/recipes/record_diffusion.py codes      # the codes of a VAE, five seeds

Needs data/mnist.npz (or the Keras cache) and JAX. Trained on all of MNIST's training images but
the 1,000 that the course holds out. Writes data/results/diffusion.json, run by run, and goes on
where it was stopped (the training too: cache/denoiser.npz). Takes about four CPU minutes each. (The
network that ships was first planned for 480 s, and cut to 260 after 7,500 of its 9,950 steps.)

As in the chapter, lambda is the logarithm of the signal-to-noise ratio, z = alpha x + sigma noise
with alpha^2 = sigmoid(lambda) and sigma^2 = sigmoid(-lambda) (Kingma et al. 2021), and the network
guesses x.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import argparse
from functools import lru_cache, partial
import hashlib
import io
import itertools
import time

from helpers import data
from helpers.vae import load_trained
from helpers.vae.samples import load_judge, precision_and_recall
import jax
import jax.numpy as jnp
import keras
from keras import layers
from make_weights import training_images
import numpy as np
from recording import Record
from sklearn.mixture import GaussianMixture

CACHE = data.DATA_DIR.parent / "cache"
HIGH, LOW = 13.3, -5.0  # lambda of the least and of the most noise, as in Kingma et al. 2021


# What this recipe and record_hierarchy share: a compiled epoch of Adam on any loss


def dense_weights(sizes: dict, rng: np.random.Generator) -> dict:
    """Weights of dense layers, He-uniform, and biases of 0: {name_w0, name_b0, ...}."""
    weights = {}
    for name, widths in sizes.items():
        for i, (n, m) in enumerate(itertools.pairwise(widths)):
            weights[f"{name}_w{i}"] = jnp.asarray(
                rng.uniform(-1, 1, (n, m)) * np.sqrt(3 / n), "float32"
            )
            weights[f"{name}_b{i}"] = jnp.zeros(m)
    return weights


def start(weights):
    """Weights, their moving average, both moments of Adam, and the number of the next step."""
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return weights, weights, zeros, zeros, jnp.float32(1)


def adam_epoch(loss, second: float = 0.999, average: float = 0.995):
    """Compiled: (state, batches, rates, key) -> state, losses; loss(weights, *batch_and_key)."""

    def step(state, one):
        batch, rate, key = one
        weights, slow, m, v, t = state
        value, slope = jax.value_and_grad(lambda w: loss(w, batch[0], key, *batch[1:]))(weights)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, slope)
        v = jax.tree.map(lambda v, g: second * v + (1 - second) * g**2, v, slope)
        scale = rate * jnp.sqrt(1 - second**t) / (1 - 0.9**t)
        weights = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
        keep = jnp.minimum(average, t / (t + 10))
        slow = jax.tree.map(lambda a, b: keep * a + (1 - keep) * b, slow, weights)
        return (weights, slow, m, v, t + 1), value

    @jax.jit
    def epoch(state, batches, rates, key):
        return jax.lax.scan(step, state, (batches, rates, jax.random.split(key, len(rates))))

    return epoch


# Diffusion


def scales(log_snr, axes: int):
    """alpha and sigma of each example, with axes of 1 behind."""
    shape = (-1,) + (1,) * axes
    return (jnp.sqrt(jax.nn.sigmoid(sign * log_snr)).reshape(shape) for sign in (1, -1))


def features(log_snr):
    """What a network is told of the noise: lambda, and sines and cosines of it; (n, 17)."""
    turns = (log_snr[:, None] - LOW) / (HIGH - LOW) * np.pi * 2.0 ** np.arange(0, 4, 0.5)
    return jnp.concatenate([log_snr[:, None] / 10, jnp.sin(turns), jnp.cos(turns)], axis=1)


def squared_errors(guess, x, log_snr, key):
    """SNR times the squared error of the guess of x, summed over its dimensions: (n,)."""
    axes = tuple(range(1, x.ndim))
    alpha, sigma = scales(log_snr, len(axes))
    z = alpha * x + sigma * jax.random.normal(key, x.shape)
    return jnp.sum((alpha / sigma * (x - guess(z, log_snr))) ** 2, axis=axes)


def spread(key, count: int, high: float, low: float):
    """Evenly spread lambdas with one random shift (Kingma et al. 2021, appendix I.1)."""
    return high + (low - high) * ((jax.random.uniform(key) + jnp.arange(count) / count) % 1)


def next_z(z, x, log_snr, less, noise):
    """A draw of z at the log-SNR `less` noisy, given z at `log_snr` and a guess of x."""
    shape = (-1,) + (1,) * (z.ndim - 1)
    (a, _), (a_s, sigma_s) = scales(log_snr, z.ndim - 1), scales(less, z.ndim - 1)
    c = -jnp.expm1(log_snr - less).reshape(shape)
    return (1 - c) * a_s / a * z + a_s * c * x + jnp.sqrt(c) * sigma_s * noise


def drawn(guess, shape: tuple, steps: int, key, high: float = HIGH, low: float = LOW):
    """Examples drawn by `steps` steps from pure noise; the last guess of x. Compile it."""
    log_snr = jnp.linspace(high, low, steps + 1)

    def step(z, one):
        now, less, key = one
        told = jnp.full(shape[0], now)
        noise = jax.random.normal(key, shape)
        return next_z(z, guess(z, told), told, jnp.full(shape[0], less), noise), None

    first, key = jax.random.split(key)
    levels = (log_snr[:0:-1], log_snr[-2::-1], jax.random.split(key, steps))
    z, _ = jax.lax.scan(step, jax.random.normal(first, shape), levels)
    return guess(z, jnp.full(shape[0], high))


# Grey digits

HIDDEN, BLOCKS, BATCH, RATE = 256, 2, 100, 2e-3
BLACK, WHITE, WHITE_SD = -1.0, 0.987, 0.007  # of pixels 0 and 252 to 255, on the scale -1 to 1


def denoiser() -> keras.Model:
    """z (28, 28, 1) and features (17,) -> four numbers per pixel; see `pixel_guess`."""
    z, told = keras.Input((28, 28, 1)), keras.Input((17,))
    h = layers.Dense(HIDDEN)(layers.Flatten()(z))
    for _ in range(BLOCKS):
        r = layers.LayerNormalization()(h) + layers.Dense(HIDDEN)(told)
        r = layers.Dense(HIDDEN, activation="silu")(layers.Activation("silu")(r))
        h = h + layers.Dense(HIDDEN)(r)
    h = layers.Dense(4 * 784)(layers.LayerNormalization()(h))
    return keras.Model([z, told], layers.Reshape((28, 28, 4))(h))


def pixel_guess(outputs, z, log_snr):
    """E[x | z] of pixels that are black, white or grey, each a Gaussian, as the network says."""
    alpha, sigma = scales(log_snr, 3)
    black, white, mean, spread = jnp.split(outputs, 4, axis=-1)
    means = jnp.concatenate(
        [jnp.full_like(z, BLACK), jnp.full_like(z, WHITE), jnp.tanh(mean)], axis=-1
    )
    variances = [jnp.zeros_like(z), jnp.full_like(z, WHITE_SD**2), jax.nn.sigmoid(spread - 1)]
    variances = jnp.concatenate(variances, axis=-1)
    total, apart = alpha**2 * variances + sigma**2, z - alpha * means
    logits = jnp.concatenate([black, white, jnp.zeros_like(z)], axis=-1)
    shares = jax.nn.softmax(logits - 0.5 * apart**2 / total - 0.5 * jnp.log(total), axis=-1)
    return jnp.sum(shares * (means + alpha * variances * apart / total), axis=-1, keepdims=True)


def guesser(model: keras.Model):
    """(weights, z, lambda) -> guess of x."""

    def guess(weights, z, log_snr):
        outputs, _ = model.stateless_call(weights, [], [z, features(log_snr)])
        return pixel_guess(outputs, z, log_snr)

    return guess


def train(seconds: float) -> None:
    """Train the denoiser for so many CPU seconds, saving as it goes; write its weights.

    The rate falls with the seconds that are used up, by a cosine.
    """
    keras.utils.set_random_seed(0)
    model, path = denoiser(), CACHE / "denoiser.npz"
    guess = guesser(model)
    x, _ = training_images(None)
    x = np.rint(x.reshape(-1, 28, 28, 1) * 255).astype("uint8")

    def loss(weights, x, key):
        first, second = jax.random.split(key)
        x, log_snr = x / jnp.float32(127.5) - 1, spread(first, len(x), HIGH, LOW)
        errors = squared_errors(partial(guess, weights), x, log_snr, second)
        return 0.5 * (HIGH - LOW) * jnp.mean(errors)

    epoch, state, used, number = adam_epoch(loss, second=0.99), None, 0.0, 0
    state = start([variable.value for variable in model.trainable_variables])
    if path.exists():
        kept = np.load(path)
        used, number = float(kept["used"]), int(kept["number"])
        flat, tree = jax.tree.flatten(state)
        state = jax.tree.unflatten(tree, [jnp.asarray(kept[f"{i:03}"]) for i in range(len(flat))])
    while used < seconds:
        begun, rng = time.process_time(), np.random.default_rng((35, number))
        rows = rng.integers(0, len(x), (50, BATCH))
        rate = RATE * min(1, (number + 1) / 10) * (1 + np.cos(np.pi * used / seconds)) / 2
        rates = np.full(50, rate, "float32")
        state, losses = jax.block_until_ready(
            epoch(state, (x[rows],), rates, jax.random.key(number))
        )
        used, number = used + time.process_time() - begun, number + 1
        if number % 5 == 0 or used >= seconds:
            arrays = {f"{i:03}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
            np.savez(path, used=used, number=number, **arrays)
            bits = float(losses.mean()) / 784 / np.log(2)
            print(f"{50 * number} steps, {used:.0f} s: {bits:.3f} bits per pixel", flush=True)
    file = io.BytesIO()
    halves = {f"{i:02}": np.asarray(value).astype("float16") for i, value in enumerate(state[1])}
    np.savez_compressed(file, **halves)
    (data.DATA_DIR / "weights" / "denoiser.npz").write_bytes(file.getvalue())
    about = {
        "steps": 50 * number,
        "cpu_seconds": round(used),
        "sha256": hashlib.sha256(file.getvalue()).hexdigest(),
    }
    record().put({"part": "network"}, about)


def shipped() -> list:
    """The weights that ship, as arrays in the order of the model."""
    arrays = np.load(data.DATA_DIR / "weights" / "denoiser.npz")
    return [jnp.asarray(arrays[name], "float32") for name in sorted(arrays)]


def last_step(x, z, log_snr):
    """-log p(x | z_0), nats: each of 256 values in proportion to its density (section 3.3)."""
    alpha, sigma = scales(log_snr, 3)
    values = jnp.arange(256) / 127.5 - 1
    logits = -0.5 * ((z - alpha * values) / sigma) ** 2
    own = -0.5 * ((z - alpha * x) / sigma) ** 2
    return -jnp.sum(own[..., 0] - jax.nn.logsumexp(logits, axis=-1), axis=(1, 2))


def measure(images: int, steps_drawn: list[int]) -> None:
    """The error of the guess at 93 levels of noise, and how good digits are that it draws."""
    model, weights, course = denoiser(), shipped(), data.load("mnist-5k")
    guess = partial(guesser(model), weights)
    kept = record()
    if not any(run["part"] == "errors" for run in kept.runs):
        x = jnp.asarray(course.x_test[:images, ..., None] * 2 - 1)
        errors = jax.jit(partial(squared_errors, guess, x))
        log_snr, rows = np.linspace(HIGH, LOW, 93), []
        for i, one in enumerate(log_snr):
            rows.append(np.asarray(errors(jnp.full(len(x), one), jax.random.key(i))))
        rows = np.array(rows, "float64")
        alpha, sigma = (np.asarray(part) for part in scales(jnp.full(1, HIGH), 3))
        z = alpha * x + sigma * jax.random.normal(jax.random.key(99), x.shape)
        last = np.asarray(last_step(x, z, jnp.full(1, HIGH)))
        alpha, sigma = (float(part[0]) for part in scales(jnp.full(1, LOW), 0))
        kl = 0.5 * (alpha**2 * x**2 + sigma**2 - 1 - np.log(sigma**2)).sum(axis=(1, 2, 3))
        each = 0.5 * np.trapezoid(rows, -log_snr, axis=0) + last + np.asarray(kl)
        result = {
            "images": len(x),
            "log_snr": log_snr.round(6).tolist(),
            "snr_times_squared_error": rows.mean(axis=1).round(4).tolist(),
            "last_step": round(float(last.mean()), 4),
            "prior": round(float(kl.mean()), 4),
            "standard_error": round(float(each.std(ddof=1) / np.sqrt(len(x))), 3),
        }
        kept.put({"part": "errors"}, result)
    for steps in steps_drawn:
        if any(run.get("steps") == steps for run in kept.runs if run["part"] == "drawn"):
            continue
        draw = jax.jit(partial(drawn, guess, (100, 28, 28, 1), steps))
        x = np.concatenate([np.asarray(draw(jax.random.key(i)))[..., 0] for i in range(5)])
        x = data.binarise((x.clip(-1, 1) + 1) / 2, seed=0)
        kept.put({"part": "drawn", "steps": steps}, quality(x))
    kept.put({"part": "real"}, quality(data.binarise(course.x_test, seed=1)))


# Codes of the VAE that ships as "digits"

CODE_SIZES = {"v": (20 + 17, 128, 128, 128, 20)}
CODE_EPOCHS, CODE_BATCH, CODE_RATE, COMPONENTS = 80, 500, 3e-3, 50
CODE_HIGH = 8.0  # codes are smooth: less noise than this tells nothing more


def code_guess(weights, z, log_snr):
    """alpha z - sigma v: with v = 0 the best guess for codes that are standard normal."""
    alpha, sigma = scales(log_snr, 1)
    h = jnp.concatenate([z, features(log_snr)], axis=1)
    last = len(CODE_SIZES["v"]) - 2
    for i in range(last + 1):
        h = h @ weights[f"v_w{i}"] + weights[f"v_b{i}"]
        h = jax.nn.silu(h) if i < last else h
    return alpha * z - sigma * h


def code_bound(weights, code, key, count: int = 200):
    """-log p(code) in nats by infinitely many steps, one draw at each of `count` levels: (n,)."""

    def one(total, both):
        told = jnp.full(len(code), both[0])
        return total + squared_errors(partial(code_guess, weights), code, told, both[1]), None

    told = CODE_HIGH + (LOW - CODE_HIGH) * (jnp.arange(count) + 0.5) / count
    total, _ = jax.lax.scan(one, jnp.zeros(len(code)), (told, jax.random.split(key, count)))
    alpha, sigma = (1 + np.exp(-LOW)) ** -0.5, (1 + np.exp(LOW)) ** -0.5
    prior = 0.5 * (alpha**2 * code**2 + sigma**2 - 1 - np.log(sigma**2)).sum(axis=1)
    last = 0.5 * code.shape[1] * (np.log(2 * np.pi * np.e) - CODE_HIGH)  # SNR_0 = e^CODE_HIGH
    return 0.5 * (CODE_HIGH - LOW) * total / count + prior + last


def encoded(vae, x) -> list[np.ndarray]:
    """Means and log-variances of codes of images, binarised once."""
    return [np.asarray(part) for part in vae.encoder(data.binarise(x, seed=0))]


def training_codes(vae) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances of the codes of 59,000 training digits."""
    path = CACHE / "codes_digits.npz"
    if not path.exists():
        x, _ = training_images(None)
        mean, log_var = zip(*[encoded(vae, some) for some in np.array_split(x, 20)], strict=True)
        np.savez(path, mean=np.concatenate(mean), log_var=np.concatenate(log_var))
    known = np.load(path)
    return known["mean"], known["log_var"]


def code_loss(weights, code, key):
    first, second = jax.random.split(key)
    told = spread(first, len(code), CODE_HIGH, LOW)
    errors = squared_errors(partial(code_guess, weights), code, told, second)
    return 0.5 * (CODE_HIGH - LOW) * errors.mean()


def code_draw(steps: int, weights, key):
    return drawn(partial(code_guess, weights), (500, 20), steps, key, high=CODE_HIGH)


@lru_cache
def compiled() -> tuple:
    """An epoch of training, the bound, and drawing, compiled once for all seeds."""
    drawing = {steps: jax.jit(partial(code_draw, steps)) for steps in (5, 20, 100)}
    return adam_epoch(code_loss), jax.jit(code_bound), drawing


def codes(seed: int) -> dict:
    """Fit a diffusion, and a mixture of Gaussians, to codes of training digits; judge both."""
    vae, rng = load_trained("digits"), np.random.default_rng((35, seed))
    mean, log_var = training_codes(vae)
    weights = dense_weights(CODE_SIZES, rng)
    name = f"v_w{len(CODE_SIZES['v']) - 2}"
    state = start(weights | {name: jnp.zeros_like(weights[name])})
    epoch, _, drawing = compiled()
    steps, begun = len(mean) // CODE_BATCH, time.process_time()
    for number in range(CODE_EPOCHS):
        rows = rng.permutation(len(mean))[: steps * CODE_BATCH]
        some = mean[rows] + np.exp(log_var[rows] / 2) * rng.standard_normal((len(rows), 20))
        batches = (some.reshape(steps, CODE_BATCH, 20).astype("float32"),)
        done = (number + np.arange(steps) / steps) / CODE_EPOCHS
        rates = (CODE_RATE * (1 + np.cos(np.pi * done)) / 2).astype("float32")
        state, _ = epoch(state, batches, rates, jax.random.key(100 * seed + number))
    seconds, weights = time.process_time() - begun, state[1]
    options = {"max_iter": 30, "tol": 1e-2, "init_params": "k-means++", "random_state": seed}
    mixture = GaussianMixture(COMPONENTS, **options).fit(some[:20_000])
    result = code_nats(vae, weights, mixture, seed) | {"cpu_seconds": round(seconds, 1)}
    sets = {"standard": rng.standard_normal((500, 20)), "mixture": mixture.sample(500)[0]}
    for steps, draw in drawing.items():
        sets[f"diffusion {steps}"] = draw(weights, jax.random.key(seed))
    sets["codes of training digits"] = some[:500]
    for name, z in sets.items():
        shown = 1 / (1 + np.exp(-np.asarray(vae.decoder(np.asarray(z, "float32")))))
        result[f"drawn {name}"] = quality(data.binarise(shown, seed=seed))
    return result


def code_nats(vae, weights, mixture, seed: int, draws: int = 5) -> dict:
    """-ELBO of the 500 test digits with each prior of the codes, nats per image."""
    x = data.binarise(data.load("mnist-5k").x_test, seed=0)
    mean, log_var = (np.asarray(part) for part in vae.encoder(x))
    bound, nats = compiled()[1], {"standard": [], "mixture": [], "diffusion": []}
    for i in range(draws):
        noise = np.random.default_rng((seed, i)).standard_normal(mean.shape)
        z = (mean + np.exp(log_var / 2) * noise).astype("float32")
        log_q = -0.5 * (noise**2 + log_var + np.log(2 * np.pi)).sum(axis=1)
        known = log_q - np.asarray(vae.log_likelihood(x, z))
        nats["standard"].append(known + 0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1))
        nats["mixture"].append(known - mixture.score_samples(z))
        nats["diffusion"].append(known + np.asarray(bound(weights, z, jax.random.key(i))))
    return {f"negative_elbo_{name}": round(float(np.mean(n)), 3) for name, n in nats.items()}


@lru_cache
def judge_and_real() -> tuple:
    """The judge, and its features of the 500 validation digits, binarised once."""
    judge = load_judge()
    return judge, np.asarray(judge(data.binarise(data.load("mnist-5k").x_val, seed=0))[0])


def quality(x) -> dict:
    """What the judge says of 500 binarised digits beside the 500 validation digits."""
    judge, real_features = judge_and_real()
    found, shares = (np.asarray(part) for part in judge(x))
    precision, recall = precision_and_recall(real_features, found)
    sure = float((shares.max(axis=1) > 0.9).mean())
    return {"precision": round(precision, 4), "recall": round(recall, 4), "sure": round(sure, 4)}


def record() -> Record:
    return Record(
        "diffusion",
        "network: a denoiser (an MLP 784-256-3,136 with two residual blocks; pixels black, white "
        f"or grey) trained on 59,000 grey digits, batch {BATCH}, Adam from {RATE} by a cosine, "
        "average of the weights. errors: on held-out test digits, SNR times the squared error "
        "of its guess at each log-SNR, and nats of the last step and of the prior. drawn: 500 "
        "digits in so many steps, binarised; precision and recall beside the 500 validation "
        "digits, share of which the judge is sure (above 0.9). real: the 500 test digits in "
        "place of drawn ones",
        command="python data/recipes/record_diffusion.py",
        packages=("jax",),
    )


def record_of_codes() -> Record:
    return Record(
        "diffusion_codes",
        f"priors of the codes of the VAE that ships as digits: an MLP {CODE_SIZES['v']} as a "
        f"diffusion, trained for {CODE_EPOCHS} epochs on codes of 59,000 digits, batch "
        f"{CODE_BATCH}, Adam from {CODE_RATE} by a cosine, average of the weights; a mixture of "
        f"{COMPONENTS} full Gaussians on 20,000 codes; -ELBO with each prior on the 500 test "
        "digits, binarised once, 5 draws, nats per image; what the judge says of 500 decoded draws",
        command="python data/recipes/record_diffusion.py codes",
        packages=("jax", "scikit-learn"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("train", "measure", "codes"))
    parser.add_argument("--seconds", type=float, default=260, help="of CPU, for train")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 10, 20, 50, 100, 200, 500])
    given = parser.parse_args()
    if given.part == "train":
        train(given.seconds)
    elif given.part == "measure":
        measure(given.images, given.steps)
    else:
        record_of_codes().complete([{"seed": seed} for seed in range(5)], codes)


if __name__ == "__main__":
    main()
