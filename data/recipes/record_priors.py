"""Train VAEs with three priors, fit densities to the codes of one of them, and judge all alike.

    OMP_NUM_THREADS=1 python data/recipes/record_priors.py

Needs data/mnist.npz (or the Keras cache) and JAX. The networks are 784-256-20 and back, trained on
the 59,000 digits of `make_weights.training_images`, binarised afresh every epoch, with a standard
normal as prior, a mixture of 100 Gaussians, or a VampPrior of 100 pseudo-inputs. To the codes of
the first, a mixture of 50 full Gaussians and a masked autoregressive flow are fitted afterwards:
encoder and decoder are then the same to the last bit. (The mixture is also fitted to the codes of
the VampPrior's model.) All are judged on the course's 1,000
held-out digits, binarised once; no setting was chosen on them.

Writes data/results/priors.json, a run at a time, and trained weights to cache/.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

from helpers import data
from helpers.elbo import gaussian_log_density
from helpers.vae.flows import AutoregressiveFlow
from helpers.vae.samples import load_judge, precision_and_recall
import jax
import jax.numpy as jnp
import keras
from make_weights import training_images
import numpy as np
from record_flows import adam, begin
from record_iwae import epoch_batches
from recording import Record
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

CACHE = data.DATA_DIR.parent / "cache"
HIDDEN, LATENTS, COMPONENTS, BATCH, EPOCHS, RATE = 256, 20, 100, 200, 8, 2e-3
TRAINED = ("mixture", "VampPrior", "standard")
REAL = "other real digits"
AFTER = ("temperature 0.8", "mixture afterwards", "flow afterwards", "codes of training digits")
BOTH = "VampPrior, mixture afterwards"
SEEDS = range(5)
WHAT = (
    "VAEs 784-256-20 on 59,000 digits of MNIST (its training images but the course's 1,000 "
    "held-out digits), 8 epochs, with three priors, and densities fitted afterwards to the codes "
    "of the first; nats per image of the 1,000 held-out digits, binarised once, by 100 draws each; "
    "what the shipped judge says of 4 x 1,000 drawn digits, binarised: share with a probability "
    "above 0.9, precision and recall against the 1,000 held-out digits, mean class probabilities"
)


def log_gaussians(z, mean, log_var):
    """log N(z; mean_k, exp(log_var_k)) of each row of z and each k: (n, components)."""
    inverse = jnp.exp(-log_var)
    squared = z**2 @ inverse.T - 2 * z @ (mean * inverse).T
    return -0.5 * (squared + (mean**2 * inverse + log_var + jnp.log(2 * jnp.pi)).sum(axis=1))


def log_mixture(z, mean, log_var):
    """log of the mean of the components' densities (not the mean of their logs): shape (n,)."""
    return jax.nn.logsumexp(log_gaussians(z, mean, log_var), axis=1) - jnp.log(len(mean))


def encode(weights, x):
    h = jax.nn.relu(x @ weights["w1"] + weights["b1"])
    return jnp.split(h @ weights["w2"] + weights["b2"], 2, axis=1)


def decode(weights, z):
    return jax.nn.relu(z @ weights["w3"] + weights["b3"]) @ weights["w4"] + weights["b4"]


def components(weights):
    """Means and log-variances of the prior's components, (components, latents) each."""
    if "pseudo" in weights:
        return encode(weights, jax.nn.sigmoid(weights["pseudo"]))
    one = jnp.zeros((1, LATENTS))
    return weights.get("means", one), weights.get("log_vars", one)


def start(prior: str, seed: int, grey: np.ndarray) -> dict:
    rng = np.random.default_rng((seed, 33))
    sizes = (784, HIDDEN), (HIDDEN, 2 * LATENTS), (LATENTS, HIDDEN), (HIDDEN, 784)
    weights = {}
    for name, (n, m) in enumerate(sizes, 1):
        weights[f"w{name}"] = rng.uniform(-1, 1, (n, m)) * np.sqrt(6 / (n + m))
        weights[f"b{name}"] = np.zeros(m)
    if prior == "mixture":
        weights["means"] = rng.normal(size=(COMPONENTS, LATENTS))
        weights["log_vars"] = np.zeros((COMPONENTS, LATENTS))
    if prior == "VampPrior":
        first = grey[rng.choice(len(grey), COMPONENTS, replace=False)] / 255
        weights["pseudo"] = np.log((first + 0.05) / (1.05 - first))
    return {name: jnp.asarray(value, "float32") for name, value in weights.items()}


def parts(weights, x, code, key):
    """log p(x | z), log q(z | x) and z of one draw per image."""
    mean, log_var = code
    noise = jax.random.normal(key, mean.shape)
    z = mean + jnp.exp(log_var / 2) * noise
    logits = decode(weights, z)
    log_q = -0.5 * (noise**2 + log_var + jnp.log(2 * jnp.pi)).sum(axis=1)
    return (x * logits - jax.nn.softplus(logits)).sum(axis=1), log_q, z


def loss(weights, x, key):
    log_p, log_q, z = parts(weights, x, encode(weights, x), key)
    return -(log_p - log_q + log_mixture(z, *components(weights))).mean()


@jax.jit
def epoch(state, batches, rates, key):
    def gradient(weights, one):
        x, key = one
        return jax.value_and_grad(loss)(weights, x.astype("float32"), key)

    state, losses = adam(state, gradient, rates, (batches, jax.random.split(key, len(batches))))
    return state, losses.mean()


def train(prior: str, seed: int, grey: np.ndarray, epochs: int = EPOCHS) -> dict:
    path = CACHE / f"priors_{prior}_{seed}_{epochs}.npz"
    if path.exists():
        return {name: jnp.asarray(value) for name, value in np.load(path).items()}
    weights = start(prior, seed, grey)
    state, steps = begin(weights), len(grey) // BATCH
    for number in range(epochs):
        done = (number + np.arange(steps) / steps) / epochs
        rates = (RATE * (1 + np.cos(np.pi * done)) / 2).astype("float32")
        key = jax.random.key(1000 * seed + number)
        state, value = epoch(state, epoch_batches(grey, BATCH, seed, number), rates, key)
        print(f"{prior} {seed}: epoch {number + 1}, {value:.2f}", flush=True)
    CACHE.mkdir(exist_ok=True)
    np.savez(path, **state[0])
    return state[0]


def codes(weights, grey: np.ndarray, seed: int):
    """Mean and log-variance of q, (n, latents) each: one binarisation of every training digit."""
    x = epoch_batches(grey, BATCH, seed, 10_000)
    return [
        np.concatenate(part) for part in zip(*(encode(weights, b * 1.0) for b in x), strict=True)
    ]


def draws(code, rng) -> np.ndarray:
    mean, log_var = code
    return (mean + np.exp(log_var / 2) * rng.normal(size=mean.shape)).astype("float32")


def gaussian_mixture(z: np.ndarray, seed: int, count: int = 50):
    """Fitted to codes z: log r(z), and a function that draws."""
    settings = {"max_iter": 30, "tol": 1e-2, "init_params": "k-means++", "random_state": seed}
    model = GaussianMixture(count, **settings).fit(z)

    def draw(size, rng):
        noise = rng.normal(size=(size, z.shape[1]))
        which = rng.choice(count, size, p=model.weights_)
        turned = np.einsum("nij,nj->ni", np.linalg.cholesky(model.covariances_)[which], noise)
        return model.means_[which] + turned

    return lambda z: model.score_samples(np.asarray(z)), draw


def flow(z: np.ndarray, seed: int, epochs: int = 4):
    """A masked autoregressive flow fitted to codes z: log r(z), and a function that draws."""
    keras.utils.set_random_seed(seed)
    x, layer = keras.Input(z.shape[1:]), AutoregressiveFlow(z.shape[1], steps=4, hidden=(64,))
    noise, log_det = layer(x)
    log_r = gaussian_log_density(noise, 0.0, 0.0) + log_det
    network = keras.Model(x, log_r[:, None])
    falling = keras.optimizers.schedules.CosineDecay(3e-3, epochs * len(z) // 500)
    network.compile(keras.optimizers.Adam(falling), loss=lambda _, log_r: -log_r)
    network.fit(z, z, batch_size=500, epochs=epochs, verbose=0)

    def draw(size, rng):
        noise = rng.normal(size=(size, z.shape[1])).astype("float32")
        return np.asarray(layer.inverse(noise))

    return lambda z: network.predict(z, batch_size=10_000, verbose=0)[:, 0], draw


def prior_of(weights):
    """The prior that a model was trained with: log p(z), and a function that draws."""
    mean, log_var = components(weights)

    def draw(size, rng):
        which = rng.integers(len(mean), size=size)
        spread = np.exp(np.asarray(log_var)[which] / 2)
        return np.asarray(mean)[which] + spread * rng.normal(size=spread.shape)

    return lambda z: np.asarray(log_mixture(z, mean, log_var)), draw


def tempered(temperature: float):
    log_var = jnp.full((1, LATENTS), 2 * np.log(temperature))
    return (
        lambda z: np.asarray(log_mixture(z, jnp.zeros((1, LATENTS)), log_var)),
        lambda size, rng: temperature * rng.normal(size=(size, LATENTS)),
    )


def sampled(weights, x: np.ndarray, seed: int, samples: int = 100) -> list:
    """log p(x | z), log q(z | x) and z, (samples, n, ...): by these all priors are judged."""
    code, some = encode(weights, x), jax.jit(parts)
    keys = jax.random.split(jax.random.key(seed), samples)
    drawn = [some(weights, x, code, key) for key in keys]
    return [np.stack(part) for part in zip(*drawn, strict=True)]


def nats(drawn, log_prior) -> dict:
    """What a model is worth with that prior, nats per image."""
    likelihood, log_q, z = drawn
    log_p = np.asarray(log_prior(z.reshape(-1, z.shape[-1]))).reshape(log_q.shape)
    gain = log_p.astype("float64") - log_q
    log_weights = likelihood + gain
    bound = logsumexp(log_weights, axis=0) - np.log(len(z))
    found = {
        "negative_elbo": -log_weights.mean(),
        "negative_log_likelihood": -bound.mean(),
        "distortion": -likelihood.mean(dtype="float64"),
        "rate": -gain.mean(),
    }
    return {name: round(float(value), 3) for name, value in found.items()}


def judged(images, judge, real: np.ndarray, seed: int) -> dict:
    """The judge's view of 4 x 1,000 images in [0, 1]; `real` has the features of 1,000 digits."""
    features, probability = judge.predict(data.binarise(images, seed), verbose=0)
    both = [precision_and_recall(real, part) for part in np.array_split(features, 4)]
    precision, recall = np.mean(both, axis=0)
    return {
        "sure": round(float((probability.max(axis=1) > 0.9).mean()), 4),
        "precision": round(float(precision), 4),
        "recall": round(float(recall), 4),
        "classes": [round(float(share), 4) for share in probability.mean(axis=0)],
    }


def main() -> None:
    record = Record(
        "priors", WHAT, command="OMP_NUM_THREADS=1 python data/recipes/record_priors.py"
    )
    grey = np.rint(training_images(None)[0] * 255).astype("uint8").reshape(-1, 784)
    digits, judge = data.load("mnist-5k"), load_judge()
    held_out = data.binarise(np.concatenate([digits.x_val, digits.x_test]), seed=0)
    real = judge.predict(held_out, verbose=0)[0]
    drawn = {}  # of the model that was judged last

    def run(prior: str, seed: int) -> dict:
        rng = np.random.default_rng((seed, 35))
        if prior == REAL:
            images = grey[rng.choice(len(grey), 4000, replace=False)].reshape(-1, 28, 28) / 255
            return judged(images.astype("float32"), judge, real, seed)
        name, _, then = prior.partition(", ")
        model = name if name in TRAINED else "standard", seed
        weights = train(*model, grey)
        log_prior, draw = prior_of(weights)
        if prior not in TRAINED:
            code = codes(weights, grey, seed)
            several = [draws(code, rng) for _ in range(5)]
            log_prior, draw = {
                "temperature 0.8": lambda: tempered(0.8),
                "mixture afterwards": lambda: gaussian_mixture(several[0][:20_000], seed),
                "flow afterwards": lambda: flow(np.concatenate(several), seed),
                "codes of training digits": lambda: (None, lambda size, _: several[0][:size]),
            }[then or prior]()
        images = jax.nn.sigmoid(decode(weights, jnp.asarray(draw(4000, rng), "float32")))
        found = judged(np.asarray(images).reshape(-1, 28, 28), judge, real, seed)
        if log_prior is None:
            return found
        if model not in drawn:
            drawn.clear()
            drawn[model] = sampled(weights, held_out.reshape(-1, 784), seed)
        return nats(drawn[model], log_prior) | found

    plan = [
        {"prior": prior, "seed": seed} for seed in SEEDS for prior in (*TRAINED, *AFTER, REAL, BOTH)
    ]
    record.complete(plan, run)


if __name__ == "__main__":
    main()
