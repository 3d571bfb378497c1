"""Checks of the exercises of notebook 26, disentanglement."""

from helpers import data
from helpers.exercises import call, chosen, exercise, number
from helpers.vae import evaluate
import numpy as np


@exercise("26.1")
def gap_of_a_small_table(answer) -> str | None:
    table, entropy = np.array([[1.1, 0.3], [0.4, 1.7]]), np.log([4, 8])
    best, second = table.max(axis=0), table.min(axis=0)
    along_rows = (table.max(axis=1) - table.min(axis=1)) / entropy
    ideas = {
        (best - second).mean(): "Divide each difference by the entropy of its factor.",
        ((best - second) / entropy).sum(): "Take the mean over the factors, not their sum.",
        (best - second).sum() / entropy.sum(): "Divide factor by factor, then take the mean.",
        (best / entropy).mean(): "That is the best latent alone; subtract what the other knows.",
        ((best - second) / np.log2([4, 8])).mean(): "The table is in nats, your entropies in bits.",
        along_rows.mean(): "Compare the two latents that know a factor, not two factors.",
    }
    general = "For each factor: (best - second best) / ln(levels). Then take the mean."
    return number(answer, ((best - second) / entropy).mean(), 3, general, ideas)


@exercise("26.2")
def axes_that_a_diagonal_q_prefers(answer) -> str | None:
    hints = {
        "a": "Print -ELBO at 0 and at 45 degrees: which is lower? (Make x from the new W.)",
        "b": None,
        "c": "The columns of W are not perpendicular: print -ELBO at 0 and at 45 degrees.",
    }
    return chosen(answer, hints)


@exercise("26.3")
def rotation_back_to_the_factors(answer) -> str | None:
    _, factors = data.sprites()
    scaled = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
        z = scaled @ turn + 0.02 * rng.standard_normal(scaled.shape)
        back = call(answer, z.copy(), factors.copy())
        if isinstance(back, tuple):
            return "Return one matrix; a tuple came (orthogonal_procrustes gives Q and a scale)."
        back = np.asarray(back, dtype="float64")
        if back.shape == z.shape:
            return "Return the matrix Q, not z @ Q."
        if back.shape != (5, 5):
            return f"Return a matrix of shape (5, 5); yours has shape {back.shape}."
        if not np.allclose(back @ back.T, np.eye(5), atol=1e-6):
            return "Q is not orthogonal: Q @ Q.T must be the identity. Drop the singular values."
        found = evaluate.mutual_information_gap(z @ back, factors)
        if found > 0.9:
            continue
        if evaluate.mutual_information_gap(z @ back.T, factors) > 0.9:
            return "Right matrix, but transposed: z @ Q.T is unmixed, z @ Q is not."
        return (
            f"z @ Q has a gap of {found:.2f}; it should be above 0.9. Take the SVD of z.T @ v, and "
            "multiply U by V transposed, which is what np.linalg.svd returns last."
        )
    return None
