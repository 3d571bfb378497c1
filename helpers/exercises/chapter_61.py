"""Checks of the exercises of notebook 61, which VAE should I build."""

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np


@exercise("61.1")
def regret_by_hand(answer) -> str | None:
    if is_close(answer, 0.1, 1e-6):
        return None
    if is_close(answer, 0.7, 1e-6):
        return "23.6 is the luck of one seed. The optimum is the best of the *means*: 24.2."
    if is_close(answer, 0.5, 1e-6):
        return "You took the best seed of each network. Average over the seeds first."
    if is_close(answer, 0.9, 1e-6) or is_close(answer, 0, 1e-6):
        return "That is the regret within one seed. Average over the seeds first."
    if is_close(answer, 0.6, 1e-6):
        return "The search keeps the best network that it has evaluated, not the last one."
    if is_close(answer, -0.1, 1e-6):
        return "The sign: losses are compared, so regret is ours minus the optimum, 0 or more."
    return "Means over the seeds: A 24.2, B 24.4, C 24.3, D 24.8. The search saw C and D."


@exercise("61.2")
def price_of_a_race(answer) -> str | None:
    def right(n: int, r: int, last: int, seeds: int, is_kept: bool) -> int:
        price, before = 0, 0
        while r <= last:
            price += n * (r - before * is_kept)
            n, before, r = max(1, n // 3), r, 3 * r
        return price * seeds

    cases = [(27, 3, 81, 2), (15, 9, 81, 2), (81, 1, 81, 1), (5, 81, 81, 2), (9, 1, 9, 3)]
    cases += [(2, 9, 81, 2)]
    got = {
        (case, kept): float(call(answer, *case, kept)) for case in cases for kept in (False, True)
    }
    wrong = [case for case in got if got[case] != right(*case[0], case[1])]
    if not wrong:
        return None
    if all(kept for _, kept in wrong):
        return "With checkpoints a rung costs less: r minus the epochs that were already paid."
    if all(
        got[case, kept] == right(*case[:3], 1, kept) for case in cases for kept in (False, True)
    ):
        return "Each candidate is trained once per seed: multiply by the number of seeds."
    if [case for case in wrong if case[0] != (2, 9, 81, 2)] == []:
        return "At least one candidate goes on: of 2, a third would be none."
    (n, r, last, seeds), kept = wrong[0]
    return (
        f"price({n}, {r}, {last}, {seeds}, {kept}) must be {right(n, r, last, seeds, kept)}, yours "
        f"is {got[wrong[0]]:g}. Add up the rungs: n * r, then n // 3 with 3 * r, up to the last."
    )


@exercise("61.3")
def curve_of_regret(answer) -> str | None:
    # row 2 holds the best single training; row 1, which is not in the order, the best mean
    losses = np.array([[24.0, 24.5], [23.9, 24.0], [25.3, 23.5], [24.6, 24.4], [23.7, 24.3]])
    order = [3, 0, 2, 4]
    means, lowest = losses.mean(axis=1), losses.min(axis=1)
    right = np.minimum.accumulate(means[order]) - means.min()
    got = np.asarray(call(answer, losses.copy(), list(order)), dtype="float64")
    if got.shape != right.shape:
        return f"One number after each evaluation, shape {right.shape}; yours has {got.shape}."
    if np.allclose(got, right):
        complete = np.asarray(call(answer, losses.copy(), [3, 1, 0]), dtype="float64")
        if complete.shape == (3,) and np.allclose(complete, [0.55, 0, 0]):
            return None
        return "Once the best network of all has been evaluated, the regret is 0 and stays so."
    if np.allclose(got, np.minimum.accumulate(lowest[order]) - lowest.min()):
        return "You took the best seed of each network first. Average over the seeds first."
    if np.allclose(got, np.minimum.accumulate(means[order]) - lowest.min()):
        return "Your optimum is one lucky training: take the smallest of the means."
    if np.allclose(got, np.minimum.accumulate(means[order]) - losses[:, 0].min()):
        return "Your optimum is that of one seed: take the smallest of the means."
    if np.allclose(got, np.minimum.accumulate(means[order]) - means[order].min()):
        return "The optimum is that of the whole table, not the best one that the search met."
    if np.allclose(got, means[order] - means.min()):
        return "That is the regret of each network; a search keeps the best so far."
    if (got < -1e-9).any():
        return "Regret is never negative: best so far minus optimum, both as losses."
    return "Means over the seeds; the smallest so far; minus the smallest mean of all rows."


@exercise("61.4")
def how_much_the_draw_gives(answer) -> str | None:
    uniform = 24 / 2336
    by_depth = (2 / 32 + 12 / 256 + 10 / 2048) / 3
    right = by_depth / uniform
    if is_close(answer, right, 0.02):
        return None
    if is_close(answer, 1 / right, 0.01):
        return "Upside down: depth first is the more likely to hit."
    if is_close(answer, by_depth, 1e-3):
        return "That is the probability with depth first; divide by 24/2336."
    if is_close(answer, 3 * right, 0.05):
        return "Each depth is drawn with probability one third: take the mean of the three shares."
    if is_close(answer, 1, 0.02):
        return "The samplers differ: depth 1 is 32 of 2,336 networks, but every third draw."
    return "Depth first: (2/32 + 12/256 + 10/2048) / 3. Uniform: 24/2336. Now their ratio."


@exercise("61.5")
def who_may_see_the_test_images(answer) -> str | None:
    return chosen(
        answer,
        {
            "a": "Whoever picks the rung by it has searched on the test images, if only a little.",
            "b": "The better of two on the test images is chosen by them: a winner's curse again.",
            "c": None,
            "d": "Even one look changes what they are: from then on they are validation images.",
        },
    )
