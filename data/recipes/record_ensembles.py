"""How data/results/ensembles.json and data/ensembles.npz were made: ensembles of pipelines.

    OMP_NUM_THREADS=1 python data/recipes/record_pipelines.py
    OMP_NUM_THREADS=1 python data/recipes/record_ensembles.py

Nothing is fitted here: the predictions of all candidates, out of fold and on the test part, lie in
cache/pipelines, where the first recipe left them. Weights are chosen out of fold and judged on the
test part. Losses are nats per example; for the regression those of a normal density with the
spread of its own errors, log(2 pi e MSE) / 2: a difference is half the logarithm of a ratio.

data/ensembles.npz holds one split of one table as probabilities of the class that came (float16).
"""

from collections.abc import Callable
from functools import partial

from helpers import data
from helpers.search.ensembles import ensemble_selection, nats, predictions_of
import numpy as np
from record_pipelines import CACHE, SPLITS, candidates, keep
from record_pipelines import COMMAND as BEFORE
from recording import Record
from scipy.optimize import nnls
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

COMMAND = "OMP_NUM_THREADS=1 python data/recipes/record_ensembles.py"
ROUNDS, BAGS, SHARE = 50, 20, 0.2
POOLS, STEPS = (6, 12, 25, 50, 102), (1, 2, 3, 5, 10, 20, 50, 100, 200)
FEW, DRAWS = (50, 100, 200), 10
SHOWN = "election", 0


def squares(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return ((predicted - y) ** 2).mean(axis=-1)


def read(name: str, number: int) -> dict:
    """Predictions of what came, (candidates, rows), out of fold and on the test part."""
    found, table = data.read_arrays((CACHE / f"{name}_{number}.npz").read_bytes()), data.load(name)
    parts, y = {}, table.y.to_numpy()
    for part, rows in (("oof", found["train_rows"]), ("predictions", found["test_rows"])):
        found["wide_" + part] = wide = found[part].astype("float64")
        if table.task == "classification":
            place = np.searchsorted(found["classes"], y[rows].astype(str))
            parts[part] = wide[:, np.arange(len(rows)), place]
        else:
            parts[part] = wide
    whole = np.isfinite(parts["oof"]).all(axis=1) & np.isfinite(parts["predictions"]).all(axis=1)
    return found | parts | {"whole": whole, "y": y, "task": table.task}


def without_replacement(predictions: np.ndarray, loss: Callable) -> np.ndarray:
    """Greedy selection in which each candidate may come once; the best of its ensembles."""
    left, total, chosen, path = list(range(len(predictions))), 0.0, [], []
    for count in range(1, min(ROUNDS, len(left)) + 1):
        losses = loss((total + predictions[left]) / count)
        chosen.append(left.pop(int(np.argmin(losses))))
        total = total + predictions[chosen[-1]]
        path.append(losses.min())
    return np.bincount(chosen[: int(np.argmin(path)) + 1], minlength=len(predictions)) > 0


def best_weights(predictions: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    """Of all weights that are not negative those with the lowest loss: nothing holds them back.

    For the log loss by expectation maximisation, where their sum is 1; else by least squares.
    """
    if y is not None:
        return nnls(predictions.T, y)[0]
    weights = np.full(len(predictions), 1 / len(predictions))
    for _ in range(2000):
        share = weights[:, None] * predictions
        weights = (share / np.maximum(share.sum(axis=0), 1e-300)).mean(axis=1)
    return weights


def stack(found: dict, of: np.ndarray) -> tuple[float, float]:
    """Two losses of a logistic regression on the logarithms of these candidates' probabilities."""
    y = found["y"]
    wide = [
        np.log(np.clip(found["wide_" + part][of], 1e-7, 1)).transpose(1, 0, 2)
        for part in ("oof", "predictions")
    ]
    fit, test = (one.reshape(len(one), -1) for one in wide)
    scaler = StandardScaler().fit(fit)
    model = LogisticRegression(max_iter=5000).fit(scaler.transform(fit), y[found["train_rows"]])
    losses = []
    for rows, features in ((found["train_rows"], fit), (found["test_rows"], test)):
        losses.append(nats(predictions_of(model, scaler.transform(features), y[rows])))
    return losses[0], losses[1]


def run(name: str, number: int) -> dict:
    """All ensembles of one split."""
    found = read(name, number)
    is_class, whole = found["task"] == "classification", found["whole"]
    oof, test = found["oof"][whole], found["predictions"][whole]
    targets = [
        None if is_class else found["y"][found[rows]] for rows in ("train_rows", "test_rows")
    ]

    def loss_with(y, rows=slice(None)) -> Callable:
        return nats if is_class else partial(squares, y[rows])

    def told(value: float) -> float:
        return float(value if is_class else np.log(2 * np.pi * np.e * value) / 2)

    inner, outer = (loss_with(y) for y in targets)
    milliseconds = 1e6 * found["predict_seconds"][whole] / len(found["test_rows"])
    unit, order = np.eye(len(oof)), np.argsort(inner(oof), kind="stable")

    def methods(predictions: np.ndarray, rows=slice(None)) -> dict[str, np.ndarray]:
        """Weights by each method that has weights, chosen on these rows."""
        loss = loss_with(targets[0], rows)
        ranked = np.argsort(loss(predictions), kind="stable")
        return {
            "best": unit[ranked[0]],
            "best 10": unit[ranked[:10]].mean(axis=0),
            "selection": ensemble_selection(predictions, loss, ROUNDS),
            "bagged": ensemble_selection(predictions, loss, ROUNDS, BAGS, SHARE, number),
        }

    weights = methods(oof) | {
        "best 3": unit[order[:3]].mean(axis=0),
        "best 25": unit[order[:25]].mean(axis=0),
        "all": unit.mean(axis=0),
        "once each": (once := without_replacement(oof, inner)) / once.sum(),
        "bagged, half": ensemble_selection(oof, inner, ROUNDS, BAGS, 0.5, number),
        "all weights": best_weights(oof, targets[0]),
    }
    losses = {
        key: [told(inner(one @ oof)), told(outer(one @ test)), int((one > 1e-3).sum())]
        for key, one in weights.items()
    }
    for key, one in weights.items():
        losses[key].append(float(milliseconds[one > 1e-3].sum()))
    losses["possible"] = [None, told(outer(test).min()), 1, None]
    if is_class:
        for key, places in (("stack", order), ("stack, best 10", order[:10])):
            both = stack(found, np.flatnonzero(whole)[places])
            losses[key] = [*map(float, both), len(places), float(milliseconds[places].sum())]

    honest = {key: np.zeros(oof.shape[1]) for key in ("best", "best 10", "selection", "bagged")}
    for chosen_on, judged in KFold(5, shuffle=True, random_state=0).split(oof.T):
        for key, one in methods(oof[:, chosen_on], chosen_on).items():
            honest[key][judged] = one @ oof[:, judged]

    few, rng = {}, np.random.default_rng(number)
    for rows in FEW:
        draws = [np.sort(rng.choice(oof.shape[1], rows, replace=False)) for _ in range(DRAWS)]
        tries = [(at, methods(oof[:, at], at)) for at in draws]
        few[rows] = {
            key: [
                np.mean([told(loss_with(targets[0], at)(w[key] @ oof[:, at])) for at, w in tries]),
                np.mean([told(outer(w[key] @ test)) for _, w in tries]),
            ]
            for key in honest
        }

    curves, first = {}, 6 if is_class else 5  # the defaults stand first
    shuffled = [*range(first), *(first + rng.permutation(len(whole) - first))]
    numbers = np.flatnonzero(whole)
    for size in POOLS:
        pool = np.flatnonzero(np.isin(numbers, shuffled[:size]))
        total_oof, total_test, curve = 0.0, 0.0, []
        for count in range(1, max(STEPS) + 1):
            one = pool[np.argmin(inner((total_oof + oof[pool]) / count))]
            total_oof, total_test = total_oof + oof[one], total_test + test[one]
            if count in STEPS:
                curve.append([told(inner(total_oof / count)), told(outer(total_test / count))])
        curves[size] = curve

    members = np.flatnonzero(weights["bagged"] > 1e-3)
    errors = (1 - test if is_class else test - targets[1])[members]
    correlation = np.corrcoef(errors)[np.triu_indices(len(members), 1)].mean()
    share = weights["bagged"][members] / weights["bagged"][members].sum()
    return _rounded(
        {
            "base": told(float(found["base"])),
            "rows": [oof.shape[1], test.shape[1]],
            "candidates": len(oof),
            "losses": losses,
            "honest": {key: told(inner(one)) for key, one in honest.items()},
            "few": few,
            "curves": curves,
            "correlation": float(correlation),
            "mean_member": told(float(share @ outer(test[members]))),
        }
    )


def _rounded(value):
    if isinstance(value, dict):
        return {str(key): _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(float(value), 5) if isinstance(value, float | np.floating) else value


def ship() -> None:
    """One split as a small file."""
    found = read(*SHOWN)
    names = [type(one["model"]).__name__ for one in candidates(found["task"])]
    arrays = {part: found[part].astype("float16") for part in ("oof", "predictions")}
    path = data.DATA_DIR / "ensembles.npz"
    keep(path, arrays | {"models": np.array(names)})
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    record = Record(
        "ensembles",
        "log loss in nats per example, out of fold and on the test part, of ensembles of the "
        "recorded pipelines, with members and CPU milliseconds per 1,000 predicted rows; honest: "
        "weights chosen on four fifths of the rows and judged on the rest",
        command=COMMAND,
        packages=("scikit-learn", "numpy", "pandas"),
        before=BEFORE,
        rounds=ROUNDS,
        bags=BAGS,
        share=SHARE,
        pools=POOLS,
        steps=STEPS,
    )
    plan = [{"name": name, "number": number} for number in SPLITS for name in data.TABLES]
    there = [one for one in plan if (CACHE / f"{one['name']}_{one['number']}.npz").exists()]
    record.complete(there, run)
    ship()
    if len(there) < len(plan):
        print(f"{len(plan) - len(there)} of {len(plan)} wait for record_pipelines.py")
