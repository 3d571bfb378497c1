"""Checks of the exercises of notebook 42, metrics and leaks."""

from helpers.exercises import call, exercise, number
import numpy as np
from scipy import stats


@exercise("42.1")
def threshold_of_balanced(answer) -> str | None:
    ideas = {
        3 / 23: "That is the threshold of a calibrated model; the balanced one's odds are 9 times.",
        20 / 23: "Turn it over: the more a miss costs, the lower the threshold.",
        9 * 3 / 23: "Multiply the odds p / (1 - p), not the probability.",
        27 / 20: "Those are odds; the probability is odds / (1 + odds).",
        3 / 20: "Those are the odds of a calibrated model: 9 times as much for the balanced one.",
        1 / 61: "You divided the odds by 9; the balanced model multiplied them.",
        0.5: "That would be right for a miss that costs 9 false alarms.",
    }
    general = "Odds of a calibrated model at its threshold: 3 to 20. The balanced one has 9 times."
    return number(answer, 27 / 47, 3, general, ideas)


@exercise("42.2")
def coins_per_patient(answer) -> str | None:
    rng = np.random.default_rng(42)
    names = np.array([f"P{n}" for n in rng.permutation(400)[:300]])
    patient = rng.permutation(np.repeat(names, rng.integers(1, 5, size=300)))
    before = patient.copy()
    coins = np.asarray(call(answer, patient, np.random.default_rng(1)))
    if not np.array_equal(patient, before):
        return "Leave patient as it is: who called the function still needs it."
    if coins.shape == (300,):
        return "That is one coin per patient; give each row the coin of its patient."
    if coins.shape != patient.shape:
        return f"Return one label per row, shape {patient.shape}; yours has shape {coins.shape}."
    if not np.isin(coins, (0, 1)).all():
        return "Each label is 0 or 1."
    again, other = (np.asarray(answer(patient.copy(), np.random.default_rng(s))) for s in (1, 2))
    if not np.array_equal(again, coins):
        return "The same rng must give the same coins: take all chance from rng."
    if np.array_equal(other, coins):
        return "The coins are the same for every rng: throw them with rng."
    _, first = np.unique(patient, return_index=True)
    coin_of = dict(zip(patient[first], coins[first], strict=True))
    if any(coin_of[one] != coin for one, coin in zip(patient, coins, strict=True)):
        return "Two rows of one patient have different labels: throw one coin per patient."
    heads = int(coins[first].sum())
    if stats.binomtest(heads, 300).pvalue < 1e-6:
        return f"{heads} of 300 patients got a 1: these are no fair coins."
    return None


@exercise("42.3")
def findings(answer) -> str | None:
    ideas = {
        1: "That is Bonferroni's correction, everything times 5; Holm's next factor is 4.",
        3: "Never falling: 0.020 x 3 = 0.06 is no finding, so none after it is one.",
        4: "Without a correction; with five tests chance has five tries.",
    }
    return number(answer, 2, 1, "Sort them; times 5, times 4, and so on; stop above 0.05.", ideas)
