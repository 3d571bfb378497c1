"""Record full learning curves of many small networks, so that early stopping can be judged exactly.

    python data/recipes/record_halving.py

1,296 configurations drawn at random, each trained for 81 epochs on 600 of scikit-learn's digits:
the accuracy on 500 validation images after every epoch, and on 697 test images after 1, 3, 9, 27
and 81. Written to data/results/halving_curves.json one by one; a recording that was stopped goes
on.
"""

from functools import cache
import time

import numpy as np
from recording import Record
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import ParameterSampler, train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

CONFIGURATIONS, EPOCHS, RUNGS = 1296, 81, (1, 3, 9, 27, 81)
SPACE = {
    "learning_rate_init": loguniform(1e-4, 0.3),
    "width": np.unique(np.geomspace(4, 64, 9).round().astype(int)).tolist(),
    "alpha": loguniform(1e-6, 10),
    "batch_size": [32, 64, 128],
}


def split() -> list[np.ndarray]:
    """Training, validation and test images, then their labels: 600, 500 and 697 of each."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=697, random_state=0, stratify=y)
    X, X_val, y, y_val = train_test_split(X, y, test_size=500, random_state=0, stratify=y)
    return [X, X_val, X_test, y, y_val, y_test]


@cache
def configurations() -> list[dict]:
    return list(ParameterSampler(SPACE, CONFIGURATIONS, random_state=0))


def learning_curve(number: int) -> dict:
    """Train one network, an epoch at a time; its number among all is its seed."""
    params = configurations()[number]
    X, X_val, X_test, y, y_val, y_test = split()
    rest = {name: value for name, value in params.items() if name != "width"}
    model = MLPClassifier((params["width"],), random_state=number, **rest)
    validation, test = [], []
    start = time.process_time()
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(X, y, classes=np.arange(10))
        validation.append(round(float(model.score(X_val, y_val)), 4))
        if epoch in RUNGS:
            test.append(round(float(model.score(X_test, y_test)), 4))
    seconds = round((time.process_time() - start) / EPOCHS, 5)
    return {
        "params": {
            name: value if isinstance(value, int) else float(f"{value:.4g}")
            for name, value in params.items()
        },
        "validation": validation,
        "test": test,
        "cpu_seconds_per_epoch": seconds,
    }


if __name__ == "__main__":
    record = Record(
        "halving_curves",
        f"accuracy on 500 validation images of digits after each of {EPOCHS} epochs "
        "on 600 training images, one hidden layer, Adam; test: 697 images after the rungs",
        command="python data/recipes/record_halving.py",
        packages=["scikit-learn"],
        rungs=RUNGS,
    )
    plan = [{"number": number} for number in range(CONFIGURATIONS)]
    with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
        record.complete(plan, learning_curve)
