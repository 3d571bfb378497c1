"""Checks of the exercises of notebook 24, anomalies."""

from helpers.exercises import call, chosen, exercise
import numpy as np

ROUNDING = 5.1e-4  # three digits will do: two shares differ by 1/500 or more


def _best_rate(normal: np.ndarray, anomaly: np.ndarray, false_alarms: float) -> float:
    """Try every threshold that makes a difference, one after the other."""
    rates = [0.0]
    for threshold in [-np.inf, *normal, *anomaly]:
        if np.mean(normal > threshold) <= false_alarms:
            rates.append(float(np.mean(anomaly > threshold)))
    return max(rates)


@exercise("24.1")
def rate_at_a_threshold(answer) -> str | None:
    rng = np.random.default_rng(22)
    for n, m, gap, false_alarms, digits in (
        (200, 150, 0.5, 0.05, 9),
        (40, 70, 2.0, 0.10, 9),
        (300, 200, 1.0, 0.05, 1),  # rounded to one digit: many ties
        (50, 50, -2.0, 0.3, 9),
        (30, 20, 1.0, 0.0, 9),
        (30, 20, 1.0, 1.0, 9),
        (12, 500, 1.0, 0.15, 9),  # 1.8 false alarms can be afforded: one
        (100, 300, 1.0, 0.29, 9),  # 29 can be afforded, and int(0.29 * 100) is 28
    ):
        normal = rng.normal(size=n).round(digits)
        anomaly = rng.normal(gap, size=m).round(digits)
        got = float(call(answer, normal.copy(), anomaly.copy(), false_alarms))
        expected = _best_rate(normal, anomaly, false_alarms)
        if abs(got - expected) < ROUNDING:
            continue
        what = f"With {n} normal images, {m} anomalies and false alarms of {false_alarms:.0%}"
        if 0 < got and abs(got - _best_rate(-normal, -anomaly, false_alarms)) < ROUNDING:
            return f"{what} you raise the alarm for low scores; high ones are suspicious."
        if 0 < got and abs(got - _best_rate(anomaly, normal, false_alarms)) < ROUNDING:
            return f"{what} you found {got:.4f}: normal images and anomalies are swapped."
        if abs(got - (1 - expected)) < ROUNDING:
            return f"{what} you return the share that is missed; asked is the share found."
        if got > 1 and abs(got - 100 * expected) < 100 * ROUNDING:
            return f"{what} you return per cent; asked is a share between 0 and 1."
        if n == 100 and abs(got - _best_rate(normal, anomaly, 0.28)) < ROUNDING:
            return f"{what} you allow 28. In the computer 0.29 * 100 is a little less than 29."
        if got > expected:
            return (
                f"{what} the best is {expected:.4f}, got {got:.4f}. To find so many, more of the "
                "normal images than that would have to raise the alarm. (Quantiles interpolate.)"
            )
        ties = "Several scores are equal here. " if digits == 1 else ""
        return f"{what} the best is {expected:.4f}, got {got:.4f}. {ties}Which thresholds matter?"
    return None


@exercise("24.2")
def area_below_a_half(answer) -> str | None:
    hints = {
        "a": "The sign was chosen by these faults. What will it do to a fault that looks complex?",
        "b": None,
        "c": "A perfect model of N(0, I) has the same trouble, with no bound and no training.",
    }
    return chosen(answer, hints)


def _area(normal: np.ndarray, anomaly: np.ndarray) -> float:
    return float(np.mean((anomaly[:, None] > normal) + 0.5 * (anomaly[:, None] == normal)))


@exercise("24.3")
def three_strangers(answer) -> str | None:
    rng = np.random.default_rng(22)
    draws = rng.standard_normal((5, 400, 100))
    half = draws[4][:, :50]
    strangers = {
        "too little contrast": 0.8 * draws[2],
        "too much contrast": 1.25 * draws[3],
        "the repeated half": np.concatenate([half, half], axis=1),
    }
    usual = np.asarray(call(answer, draws[0].copy()), dtype="float64")
    if usual.shape != (400,):
        return f"400 rows need 400 scores, shape (400,); yours have shape {usual.shape}."
    again = _area(usual, np.asarray(answer(draws[1].copy()), dtype="float64"))
    if abs(again - 0.5) > 5 * np.sqrt(1 / (6 * 400)):
        return f"Two sets of normal rows should look alike (area 0.5); yours gives {again:.2f}."
    found = {name: _area(usual, np.asarray(answer(x.copy()))) for name, x in strangers.items()}
    missed = {name: value for name, value in found.items() if not value > 0.9}
    if not missed:
        return None
    said = ", ".join(f"{name} {value:.2f}" for name, value in missed.items())
    if "the repeated half" in missed and len(missed) == 1:
        hint = "Its length is typical; what should the two halves have to do with each other?"
    elif found["too little contrast"] < 0.1:
        hint = "Likely is not typical: ask how far the squared length is from 100, either way."
    elif found["too much contrast"] < 0.1:
        hint = "The sign is flipped for large contrast: ask for the distance from 100, either way."
    else:
        hint = "Combine statistics that you know exactly, each in its own standard deviations."
    return f"Areas that do not reach 0.9: {said}. {hint}"
