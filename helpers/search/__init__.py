"""Search over any scikit-learn estimator: spaces, strategies, search classes, fits kept on disk.

`strategies` is a module of generators that know nothing of estimators: `strategies.run` drives them
over a table or a formula. Nothing here imports Keras.
"""

from helpers.search import ensembles, strategies
from helpers.search.caching import CachedEstimator
from helpers.search.cv import (
    EvolutionSearchCV,
    GreedySearchCV,
    PrioritySearchCV,
    StrategySearchCV,
    incumbent,
)
from helpers.search.ensembles import KeepPredictions, ensemble_selection
from helpers.search.pipelines import pipeline, pipeline_space
from helpers.search.space import Space

__all__ = [
    "CachedEstimator",
    "EvolutionSearchCV",
    "GreedySearchCV",
    "KeepPredictions",
    "PrioritySearchCV",
    "Space",
    "StrategySearchCV",
    "ensemble_selection",
    "ensembles",
    "incumbent",
    "pipeline",
    "pipeline_space",
    "strategies",
]
