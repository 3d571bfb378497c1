"""Record models whose code is words: Gumbel-softmax, VQ-VAE with priors; beside a Gaussian VAE.

    KERAS_BACKEND=jax python data/recipes/record_discrete.py

All have one hidden layer of 200 units on either side and see the 4,000 training digits that ship,
binarised afresh at every epoch: models of one seed see the same pixels in the same order. Bits per
image of the course's 500 test digits (binarised with seed 1) and 500 validation digits (seed 0).
Writes data/results/discrete.json after every training, goes on where it was stopped, and ships the
first VQ-VAE with its prior as data/weights/words.npz. Takes about a quarter of an hour on one core.
"""

import hashlib
import io
import math

from helpers import data
import jax
from jax import numpy as jnp
import keras
from keras import layers, ops
import numpy as np
from recording import Record

HIDDEN, LATENTS, WORDS, WIDTH, SEEDS = 200, 20, 8, 8, 5
EPOCHS, BATCH, RATE = 60, 200, 3e-3
DECAY, COMMITMENT, DEAD = 0.99, 0.25, 0.1
STEPS = 4000 // BATCH
MODELS = {  # name: kind and settings
    "vq 64 restart": ("vq", {"vocabulary": 64, "cure": "restart"}),
    "gaussian 1.0": ("gaussian", {"beta": 1.0}),
    "vq 64 plain": ("vq", {"vocabulary": 64, "cure": "plain"}),
    "gumbel 0.5": ("gumbel", {"temperature": 0.5}),
    "gumbel 2.0": ("gumbel", {"temperature": 2.0}),
    "vq 64 data start": ("vq", {"vocabulary": 64, "cure": "data start"}),
    "score function": ("gumbel", {"temperature": None}),
    "vq 64 moving averages": ("vq", {"vocabulary": 64, "cure": "moving averages"}),
    "gumbel 0.1": ("gumbel", {"temperature": 0.1}),
    "gaussian 0.5": ("gaussian", {"beta": 0.5}),
}
stopped = jax.lax.stop_gradient


def start(key, outputs: int, inputs: int, grey: np.ndarray) -> dict:
    """Weights of encoder 784-200-outputs and decoder inputs-200-784; Glorot's variance."""
    sizes = {"in": (784, HIDDEN), "out": (HIDDEN, outputs), "back": (inputs, HIDDEN)}
    sizes |= {"pixels": (HIDDEN, 784)}
    weights = {}
    for one, (name, size) in zip(jax.random.split(key, 4), sizes.items(), strict=True):
        weights[name] = jax.random.normal(one, size) * math.sqrt(2 / sum(size))
        weights[f"{name}_bias"] = jnp.zeros(size[1])
    mean = grey.mean(axis=0).clip(0.01, 0.99)
    return weights | {"pixels_bias": jnp.asarray(np.log(mean / (1 - mean)), dtype="float32")}


def encode(w, x):
    return jax.nn.relu(x @ w["in"] + w["in_bias"]) @ w["out"] + w["out_bias"]


def decode(w, code):
    return jax.nn.relu(code @ w["back"] + w["back_bias"]) @ w["pixels"] + w["pixels_bias"]


def pixel_nats(x, logits):
    return jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1)


def nearest(z, codebook):
    """Of each vector in z, (..., width), the nearest of the codebook's, (vocabulary, width)."""
    return jnp.argmin(jnp.sum(codebook**2, axis=1) - 2 * z @ codebook.T, axis=-1)


def quantised(w, x):
    """The encoder's vectors (batch, words, width) and the words chosen for them (batch, words)."""
    z = encode(w, x).reshape(len(x), WORDS, WIDTH)
    return z, nearest(stopped(z), stopped(w["codebook"]))


def adam(weights, moments, slopes, step):
    """One step of Adam at a rate that falls to 0 along a half cosine."""
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slopes)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], slopes)
    rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * step / (EPOCHS * STEPS)))
    one, two = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)

    def moved(w, m, v):
        return w - rate * (m / one) / (jnp.sqrt(v / two) + 1e-7)

    return jax.tree.map(moved, weights, first, second), (first, second)


def train(weights, loss, seed: int, grey: np.ndarray, after=lambda w, *_: w) -> tuple[dict, list]:
    """Weights after all epochs, and of each epoch what the loss says beside its value.

    `loss(weights, x, key)` gives nats and anything else; `after(weights, else, key)` may change
    the weights once Adam has. The pixels depend on the seed alone.
    """

    @jax.jit
    def epoch(state, batches, first, key):
        def step(state, given):
            weights, moments = state
            x, number, key = given
            slopes, extra = jax.grad(loss, has_aux=True)(weights, x, key)
            weights, moments = adam(weights, moments, slopes, number)
            return (after(weights, extra, key), moments), extra

        numbers, keys = first + jnp.arange(STEPS), jax.random.split(key, STEPS)
        return jax.lax.scan(step, state, (batches, numbers, keys))

    zero = jax.tree.map(jnp.zeros_like, weights)
    state, rng, said = (weights, (zero, zero)), np.random.default_rng(seed), []
    for number in range(EPOCHS):
        x = rng.random((4000, 784), dtype="float32") < grey[rng.permutation(4000)]
        batches = jnp.asarray(x.reshape(STEPS, BATCH, 784), dtype="float32")
        key = jax.random.fold_in(jax.random.key(seed), number)
        state, extra = epoch(state, batches, float(number * STEPS), key)
        said.append(jax.tree.map(np.asarray, extra))
    return state[0], said


def bits(nats) -> float:
    return round(float(np.mean(nats)) / math.log(2), 3)


def wrong(x, logits) -> float:
    """Pixels of 784 that the likelier colour gets wrong."""
    return round(float(jnp.sum(jnp.abs((logits > 0) - x), axis=1).mean()), 3)


# The Gaussian VAE.


def gaussian_kl(mean, log_var):
    return -0.5 * jnp.sum(1 + log_var - mean**2 - jnp.exp(log_var), axis=1)


def gaussian(seed: int, beta: float, pixels: dict) -> dict:
    def loss(w, x, key):
        mean, log_var = jnp.split(encode(w, x), 2, axis=1)
        z = mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape)
        return (pixel_nats(x, decode(w, z)) + beta * gaussian_kl(mean, log_var)).mean(), ()

    w = start(jax.random.key(seed), 2 * LATENTS, LATENTS, pixels["train"])
    w, _ = train(w, loss, seed, pixels["train"])
    found = {}
    for part in ("val", "test"):
        x = pixels[part]
        mean, log_var = jnp.split(encode(w, x), 2, axis=1)
        noise = jax.random.normal(jax.random.key(1), (20, *mean.shape))
        logits = [decode(w, mean + jnp.exp(log_var / 2) * one) for one in noise]
        found[f"{part}_code_bits"] = bits(gaussian_kl(mean, log_var))
        found[f"{part}_pixel_bits"] = bits([pixel_nats(x, one) for one in logits])
        found[f"{part}_wrong"] = round(float(np.mean([wrong(x, one) for one in logits])), 3)
    return found


# Words drawn from q(c | x): Gumbel-softmax, or the score function.


def gumbel(seed: int, temperature: float | None, pixels: dict) -> dict:
    vocabulary = 64

    def log_q(w, x):
        return jax.nn.log_softmax(encode(w, x).reshape(len(x), WORDS, vocabulary))

    def rate(log_q):  # to the uniform prior, exactly
        return jnp.sum(jnp.exp(log_q) * log_q, axis=(1, 2)) + WORDS * math.log(vocabulary)

    def drawn(log_q, key, temperature):
        """One draw of all words, (batch, words x vocabulary): soft, or one-hot without one."""
        noisy = log_q + jax.random.gumbel(key, log_q.shape)
        if temperature is None:
            return jax.nn.one_hot(jnp.argmax(noisy, axis=-1), vocabulary)
        return jax.nn.softmax(noisy / temperature)

    def flat(y):
        return y.reshape(len(y), -1)

    def loss(w, x, key):
        log_p = log_q(w, x)
        if temperature is not None:
            nats = pixel_nats(x, decode(w, flat(drawn(log_p, key, temperature))))
            return (nats + rate(log_p)).mean(), ()
        one, two = (drawn(log_p, k, None) for k in jax.random.split(key))
        nats = [pixel_nats(x, decode(w, flat(y))) for y in (one, two)]
        lead = jnp.sum((one - two) * log_p, axis=(1, 2))  # log q of the first over the second
        score = stopped(nats[0] - nats[1]) * lead / 2  # each draw is the other's baseline
        return ((nats[0] + nats[1]) / 2 + score + rate(log_p)).mean(), ()

    w = start(jax.random.key(seed), WORDS * vocabulary, WORDS * vocabulary, pixels["train"])
    w, _ = train(w, loss, seed, pixels["train"])
    found = {}
    for part in ("val", "test"):
        x = pixels[part]
        log_p, keys = log_q(w, x), jax.random.split(jax.random.key(1), 20)
        found[f"{part}_code_bits"] = bits(rate(log_p))
        for name, t in {"pixel": None, "soft_pixel": temperature}.items():
            nats = [pixel_nats(x, decode(w, flat(drawn(log_p, key, t)))) for key in keys]
            found[f"{part}_{name}_bits"] = bits(nats)
    return found


# The VQ-VAE.


def straight_through(z, chosen):
    """The chosen words; backwards their gradient goes to z, the encoder's, as if it were them."""
    return z + stopped(chosen - z)


def vq(seed: int, vocabulary: int, cure: str, pixels: dict) -> tuple[dict, dict]:
    averages = cure in ("moving averages", "restart")
    key = jax.random.key(seed)
    w = start(key, WORDS * WIDTH, WORDS * WIDTH, pixels["train"])
    if cure == "plain":
        codebook = jax.random.uniform(key, (vocabulary, WIDTH), minval=-1, maxval=1) / vocabulary
    else:  # what the untrained encoder says of some images
        z = encode(w, pixels["codes"][:500]).reshape(-1, WIDTH)
        codebook = z[jax.random.choice(key, len(z), (vocabulary,), replace=False)]
    w |= {"codebook": codebook, "count": jnp.ones(vocabulary), "sum": codebook}

    def loss(w, x, key):
        z, words = quantised(w, x)
        chosen = w["codebook"][words]
        nats = pixel_nats(x, decode(w, straight_through(z, chosen).reshape(len(x), -1)))
        nats += COMMITMENT * jnp.sum((z - stopped(chosen)) ** 2, axis=(1, 2))
        if not averages:
            nats += jnp.sum((stopped(z) - chosen) ** 2, axis=(1, 2))
        used = jnp.bincount(words.ravel(), length=vocabulary)
        sums = jnp.zeros_like(w["codebook"]).at[words.ravel()].add(z.reshape(-1, WIDTH))
        some = z.reshape(-1, WIDTH)[jax.random.randint(key, (vocabulary,), 0, words.size)]
        return nats.mean(), (used, stopped(sums), stopped(some))

    def after(w, extra, key):
        if not averages:
            return w
        used, sums, some = extra
        count = DECAY * w["count"] + (1 - DECAY) * used
        total = DECAY * w["sum"] + (1 - DECAY) * sums
        if cure == "restart":
            dead = count < DEAD
            count = jnp.where(dead, 1.0, count)
            total = jnp.where(dead[:, None], some, total)
        codebook = total / jnp.maximum(count, 1e-5)[:, None]
        return w | {"codebook": codebook, "count": count, "sum": total}

    w, said = train(w, loss, seed, pixels["train"], after)
    use = [perplexity(used.sum(axis=0)) for used, *_ in said]
    codes = {part: np.asarray(quantised(w, pixels[part])[1]) for part in ("codes", "val", "test")}
    shares = frequencies(codes["codes"], vocabulary)
    found = {
        "perplexity": [round(value, 2) for value in use],
        "in_use": int((np.bincount(codes["codes"].ravel(), minlength=vocabulary) > 0).sum()),
        "uniform_bits": WORDS * math.log2(vocabulary),
    }
    for part in ("val", "test"):
        logits = decode(w, w["codebook"][codes[part]].reshape(500, -1))
        found[f"{part}_pixel_bits"] = bits(pixel_nats(pixels[part], logits))
        each = shares[np.arange(WORDS), codes[part]]
        found[f"{part}_frequency_bits"] = bits(-np.log(each).sum(axis=1))
        found[f"{part}_wrong"] = wrong(pixels[part], logits)
    return found, {"weights": w, "codes": codes}


def perplexity(counts) -> float:
    """Of how many words, equally often used, the counts have the entropy."""
    share = np.asarray(counts, dtype="float64") / np.sum(counts)
    return float(np.exp(-(share[share > 0] * np.log(share[share > 0])).sum()))


def frequencies(codes: np.ndarray, vocabulary: int) -> np.ndarray:
    """(words, vocabulary): how often each word stands in each place, half a count added."""
    counts = np.stack([np.bincount(place, minlength=vocabulary) for place in codes.T]) + 0.5
    return counts / counts.sum(axis=1, keepdims=True)


# The learned prior: for each place a small network that reads the words before it.


def build_prior(words: int, vocabulary: int, width: int = 24) -> keras.Model:
    """A sentence (batch, words) in; logits of each word, given those before it, out."""
    sentence = keras.Input((words,), dtype="int32")
    numbers = sentence + vocabulary * ops.arange(words)  # each place has vectors of its own
    vectors = layers.Embedding(words * vocabulary, width)(numbers)
    vectors = layers.Dropout(0.3, noise_shape=(None, words, 1))(vectors)  # of whole words
    vectors = ops.pad(vectors, [[0, 0], [1, 0], [0, 0]])  # zeros: the sentence begins
    logits = []
    for place in range(words):
        before = layers.Flatten()(vectors[:, : place + 1])
        hidden = layers.Dropout(0.2)(layers.Dense(48, activation="relu")(before))
        logits.append(layers.Dense(vocabulary)(hidden))
    return keras.Model(sentence, ops.stack(logits, axis=1))


def sentence_nats(prior: keras.Model, codes: np.ndarray) -> np.ndarray:
    """-log p(c) of each sentence, shape (n,)."""
    log_p = ops.log_softmax(prior.predict(codes, batch_size=500, verbose=0))
    each = np.take_along_axis(ops.convert_to_numpy(log_p), codes[..., None], axis=-1)
    return -each.sum(axis=(1, 2), dtype="float64")


def learn_prior(seed: int, vocabulary: int, codes: dict) -> keras.Model:
    keras.utils.set_random_seed(seed)
    prior = build_prior(WORDS, vocabulary)
    prior.compile(
        keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    prior.fit(codes["codes"], codes["codes"], batch_size=200, epochs=10, verbose=0)
    return prior


def ship(w: dict, prior: keras.Model) -> str:
    """Weights in half precision, and their SHA-256 sum."""
    kept = {name: w[name] for name in w if name not in ("count", "sum")}
    kept |= {f"prior_{place:02}": value for place, value in enumerate(prior.get_weights())}
    target = io.BytesIO()
    np.savez_compressed(target, **{name: np.asarray(v, "float16") for name, v in kept.items()})
    (data.DATA_DIR / "weights" / "words.npz").write_bytes(target.getvalue())
    return hashlib.sha256(target.getvalue()).hexdigest()


def main() -> None:
    digits = data.load("mnist-5k")
    pixels = {"train": digits.x_train.reshape(4000, 784)}
    drawn = [data.binarise(digits.x_train, seed) for seed in range(6)]
    pixels["codes"] = jnp.asarray(np.concatenate(drawn).reshape(-1, 784))  # whose codes are counted
    for part, x, seed in (("val", digits.x_val, 0), ("test", digits.x_test, 1)):
        pixels[part] = jnp.asarray(data.binarise(x, seed).reshape(500, 784))

    def run(seed: int, model: str) -> dict:
        kind, settings = MODELS[model]
        if kind != "vq":
            return {"gaussian": gaussian, "gumbel": gumbel}[kind](seed, pixels=pixels, **settings)
        found, made = vq(seed, pixels=pixels, **settings)
        if model == "vq 64 restart":
            prior = learn_prior(seed, settings["vocabulary"], made["codes"])
            for part in ("val", "test"):
                found[f"{part}_learned_bits"] = bits(sentence_nats(prior, made["codes"][part]))
            if seed == 0:
                found["sha256"] = ship(made["weights"], prior)
        return found

    record = Record(
        "discrete",
        f"784-{HIDDEN}-code-{HIDDEN}-784, relu, {EPOCHS} epochs of the 4,000 training digits, "
        f"binarised afresh, batch {BATCH}, Adam, its rate from {RATE} to 0 along a half cosine; "
        "bits per image of 500 validation digits (binarised with seed 0) and 500 test digits (seed "
        "1). "
        f"gaussian: {LATENTS} latents, trained on D + beta R; code_bits R, pixel_bits D, 20 draws. "
        f"gumbel, score function: {WORDS} words of 64, q factorised, uniform prior; pixel_bits of "
        "one-hot draws, soft_pixel_bits of relaxed ones; the score function with two draws, each "
        f"the other's baseline. vq: {WORDS} words of {WIDTH} numbers, a codebook for all, "
        f"commitment {COMMITMENT}; plain: small random codebook, trained by its own term; data "
        "start: begins with vectors of the untrained encoder; moving averages: also, decay "
        f"{DECAY}; restart: also, a word used less than {DEAD} times per batch is put on a vector "
        "of the batch. frequency_bits: words by their frequency in their place; learned_bits: by "
        "a small network for each place; both learn from the codes of the "
        "training digits, binarised six times. wrong: pixels, by the likelier colour",
        command="KERAS_BACKEND=jax python data/recipes/record_discrete.py",
    )
    record.complete([{"seed": s, "model": model} for model in MODELS for s in range(SEEDS)], run)


if __name__ == "__main__":
    main()
