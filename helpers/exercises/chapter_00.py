"""Checks of the exercises of notebook 00, the first look."""

from helpers import data
from helpers.exercises import call, chosen, exercise
from helpers.vae import VAE, evaluate
import numpy as np


@exercise("00.1")
def image_of_a_one(answer) -> str | None:
    """The answer is a decoded image, or a function that decodes it: codes of a wrong shape raise.

    The judge is a nearest-neighbour vote among real digits.
    """
    from sklearn.neighbors import KNeighborsClassifier  # takes a second: only when asked

    image = call(answer) if callable(answer) else answer
    digits = data.load("mnist-5k")
    judge = KNeighborsClassifier(5).fit(digits.x_train.reshape(-1, 784), digits.y_train)
    votes = judge.predict_proba(np.reshape(image, (1, 784)))[0]
    if votes.argmax() == 1 and votes[1] >= 0.8:
        return None
    return (
        f"The judge sees a {votes.argmax()} ({votes.max():.0%} of its votes). Look for one upright "
        "stroke in the grid above."
    )


@exercise("00.2")
def is_it_lossless(answer) -> str | None:
    hints = {
        "a": None,
        "b": "Look at the share of digits that kept their identity above, and at the blur.",
        "c": "Two numbers, known to a limited precision, cannot tell all images apart.",
    }
    return chosen(answer, hints)


@exercise("00.3")
def four_latents(answer) -> str | None:
    if not isinstance(answer, VAE):
        return f"The answer is a trained VAE, not {type(answer).__name__}."
    if answer.latent_dim != 4:
        return f"Four latents, please; yours has {answer.latent_dim}."
    nats = -evaluate.elbo(answer, data.binarise(data.load("mnist-5k").x_val, seed=0)).mean()
    if nats <= 150:
        return None
    if nats > 400:
        return f"It is charged {nats:.0f} nats, about as much as ignorance: call compile and fit."
    return f"Yours needs {nats:.0f} nats; train it for as many epochs as the model above."
