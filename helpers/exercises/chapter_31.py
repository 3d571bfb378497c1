"""Checks of the exercises of notebook 31, convolution and condition."""

from helpers import data, elbo
from helpers.exercises import call, chosen, exercise
from helpers.vae import VAE, Sampling
from keras import ops
import numpy as np

MOST_NATS = 136.0  # 8 to 16 latents with beta = 4 reach it, two latents and empty codes do not


@exercise("31.1")
def posterior_of_the_label(answer) -> str | None:
    rng = np.random.default_rng(0)
    for scale in (1.0, 140.0, 2000.0):
        log_p = -scale * np.linspace(0.5, 1, 6)[:, None] + 3 * rng.normal(size=(6, 4))
        given = log_p.copy()
        with np.errstate(all="ignore"):
            got = np.asarray(call(answer, given))
        if not np.array_equal(given, log_p):
            return "Your function changes its argument; work on a copy."
        ratios = (
            log_p[:, None, :] - log_p[:, :, None]
        )  # (n, y, other y): log p(x | other) / p(x | y)
        expected = 1 / np.exp(ratios).sum(axis=2)
        if got.shape != expected.shape:
            return f"A table of shape (6, 4) must give one of the same shape, not {got.shape}."
        if not np.isfinite(got).all():
            return (
                f"At {-scale:.0f} nats, exp gives 0 and you divide 0 by 0. Subtract the largest of "
                "each row first: it cancels."
            )
        if not np.allclose(got.sum(axis=1), 1):
            if np.allclose(np.exp(got), expected):
                return "Those are logarithms of the right answer; take exp."
            return "Each row must sum to 1: divide by the sum over the classes, axis 1."
        if not np.allclose(got, expected):
            return (
                "Rows sum to 1, but it is not Bayes' rule: p(y | x) is proportional to exp(log_p)."
            )
    return None


@exercise("31.2")
def claim_about_labels(answer) -> str | None:
    hints = {
        "a": "Ten sets of coins: how many nats fell, and how many did being told save?",
        "b": None,
        "c": "Ours fell by more than that, without a bug. What did the labels do in training?",
    }
    return chosen(answer, hints)


@exercise("31.3")
def obedient_and_rich(answer) -> str | None:
    if not isinstance(answer, VAE):
        return f"The answer is a trained conditional VAE, not {type(answer).__name__}."
    if any(len(network.inputs) != 2 for network in (answer.encoder, answer.decoder)):
        return "Encoder and decoder must both take a label: make_encoder and make_decoder."
    if answer.latent_dim < 8:
        return f"At least 8 latents, please; yours has {answer.latent_dim}."
    obeyed, nats = _obedience(answer), _negative_elbo(answer)
    found = f"Yours obeys in {obeyed:.1%}, at {nats:.1f} nats. "
    if obeyed < 0.95:
        return found + "Which of the recorded settings, with many latents, obey?"
    if nats > MOST_NATS:
        return found + (
            f"More than {MOST_NATS:.0f} nats: its code says too little of the image, and ten fixed "
            "pictures would obey as well. A smaller beta, or more epochs?"
        )
    return None


def _given(labels):
    return ops.convert_to_tensor(np.eye(10, dtype="float32")[labels])


def _obedience(vae) -> float:
    """Share of 1,000 digits that a judge sees as asked, with codes from the prior."""
    from sklearn.decomposition import PCA  # takes a second: only when asked
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    digits = data.load("mnist-5k")
    judge = make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04))
    judge.fit(digits.x_train.reshape(-1, 784), digits.y_train)
    asked = np.repeat(np.arange(10), 100)
    z = np.random.default_rng(0).standard_normal((1000, vae.latent_dim), "float32")
    logits = vae.decoder([ops.convert_to_tensor(z), _given(asked)])
    images = ops.convert_to_numpy(ops.sigmoid(logits)).reshape(1000, 784)
    return float((judge.predict(images) == asked).mean())


def _negative_elbo(vae) -> float:
    """-ELBO of the binarised validation digits given their labels, 5 draws, nats per image."""
    digits, draw, nats = data.load("mnist-5k"), Sampling(seed=0), []
    x = ops.convert_to_tensor(data.binarise(digits.x_val, seed=0))
    condition = _given(digits.y_val)
    code = vae.encoder([x, condition])
    for _ in range(5):
        log_p = elbo.bernoulli_log_likelihood(x, vae.decoder([draw(code), condition]))
        nats.append(elbo.gaussian_kl(*code) - log_p)
    return float(ops.mean(ops.stack(nats)))
