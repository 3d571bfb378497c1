"""Checks of the exercises of notebook 31, convolution and condition."""

from helpers import data
from helpers.exercises import call, chosen, exercise, is_close
from helpers.vae import ConditionalVAE
import numpy as np


@exercise("31.1")
def parameters_of_a_convolution(answer) -> str | None:
    hints = {
        5 * 5 * 16 * 32: "The bias is missing: one number per output channel.",
        5 * 5 * 16 * 32 + 16: "One bias per output channel, not per input channel.",
        5 * 5 * 32 + 32: "Every output channel looks at all input channels.",
        5 * 5 * 16 + 32: "Every output channel has a kernel of its own.",
        (5 * 5 * 16 * 32 + 32)
        * 14
        * 14: "The weights are shared: the size of the image is no factor.",
        14 * 14 * 16 * 14 * 14 * 32 + 14 * 14 * 32: "That is a dense layer; a kernel is 5 x 5.",
        3 * 3 * 16 * 32 + 32: "That is right for a 3 x 3 kernel; this one has 5 x 5.",
    }
    if is_close(answer, 5 * 5 * 16 * 32 + 32, 0.5):
        return None
    return hints.get(round(float(answer)), "Kernel height * width * channels in * channels out + ?")


@exercise("31.2")
def coverage_of_a_transposed_convolution(answer) -> str | None:
    for inputs, kernel, stride in ((4, 4, 2), (4, 3, 2), (1, 5, 3), (6, 2, 3), (5, 7, 1)):
        got = np.asarray(call(answer, inputs, kernel, stride))
        # A 1 at every place where an input stands, smeared out by a kernel of ones.
        stretched = np.zeros((inputs - 1) * stride + 1)
        stretched[::stride] = 1
        expected = np.convolve(stretched, np.ones(kernel))
        case = f"coverage({inputs}, {kernel}, {stride})"
        if got.shape != expected.shape:
            return f"{case} must have {len(expected)} entries; yours has shape {got.shape}."
        if not np.allclose(got, expected):
            if np.allclose(got, expected > 0):
                return f"{case}: where two inputs reach an output, count both; `+= 1`, not `= 1`."
            return f"{case} must be {expected.astype(int)}, yours is {got}."
    return None


@exercise("31.3")
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


@exercise("31.4")
def claim_about_labels(answer) -> str | None:
    hints = {
        "a": "Ten sets of coins: how far did the bill fall, and how much did being told save?",
        "b": None,
        "c": "Ours fell by more than that, without a bug. What did the label build in training?",
    }
    return chosen(answer, hints)


@exercise("31.5")
def obedience_with_many_latents(answer) -> str | None:
    if not isinstance(answer, ConditionalVAE):
        return f"The answer is a trained ConditionalVAE, not {type(answer).__name__}."
    if answer.latent_dim < 8:
        return f"At least 8 latents, please; yours has {answer.latent_dim}."
    from sklearn.decomposition import PCA  # takes a second: only when asked
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    digits = data.load("mnist-5k")
    judge = make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04))
    judge.fit(digits.x_train.reshape(-1, 784), digits.y_train)
    asked = np.repeat(np.arange(10), 100)
    images = answer.sample(asked, seed=0).reshape(1000, 784)
    obeyed = (judge.predict(images) == asked).mean()
    if obeyed >= 0.95:
        return None
    return (
        f"Yours obeys in {obeyed:.1%}. What makes it dearer for the code to repeat what the label "
        "says? Look at the orange triangles above."
    )
