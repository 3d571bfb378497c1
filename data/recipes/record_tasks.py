"""How data/tasks.npz and data/results/tasks.json were made: the same pipelines on many small tasks.

    OMP_NUM_THREADS=1 python data/recipes/record_tasks.py

A task is a table of the course, or a data set of scikit-learn, its `parent`, with another target,
fewer columns or a group of its rows: what chapter 53 calls experience. Tasks of one parent are
alike, so whoever judges experience leaves out all of a parent. At most 600 rows, drawn with seed 0;
60 per cent train, the rest test. Candidates and scores are those of record_pipelines.py.
"""

from collections.abc import Iterator

from helpers import data
import numpy as np
import pandas as pd
from record_pipelines import CACHE, FOLDS, candidates, describe, evaluate, join, keep, summary
from recording import Record
from sklearn import datasets
from sklearn.model_selection import train_test_split

COMMAND = "OMP_NUM_THREADS=1 python data/recipes/record_tasks.py"
FOLDER = CACHE.with_name("tasks")
ROWS, SHARE, LIMIT = 600, 0.6, 20  # at most; of the training part; CPU seconds

Task = tuple[str, str, pd.DataFrame, pd.Series]  # name, parent, X, y


def yes(is_true: pd.Series) -> pd.Series:
    return is_true.map({True: "yes", False: "no"})


def _strikes() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    table = data.load("strikes")
    X, y = table.X, table.y
    yield "damage", X, y
    yield "damage_without_animal", X.drop(columns=["size", "species"]), y
    large = X["size"] != "Small"
    yield "damage_by_large", X[large], y[large]
    common = X["phase"].isin(["Approach", "Climb", "Take-off run", "Landing Roll"])
    yield "phase", X[common].drop(columns="phase"), X.loc[common, "phase"]
    bright = X["daylight"].isin(["Day", "Night"])
    yield "night", X[bright].drop(columns="daylight"), X.loc[bright, "daylight"]
    yield "size", X.drop(columns=["size", "species"]), X["size"]
    yield "speed_is_known", X.drop(columns="speed"), yes(X["speed"].notna())


def _penguins() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    table = data.load("penguins")
    X, all_columns = table.X, table.X.assign(sex=table.y)
    yield "sex", X, table.y
    yield "sex_of_adelie", X[X["species"] == "Adelie"], table.y[X["species"] == "Adelie"]
    yield "species", all_columns.drop(columns=["species", "island"]), X["species"]
    yield "island", all_columns.drop(columns=["species", "island"]), X["island"]
    yield "season", all_columns.drop(columns="season"), X["season"]


def _election() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    table = data.load("election")
    X, all_columns = table.X, table.X.assign(vote=table.y)
    side = X["party"].str.split().str[-1]
    yield "vote", X, table.y
    yield "vote_without_party", X.drop(columns="party"), table.y
    yield "party", all_columns.drop(columns=["party", "vote"]), side
    yield "college", all_columns.drop(columns="education"), yes(X["education"].isin(SCHOOLED))
    yield "daily_news", all_columns.drop(columns="tv_news"), yes(X["tv_news"] == 7)
    view = pd.cut(X["own_view"], [0, 3, 4, 7], labels=["left", "middle", "right"]).astype("str")
    yield "own_view", all_columns.drop(columns="own_view"), view


SCHOOLED = ["college degree", "master's degree", "PhD"]


def _health() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    table = data.load("health")
    X = table.X
    yield "visit", X, table.y
    yield "visit_of_child", X[X["is_child"]], table.y[X["is_child"]]
    yield "visit_without_plan", X.drop(columns=X.columns[1:6]), table.y
    rating = X["rating"].replace("poor", "fair")  # 1 per cent
    yield "rating", X.drop(columns=["rating", "health_index"]), rating
    yield "physical", X.drop(columns="took_physical"), yes(X["took_physical"])
    adult = ~X["is_child"]
    yield "female", X[adult].drop(columns="is_female"), yes(X.loc[adult, "is_female"])


def _weather() -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    table = data.load("weather")
    X, y = table.X, table.y
    yield "next_weather", X, y
    for city in ("Seattle", "New York"):
        here = X["city"] == city
        name = "next_rain_" + city.split()[0].lower()
        yield name, X[here].drop(columns="city"), yes(y[here].isin(["rain", "drizzle"]))
    yield "warmer", X, yes(data.load("temperature").y > X["temp_max"])
    yield "city", X.drop(columns="city"), X["city"]
    summer = X["day_of_year"].between(152, 243)
    yield "summer_rain", X[summer], yes(y[summer].isin(["rain", "drizzle"]))


def _scikit() -> Iterator[Task]:
    for name in ("iris", "wine", "breast_cancer", "digits", "diabetes"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
        if name == "diabetes":
            yield f"{name}_thirds", name, X, pd.qcut(y, 3, labels=["low", "mid", "high"])
            yield f"{name}_upper_tenth", name, X, yes(y > y.quantile(0.9))
            continue
        yield f"{name}_all", name, X, "class " + y.astype(str)
        if name == "iris":
            sepal = [column for column in X if column.startswith("sepal")]
            yield f"{name}_sepal", name, X[sepal], "class " + y.astype(str)
        elif name == "breast_cancer":
            yield f"{name}_means", name, X.iloc[:, :10], "class " + y.astype(str)
        elif name == "wine":
            yield f"{name}_last", name, X, yes(y == 2)
        elif name == "digits":
            yield f"{name}_even", name, X, yes(y % 2 == 0)
            pair = y.isin([3, 8])
            yield f"{name}_3_or_8", name, X[pair], "class " + y[pair].astype(str)


def tasks() -> dict[str, Task]:
    """All tasks by name, whole: rows are drawn later."""
    found = [
        (f"{parent}_{name}", parent, X, y)
        for parent, make in (
            ("strikes", _strikes),
            ("penguins", _penguins),
            ("election", _election),
            ("health", _health),
            ("weather", _weather),
        )
        for name, X, y in make()
    ]
    return {task[0]: task for task in [*found, *_scikit()]}


def in_turn(found: dict[str, Task]) -> list[str]:
    """Names, one task of each parent first, so that a part of the record is of use."""
    parents = [parent for _, parent, *_ in found.values()]
    turn = {name: parents[:i].count(parents[i]) for i, name in enumerate(found)}
    return sorted(found, key=turn.get)


def parts(y: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Positions of training and test rows: ROWS at most, drawn with seed 0, classes in balance."""
    rows = np.arange(len(y))
    if len(rows) > ROWS:
        rows, _ = train_test_split(rows, train_size=ROWS, random_state=0, stratify=y)
    return train_test_split(rows, train_size=SHARE, random_state=0, stratify=y.iloc[rows])


def features(X: pd.DataFrame, y: pd.Series) -> dict[str, float]:
    """What can be said of a training part before any model is fitted."""
    share = y.value_counts(normalize=True)
    share = share[share > 0]
    text = [name for name, kind in X.dtypes.items() if kind.kind == "O"]
    return {
        "rows": len(X),
        "columns": X.shape[1],
        "categories": len(text) / X.shape[1],  # share of the columns
        "levels": max((X[name].nunique() for name in text), default=0),  # of the widest one
        "missing": float(X.isna().to_numpy().mean()),
        "classes": len(share),
        "entropy": float(-(share * np.log(share)).sum()),
        "rarest": float(share.min()),
    }


def run(name: str) -> dict:
    _, parent, X, y = tasks()[name]
    train, test = parts(y)
    labels = y.to_numpy().astype(str)
    found = evaluate(X, labels, train, test, candidates("classification"), limit=LIMIT)
    keep(FOLDER / f"{name}.npz", found | {"train_rows": train, "test_rows": test})
    return {
        "parent": parent,
        "features": features(X.iloc[train], y.iloc[train]),
        **summary(found, train, test),
    }


def main() -> None:
    record = Record(
        "tasks",
        "102 pipelines on small tasks of classification: what each task is, how many failed, CPU "
        "seconds. The scores are in data/tasks.npz. `base` is the loss on the test part of the "
        "training part's frequencies",
        command=COMMAND,
        packages=("scikit-learn", "numpy", "pandas"),
        folds=FOLDS,
        rows_at_most=ROWS,
        train_share=SHARE,
        limit_cpu_seconds=LIMIT,
    )
    everything = tasks()
    record.complete([{"name": name} for name in in_turn(everything)], run, jobs=2)
    rows = {one["name"]: one for one in record.runs}
    about = {
        "tasks": [
            {key: rows[name][key] for key in ("name", "parent", "features")} for name in everything
        ],
        "candidates": [describe(params) for params in candidates("classification")],
    }
    files = [FOLDER / f"{name}.npz" for name in everything]
    join(record, ["tasks"], lambda _: files, about)


if __name__ == "__main__":
    import record_tasks  # under this name the processes can import what they run

    record_tasks.main()
