"""Checks of the exercises of notebook 51, whole pipelines."""

import warnings

from helpers.exercises import exercise, number
from helpers.search import Space, pipeline, pipeline_space
import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier


@exercise("51.1")
def fits_in_all(answer) -> str | None:
    given = float(np.asarray(answer).item())
    hints = {
        2000: "The winner of each search is fitted once more.",
        201: "That is one search; ten outer splits make ten.",
        200: "That is one search, without the fit of its winner; ten outer splits make ten.",
        2001: "The winner is fitted once more in each of the ten outer splits.",
        410: "Each candidate is fitted once per fold.",
        400: "Each candidate is fitted once per fold, and each winner once more.",
        2050: "The winner is fitted once more to all rows, not once more in each fold.",
        20100: "There are ten outer splits, not a hundred.",
    }
    if given == 2010:
        return None
    return hints.get(given, "One search: 40 candidates times five folds, and one fit more.")


@exercise("51.2")
def part_of_the_family(answer) -> str | None:
    first, with_p, with_x, last = 0.60 - 0.48, 0.52 - 0.45, 0.58 - 0.47, 0.51 - 0.44
    ideas = {
        first: "That is the gain when the family is set free first.",
        last: "That is the gain when the family is set free last.",
        (first + with_p + with_x + last) / 4: "The six orders: the family is first in two, last "
        "in two, second in one after each of the others: weights 1/3, 1/6, 1/6, 1/3.",
        (first + last) / 2: "The orders in which the family comes second count, too.",
        0.60 - 0.44: "That is the whole gain.",
        -(2 * first + with_p + with_x + 2 * last) / 6: "The sign: a gain is a loss that falls.",
    }
    right = (2 * first + with_p + with_x + 2 * last) / 6
    general = (
        "A third of 0.60 - 0.48, a sixth of 0.52 - 0.45 and of 0.58 - 0.47, a third of the last."
    )
    return number(answer, right, 3, general, ideas)


def _small() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=60), "place": rng.choice(["a", "b", "c"], 60)})
    X.loc[::9, "size"] = np.nan
    return X, np.where(rng.random(60) < 0.5, "yes", "no")


@exercise("51.3")
def a_seventh_family(answer) -> str | None:
    if isinstance(answer, dict):
        return "That is one family; the answer is the whole space, a list with the six others."
    given, known = Space(answer), Space(pipeline_space())
    if len(given.subspaces) < 7:
        return f"Your space has {len(given.subspaces)} families; it should have seven."
    theirs = {type(one).__name__ for part in known.subspaces for one in part["model"].values}
    if any("model" not in part for part in given.subspaces):
        return 'Each family needs its "model", a list of estimators, even of one.'
    kinds = [{type(one).__name__ for one in part["model"].values} for part in given.subspaces]
    if not theirs <= set().union(*kinds):
        return f"The six families should stay; missing: {sorted(theirs - set().union(*kinds))}."
    own = [n for n, kind in enumerate(kinds) if not kind & theirs]
    if not own:
        return "The seventh family should be of another model than the six."
    X, y = _small()
    for n in own:
        part = given.subspaces[n]
        names = [name for name in part if name.startswith("model__") and part[name].size > 1]
        if len(names) < 2:
            return "Give your family two or more parameters, named model__..., with several values."
        if not any(name.startswith("columns__") for name in part):
            return "Your family has no choices for the columns: put FEATURES or SCALED into it."
        for model in part["model"].values:
            if not is_classifier(model) or not hasattr(model, "predict_proba"):
                return f"{type(model).__name__} has no predict_proba: the log loss needs one."
        rng = np.random.RandomState(0)
        for _ in range(8):
            point = n, tuple(parameter.random(rng) for parameter in part.values())
            pipe = clone(pipeline(X, part["model"].values[0]))
            unknown = given.params(point).keys() - {"model"} - _params(pipe, given.params(point))
            if unknown:
                return f"The pipeline has no parameters {sorted(unknown)}: is each name right?"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = pipe.set_params(**clone(given.params(point), safe=False)).fit(X, y)
                if not np.isfinite(fitted.predict_proba(X)).all():
                    return "One of its candidates predicts probabilities that are not finite."
    return None


def _params(pipe, params) -> set:
    return set(clone(pipe).set_params(model=clone(params["model"])).get_params())
