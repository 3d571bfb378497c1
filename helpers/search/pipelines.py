"""One pipeline for a table with columns of several types, and the space of its variants."""

import numpy as np
from scipy.stats import loguniform, randint
from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network
from sklearn import preprocessing as pre
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

ONE_HOT = {"sparse_output": False, "handle_unknown": "infrequent_if_exist"}
ORDINAL = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2}


def pipeline(X, model) -> Pipeline:
    """Numbers imputed and scaled, categories encoded, then a model; nothing is fitted yet.

    Args:
        X: a pandas DataFrame with the columns and types of the data.
        model: the last step, a classifier or regressor.

    Raises:
        ValueError: `X` is no DataFrame, or has dates. What is returned raises it where a column is
            gone, or holds text in place of numbers.
    """
    kinds = {name: dtype.kind for name, dtype in getattr(X, "dtypes", {}).items()}
    if not kinds or not set(kinds.values()) <= set("biufO"):
        raise ValueError(f"X must be a DataFrame of numbers and categories, got {kinds or type(X)}")
    numbers = [name for name, kind in kinds.items() if kind != "O"]
    clean, text = (pre.FunctionTransformer(f, feature_names_out="one-to-one") for f in _CLEAN)
    impute, encode = SimpleImputer(keep_empty_features=True), pre.OneHotEncoder(**ONE_HOT)
    steps = [("clean", clean), ("impute", impute), ("scale", pre.StandardScaler())]
    parts = [("numbers", Pipeline(steps), numbers)]
    steps = [("clean", text), ("encode", encode)]
    parts += [("categories", Pipeline(steps), [name for name in kinds if name not in numbers])]
    return Pipeline([("columns", ColumnTransformer(parts)), ("model", model)])


def _numbers(X):
    for name, column in X.items():
        if column.dtype.kind == "O" and any(isinstance(value, str) for value in column):
            raise ValueError(f"column {name!r} must hold numbers, as when X was given, got text")
    return X.where(X.notna(), np.nan).astype(float)


def _text(X):  # of one type, since an encoder sorts its categories; 1.0 is the same as 1
    text = X.astype(object).map(lambda value: str(value).removesuffix(".0"), na_action="ignore")
    return text.where(X.notna(), np.nan).astype(object)


_CLEAN = _numbers, _text


def pipeline_space(task: str = "classification", seed: int = 0) -> list[dict]:
    """A space for `pipeline`: a dict per family of models, scikit-learn's defaults first in it.

    Args:
        task: "classification" (six families) or "regression" (five: no naive Bayes).
        seed: of the models.

    Example:
        >>> space = pipeline_space()
        >>> first = [{"model": family["model"][0]} for family in space]  # the defaults of each
        >>> GreedySearchCV(pipeline(X, first[0]["model"]), space, initial=first).fit(X, y)
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task must be 'classification' or 'regression', got {task!r}")
    is_class, fixed = task == "classification", {"random_state": seed}

    def own(module, *names, settings=fixed, **parameters) -> dict:
        names = [name + ("Classifier" if is_class else "Regressor") for name in names]
        models = [getattr(module, name)(**settings) for name in names]
        return {"model": models} | {f"model__{name}": values for name, values in parameters.items()}

    encoders = [pre.OneHotEncoder(**ONE_HOT), pre.OneHotEncoder(min_frequency=10, **ONE_HOT)]
    encoders += [
        pre.OrdinalEncoder(**ORDINAL),
        pre.TargetEncoder(cv=KFold(5, shuffle=True, **fixed)),
    ]
    normal = pre.QuantileTransformer(n_quantiles=50, output_distribution="normal", **fixed)
    columns = {"columns__categories__encode": encoders}
    columns |= {"columns__numbers__impute__strategy": ["mean", "median"]}
    columns |= {"columns__numbers__impute__add_indicator": [False, True]}
    scaled = columns | {"columns__numbers__scale": [pre.StandardScaler(), normal, "passthrough"]}
    ridge = {"model": [linear_model.Ridge()], "model__alpha": loguniform(1e-3, 1e3)}
    logistic = linear_model.LogisticRegression(solver="newton-cholesky")  # needs no scaled columns
    logistic = {"model": [logistic], "model__C": loguniform(1e-3, 1e2)}
    bayes = {"model": [naive_bayes.GaussianNB()], "model__var_smoothing": loguniform(1e-9, 10)}
    nearest = {"n_neighbors": randint(1, 101), "weights": ["uniform", "distance"], "p": [2, 1]}
    forest = {"min_samples_leaf": [1, 2, 4, 8, 16, 32], "max_features": ["sqrt", 0.2, 0.5, 1.0]}
    boosting = {"learning_rate": loguniform(1e-2, 0.5), "max_iter": [100, 50, 25]}
    boosting |= {"max_leaf_nodes": [31, 15, 7, 3], "min_samples_leaf": [20, 5, 10, 40]}
    mlp = {"hidden_layer_sizes": [(100,), (25,), (25, 25)], "alpha": loguniform(1e-5, 10)}
    mlp |= {"learning_rate_init": loguniform(1e-4, 1e-2), "max_iter": [200, 100, 50]}
    space = [
        scaled | (logistic if is_class else ridge),
        scaled | own(neighbors, "KNeighbors", settings={}, **nearest),
        columns | own(ensemble, "RandomForest", "ExtraTrees", **forest),
        columns | own(ensemble, "HistGradientBoosting", **boosting),
        scaled | own(neural_network, "MLP", **mlp),
    ]
    return space + [scaled | bayes] * is_class
