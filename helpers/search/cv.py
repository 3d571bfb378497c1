"""Strategies as search classes, for any estimator and joblib backend, which fill `cv_results_`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import inspect
import itertools
import math
from numbers import Integral, Real
import time
import traceback
import warnings

from helpers.search.space import Choice, Point, Range, Space
from helpers.search.strategies import Strategy, evolution, greedy, next_batch, priority
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV, GridSearchCV
from sklearn.model_selection._split import _yields_constant_splits
from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval


def _settings(
    param_space, *, max_evals=50, max_seconds=None, batch_size=1, initial=None, random_state=None
):
    """What all search classes take where GridSearchCV has `param_grid`; only a signature."""


class StrategySearchCV(BaseSearchCV):
    """Drives a strategy with cross-validation: a search class is this, and its strategy.

    A subclass names a generator function as `strategy`, of a space, a random state, a batch size,
    initial points, and settings of its own (see `helpers.search.strategies`). The settings become
    arguments of the class, with the same defaults, beside those that `GreedySearchCV` describes.

    Example:
        >>> class AnnealingSearchCV(StrategySearchCV):
        ...     strategy = staticmethod(annealing)  # (space, rng, batch_size, initial, t=1.0)
        >>> AnnealingSearchCV(forest, space, t=0.1)
    """

    strategy: Callable[..., Strategy]
    _parameter_constraints = BaseSearchCV._parameter_constraints | {
        "param_space": [dict, list, tuple],
        "max_evals": [Interval(Integral, 1, None, closed="left"), None],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "initial": [list, tuple, None],
        "random_state": ["random_state"],
    }

    def __init_subclass__(cls, **kwargs) -> None:
        """Write `__init__`, whose signature scikit-learn reads, from the strategy's own."""
        super().__init_subclass__(**kwargs)
        ours, grids, own = (
            [*inspect.signature(function).parameters.values()]
            for function in (_settings, GridSearchCV.__init__, cls.strategy)
        )
        own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own[4:]]
        signature = inspect.Signature([*grids[:2], *ours, *grids[3:], *own])

        def __init__(self, *args, **kwargs) -> None:
            given = signature.bind(self, *args, **kwargs)
            given.apply_defaults()
            for name, value in list(given.arguments.items())[1:]:
                setattr(self, name, value)

        __init__.__signature__ = signature
        cls.__init__, cls._own = __init__, [one.name for one in own]

    def fit(self, X, y=None, **params):
        """Search, then fit the best candidate to all data if `refit` is set; as in GridSearchCV."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # an interrupted search must not be taken for the one before
        return super().fit(X, y, **params)

    def __getstate__(self) -> dict:
        """What goes to another process, or to disk: not the evaluations under way."""
        return {name: value for name, value in super().__getstate__().items() if name != "_trials"}

    def _check_input_parameters(self, X, y, split_params) -> None:
        if not _yields_constant_splits(self._checked_cv_orig):
            raise ValueError(
                "cv must give the same folds whenever it is asked, so that scores can be compared: "
                f"give it a whole number as random_state, got {self.cv!r}"
            )

    def _run_search(self, evaluate_candidates, *, callback_ctx=None) -> None:
        space = self._checked_space()
        own = {name: getattr(self, name) for name in self._own}
        rng, initial = check_random_state(self.random_state), self._initial_points(space)
        strategy = self.strategy(space, rng, self.batch_size, initial, **own)
        self._trials = _Trials(self, space, evaluate_candidates, callback_ctx)
        try:
            self._trials.drive(strategy)
        finally:
            del self._trials

    def _checked_space(self) -> Space:
        """The space, whose every subspace names parameters that the estimator has there."""
        space = Space(self.param_space)
        for subspace in space.subspaces:
            parts = {n: one.values for n, one in subspace.items() if _holds_estimators(one)}
            for chosen in itertools.product(*parts.values()):
                known = self._params_with(dict(zip(parts, chosen, strict=True)))
                if unknown := sorted(subspace.keys() - known.keys()):
                    raise ValueError(
                        f"param_space must name parameters of {type(self.estimator).__name__}, "
                        f"got {unknown}; it has {sorted(known)}"
                    )
        if self.max_evals is None and self.max_seconds is None and math.isinf(space.size):
            raise ValueError(
                "max_evals or max_seconds must be set for a space with distributions, got None"
            )
        return space

    def _params_with(self, parts: Mapping) -> dict:
        """The estimator's parameters once some estimators in it are set, theirs included."""
        return clone(self.estimator).set_params(**clone(parts, safe=False)).get_params()

    def _initial_points(self, space: Space) -> list[Point]:
        """The candidates of `initial`; what one does not name is as the estimator has it."""
        points = []
        for params in self.initial or ():
            tried = []
            for subspace in space.subspaces if isinstance(params, Mapping) else ():
                if params.keys() <= subspace.keys():
                    parts = {n: v for n, v in params.items() if _holds_estimators(subspace[n])}
                    known = self._params_with(parts) | params
                    tried.append({name: known.get(name) for name in subspace})
            found = [point for point in map(space.find, tried) if point is not None]
            if not found:
                raise ValueError(
                    "initial must hold candidates of param_space, dicts of some of its parameters, "
                    f"the others being as the estimator has them; got {params!r}, which makes "
                    f"{tried}"
                )
            points.append(found[0])
        return points

    def _format_results(self, candidate_params, n_splits, out, more_results=None) -> dict:
        """Put back what scikit-learn leaves out: the candidates of batches in which all failed."""
        self._trials.last_call = (candidate_params, n_splits, out, more_results)
        candidates, rows = list(candidate_params), list(out)
        like = next(row for row in out if row["fit_error"] is None)  # has the metrics' names
        failure, scores = self.error_score, like["test_scores"]
        failure = dict.fromkeys(scores, failure) if isinstance(scores, dict) else failure
        for position, params, seconds in self._trials.lost:
            candidates.insert(position, params)
            row = {"fit_error": "lost", "fit_time": seconds / n_splits, "score_time": 0.0}
            row |= dict.fromkeys(like.keys() & {"test_scores", "train_scores"}, failure)
            rows[position * n_splits : position * n_splits] = [like | row] * n_splits
        failed = np.array([row["fit_error"] is not None for row in rows])
        self._trials.failed = failed.reshape(-1, n_splits).any(axis=1)
        with warnings.catch_warnings():  # said once, at the end
            warnings.filterwarnings("ignore", "One or more of the (test|train) scores")
            return super()._format_results(candidates, n_splits, rows, more_results)


def _holds_estimators(parameter: Choice | Range) -> bool:
    return any(hasattr(value, "get_params") for value in parameter.values)


class _Trials:
    """The evaluations of one search: passes batches on to scikit-learn, and remembers failures."""

    def __init__(self, search: StrategySearchCV, space: Space, evaluate_candidates, context):
        self.search, self.space, self.evaluate_candidates = search, space, evaluate_candidates
        self.limit, self.count = min(space.size, search.max_evals or math.inf), 0
        self.lost: list[tuple[int, dict, float]] = []  # position, parameters, seconds
        self.results, self.error = {}, None
        subtasks = int(self.limit) * search.n_splits_ if math.isfinite(self.limit) else None
        self.context = context.subcontext(
            task_name="search", max_subtasks=subtasks, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=search)

    def drive(self, strategy: Strategy) -> None:
        """Evaluate what the strategy asks for, until it ends or one of the budgets is used up."""
        deadline, scores = time.perf_counter() + (self.search.max_seconds or math.inf), None
        while batch := next_batch(strategy, scores):
            batch = batch[: int(min(len(batch), self.limit - self.count))]
            scores = self.evaluate([self.space.params(point) for point in batch])
            if self.count >= self.limit or time.perf_counter() >= deadline:
                break
        if not self.results:
            raise ValueError(
                f"param_space must hold a candidate that can be fitted; all {self.count} that were "
                f"tried failed. {self.error}"
            )
        self.results.update(self.search._format_results(*self.last_call))  # what was lost last, too
        for name in [key for key in self.results if key.startswith(("mean_test_", "mean_train_"))]:
            kind, means = name.split("_")[1], self.results[name]
            if not np.isfinite(means[~self.failed]).all():  # but of a fit that failed
                text = f"One or more of the {kind} scores are non-finite: {means}"
                warnings.warn(text, stacklevel=2)
        self.context.call_on_fit_task_end(estimator=self.search)

    def evaluate(self, candidates: list[dict]) -> np.ndarray:
        """Mean scores of the candidates, NaN for those without one: shape (len(candidates),)."""
        start, first = time.perf_counter(), self.count
        self.first_task = first * self.search.n_splits_
        self.count += len(candidates)
        try:
            self.results = self.evaluate_candidates(candidates, callback_ctx=self)
        except BaseException as error:
            if not _all_fits_failed(error):
                if self.results:  # stopped by hand, say: keep what was computed
                    self.search.cv_results_ = self.results
                raise
            self.error = error
            seconds = (time.perf_counter() - start) / len(candidates)
            self.lost += [(first + i, params, seconds) for i, params in enumerate(candidates)]
            text = f"every fit failed of {candidates}; the search goes on without"
            warnings.warn(text, FitFailedWarning, stacklevel=2)
            return np.full(len(candidates), self.search.error_score, dtype="float64")
        first_metric = next(key for key in self.results if key.startswith("mean_test_"))
        guide = self.results.get(f"mean_test_{self.search.refit}", self.results[first_metric])
        return np.asarray(guide, dtype="float64")[first:]

    def subcontext(self, *, task_name: str, task_id: int):
        """The callbacks' context of a fit, counted on from earlier batches: one progress bar."""
        return self.context.subcontext(task_name=task_name, task_id=self.first_task + task_id)


def _all_fits_failed(error: BaseException) -> bool:
    """Whether scikit-learn raised the error, two calls below ours, since a batch's fits all failed.

    Its text does not tell: it can stand in the error of a search within the search.
    """
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return len(frames) == 3 and frames[-1] is _warn_or_raise_about_fit_failures.__code__


class GreedySearchCV(StrategySearchCV):
    """Local search over a space, by cross-validation; see `greedy` for the strategy.

    Args:
        estimator: any scikit-learn estimator.
        param_space: name -> list of values, or frozen scipy.stats distribution; or a list of such
            dicts, for parameters that exist only under a condition (see `helpers.search.Space`).
        max_evals: candidates to evaluate at most, 1 or more; None for all of a finite space.
        max_seconds: no evaluation begins after this time, above 0; None for no limit.
        batch_size: candidates evaluated at once. More keep more workers busy (a batch is
            `batch_size * n_splits` fits), and the search learns from its results less often.
        initial: candidates to evaluate before all others, each once: a list of dicts of some of the
            parameters, the others as the estimator has them; `[{}]` is the estimator as given.
        random_state: a whole number gives the same candidates every time, whatever `n_jobs`.
        scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score, return_train_score: as in
            GridSearchCV. Of several metrics, that of `refit` guides the search, else the first.

    Attributes:
        cv_results_, best_params_, best_score_, best_estimator_ and so on: as in GridSearchCV;
        candidates stand in the order of evaluation, each once. A fold that fails is scored
        `error_score`, and its candidate ranks as in GridSearchCV: last, if that is NaN. After an
        interruption, `cv_results_` holds what was evaluated.

    Raises:
        ValueError: by `fit`, for a space that is empty, malformed, or names unknown parameters; a
            budget of zero; folds that differ from call to call; a space of which everything fails.

    Example:
        >>> search = GreedySearchCV(forest, {"max_depth": [None, 10, 20]}, random_state=0).fit(X, y)
        >>> search.best_params_, incumbent(search.cv_results_).score[-1]
    """

    strategy = staticmethod(greedy)


class EvolutionSearchCV(StrategySearchCV):
    """Regularised evolution over a space, by cross-validation; see `evolution` for the strategy.

    Args:
        estimator and the rest, also attributes and errors: as in `GreedySearchCV`.
        population_size: candidates alive, 2 or more; the first of them are random.
        tournament_size: of them that compete to become a parent, 1 or more.
    """

    strategy = staticmethod(evolution)
    _parameter_constraints = StrategySearchCV._parameter_constraints | {
        "population_size": [Interval(Integral, 2, None, closed="left")],
        "tournament_size": [Interval(Integral, 1, None, closed="left")],
    }


class PrioritySearchCV(StrategySearchCV):
    """Bayesian optimisation over a pool, by cross-validation; see `priority` for the strategy.

    Args:
        estimator and the rest, also attributes and errors: as in `GreedySearchCV`.
        n_initial: candidates before the surrogate is asked, 1 or more.
        pool_size: candidates in the pool, 2 or more; a smaller space is in it as a whole.
        start: "farthest": the first candidates lie far from each other; or "random".
    """

    strategy = staticmethod(priority)
    _parameter_constraints = StrategySearchCV._parameter_constraints | {
        "n_initial": [Interval(Integral, 1, None, closed="left")],
        "pool_size": [Interval(Integral, 2, None, closed="left")],
    }


@dataclass(frozen=True)
class Incumbent:
    """The best so far, after each evaluation of a search; arrays of shape (n_candidates,).

    Attributes:
        seconds: of fitting and scoring so far, summed over candidates, folds and workers.
        score: best mean test score so far; NaN as long as everything failed.
        index: row of `cv_results_` that holds it, the first of equals; -1 for none.
    """

    seconds: np.ndarray
    score: np.ndarray
    index: np.ndarray


def incumbent(cv_results: dict, metric: str = "score") -> Incumbent:
    """Best score so far against evaluations and against seconds, of any scikit-learn search.

    Args:
        cv_results: the `cv_results_` of a search.
        metric: one of its metrics; "score" when there is one only.

    Raises:
        ValueError: the results do not hold that metric.
    """
    metrics = sorted(k.removeprefix("mean_test_") for k in cv_results if k.startswith("mean_test_"))
    if metric not in metrics:
        raise ValueError(f"metric must be one of {metrics}, got {metric!r}")
    scores = np.asarray(cv_results[f"mean_test_{metric}"], dtype="float64")
    folds = sum(key.startswith("split") and key.endswith(f"_test_{metric}") for key in cv_results)
    seconds = folds * np.add(cv_results["mean_fit_time"], cv_results["mean_score_time"])
    best = np.maximum.accumulate(np.where(np.isnan(scores), -np.inf, scores))
    nothing = np.isneginf(best)
    return Incumbent(
        seconds=np.cumsum(seconds),
        score=np.where(nothing, np.nan, best),
        index=np.where(nothing, -1, np.searchsorted(best, best)),
    )
