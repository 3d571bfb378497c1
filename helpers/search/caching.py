"""Fits that are paid for once: any scikit-learn estimator, with its fitted models kept on disk.

This module imports no deep-learning library, so that a worker which only fits forests starts
quickly.
"""

import hashlib
import inspect
import os
from pathlib import Path
import pickle
import platform
import sys
import tempfile
from types import CodeType, FunctionType, ModuleType
import warnings

import cloudpickle
import joblib
import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _wrapped_has(name: str):
    """For `available_if`: whether the wrapped estimator has a method of this name."""
    return lambda self: hasattr(vars(self).get("estimator_", self.estimator), name)


class CachedEstimator(MetaEstimatorMixin, BaseEstimator):
    """Any estimator, with every `fit` kept in a folder: the same fit is never paid for twice.

    Put it around the estimator of a search, of any class, and a search that was interrupted goes on
    where it was when it is run again: the finished fits are loaded, the rest is computed. A model
    is on disk, whole, at the moment its fit has ended, so that a SIGKILL at any time costs at most
    the fits that were under way. Several processes, and several machines, may share a folder; two
    that start the same fit at the same moment both pay for it.

    A kept fit is found again by all that decides its result: the classes and all parameters of the
    estimator and of what it contains; X, y and the fit parameters, as values; the versions of
    Python, NumPy, SciPy, and of the packages that define the classes; and, for classes and
    functions of a package without a version (yours, in a notebook or a script), the code of their
    methods, though not of what these call. A difference in any of them is another fit, and so is
    one in a parameter that should not matter, such as `n_jobs`. To forget everything, delete the
    folder; `joblib.Memory(cache_dir).reduce_size(...)` trims it, since models can be large.

    **random_state=None.** Without the cache, every such fit draws anew. With it, the first fit is
    kept, and every later one **is that same model**: right for going on with a search, wrong for
    measuring how much a result varies from fit to fit, which would seem to be not at all. `fit`
    warns wherever it sees a `random_state` of None: give a number (any will do if nothing is
    drawn), and a different number for every repetition.

    Parameters of the wrapped estimator are named as in a pipeline, `estimator__max_depth`, in
    `set_params` and in a search space. All methods and fitted attributes of the wrapped estimator
    that scikit-learn's searches and pipelines use are passed on; `estimator_` has the rest.

    A search's fit times (`mean_fit_time`) are, for fits found in the folder, those of loading.
    Failed fits are not kept; neither are warnings, which a loaded fit does not repeat.

    Args:
        estimator: what to fit, any scikit-learn estimator that can be pickled.
        cache_dir: the folder, made if it is not there. Workers on other machines need a folder that
            they share, under the same absolute path.

    Attributes:
        estimator_: the fitted estimator.
        from_cache_: whether `fit` found it in the folder.

    Raises:
        OSError: by `fit`, before anything is fitted: the folder cannot be made or written.
        ValueError: by `fit`: `cache_dir` is not a path, or estimator or data cannot be pickled.

    Warns:
        UserWarning: by `fit`: a `random_state` is None; or an entry of the folder was damaged, and
            the fit has been done again.

    Source: `joblib.Memory`, whose store keeps the entries.

    Example:
        >>> forest = CachedEstimator(RandomForestClassifier(random_state=0), "cache/forest")
        >>> GridSearchCV(forest, {"estimator__max_depth": [2, 4, 8]}).fit(X, y)
    """

    def __init__(self, estimator, cache_dir) -> None:
        self.estimator = estimator
        self.cache_dir = cache_dir

    def fit(self, X, y=None, **fit_params) -> "CachedEstimator":
        """Load the fit of these parameters and data, or do it and keep it."""
        store = _open_store(self.cache_dir)
        estimator = clone(self.estimator)
        _warn_if_unseeded(estimator)
        entry = ("helpers.caching", _key(estimator, X, y, fit_params))
        model = _load(store, entry)
        self.from_cache_ = model is not None
        if model is None:
            model = estimator.fit(X, y, **fit_params)
            _save(store, entry, model)
        self.estimator_ = model
        return self

    @available_if(_wrapped_has("predict"))
    def predict(self, X, **params):
        """`predict` of the fitted estimator."""
        return self._fitted().predict(X, **params)

    @available_if(_wrapped_has("predict_proba"))
    def predict_proba(self, X, **params):
        """`predict_proba` of the fitted estimator."""
        return self._fitted().predict_proba(X, **params)

    @available_if(_wrapped_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """`predict_log_proba` of the fitted estimator."""
        return self._fitted().predict_log_proba(X, **params)

    @available_if(_wrapped_has("decision_function"))
    def decision_function(self, X, **params):
        """`decision_function` of the fitted estimator."""
        return self._fitted().decision_function(X, **params)

    @available_if(_wrapped_has("score_samples"))
    def score_samples(self, X, **params):
        """`score_samples` of the fitted estimator."""
        return self._fitted().score_samples(X, **params)

    @available_if(_wrapped_has("transform"))
    def transform(self, X, **params):
        """`transform` of the fitted estimator."""
        return self._fitted().transform(X, **params)

    @available_if(_wrapped_has("transform"))
    def fit_transform(self, X, y=None, **fit_params):
        """`fit`, then `transform` of the same X."""
        return self.fit(X, y, **fit_params).transform(X)

    @available_if(_wrapped_has("inverse_transform"))
    def inverse_transform(self, X, **params):
        """`inverse_transform` of the fitted estimator."""
        return self._fitted().inverse_transform(X, **params)

    @available_if(_wrapped_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """`get_feature_names_out` of the fitted estimator."""
        return self._fitted().get_feature_names_out(input_features)

    @available_if(_wrapped_has("score"))
    def score(self, X, y=None, **params):
        """`score` of the fitted estimator: what a search uses when it has no `scoring`."""
        return self._fitted().score(X, y, **params)

    def __getattr__(self, name: str):
        # Fitted attributes: classes_, n_features_in_, feature_importances_ and so on.
        if name.endswith("_") and not name.startswith("_") and "estimator_" in vars(self):
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_is_fitted__(self) -> bool:
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        return get_tags(self.estimator)  # a classifier if the wrapped one is, and so on

    def get_metadata_routing(self):
        """What the wrapped estimator asks for: fit parameters pass through unchanged."""
        return get_routing_for_object(self.estimator)

    def _fitted(self):
        check_is_fitted(self)
        return self.estimator_


def _open_store(cache_dir):
    """The store of a `joblib.Memory` in the folder, once it is known that it can be written.

    The store, and not `Memory.cache`: that forgets all entries when the source of the function
    changes, and misses one per process where it has not yet noted that source.
    """
    if not isinstance(cache_dir, str | os.PathLike) or not str(cache_dir):
        raise ValueError(f"cache_dir must be the path of a folder, got {cache_dir!r}")
    folder = Path(cache_dir).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            error.errno,
            f"cache_dir must be a folder that can be written ({error.strerror}), got",
            str(cache_dir),
        ) from error
    return joblib.Memory(str(folder), verbose=0).store_backend


def _warn_if_unseeded(estimator) -> None:
    unseeded = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    if unseeded:
        names = ", ".join(f"estimator__{name}" for name in sorted(unseeded))
        warnings.warn(
            f"random_state is None ({names}): the first fit is kept, and every later fit of the "
            "same parameters and data will be that same model. Set it to a number, another one "
            "for every repetition.",
            stacklevel=3,
        )


def _key(estimator, X, y, fit_params: dict) -> str:
    """A name for a fit: 32 hexadecimal digits of all that decides its result."""
    values = [estimator, *estimator.get_params().values()]
    items = {base for value in values for base in type(value).__mro__} - {object}
    items |= {value for value in values if isinstance(value, type | FunctionType)}
    classes = sorted(map(_name, items))
    code = sorted(map(_code, filter(_is_unversioned, items)))
    try:
        return joblib.hash(_plain([classes, code, _versions(items), estimator, X, y, fit_params]))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            "estimator, X, y and fit parameters must be picklable, so that the same fit can be "
            f"found again, got {type(error).__name__}: {error.args[0]}"
        ) from None  # joblib's own message repeats all of the data


def _plain(value):
    """A value in a form that is the same in every process, however it got there."""
    if type(value) in (np.ndarray, np.memmap):
        return np.ascontiguousarray(value)  # a worker may get a copy, or a map of a file
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(_plain, value)]
    if isinstance(value, dict):
        # in a list: joblib passes over some dictionaries that cannot be pickled
        entries = sorted(value.items(), key=lambda entry: repr(entry[0]))
        return ["dict", *([name, _plain(entry)] for name, entry in entries)]
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return [_name(value), _code(value), _plain(cells)]
    if isinstance(value, BaseEstimator):  # by name: a worker cannot import a notebook's class
        return [_name(type(value)), _plain(vars(value))]
    return value


def _name(item) -> str:
    return f"{item.__module__}.{item.__qualname__}"


def _package_version(name: str) -> str | None:
    version = getattr(sys.modules.get(name), "__version__", None)
    if name == "keras" and version is not None:
        version += f" on {sys.modules[name].backend.backend()}"
    return version if isinstance(version, str) else None


def _package(item) -> str:
    return item.__module__.partition(".")[0]


def _is_unversioned(item) -> bool:
    return _package(item) not in sys.stdlib_module_names - {"__main__"} and not _package_version(
        _package(item)
    )


def _versions(items: set) -> dict[str, str]:
    """Versions behind some classes: their packages', or else those of what their modules import."""
    packages = {"numpy", "scipy", "sklearn"} | {_package(item) for item in items}
    for item in filter(_is_unversioned, items):
        if item.__module__ != "__main__":  # which holds whatever a session has imported
            scope = vars(sys.modules.get(item.__module__, object)).items()
            modules = [  # only what its author named: pytest adds names such as "@py_builtins"
                value.__name__
                for name, value in scope
                if isinstance(value, ModuleType) and name.isidentifier()
            ]
            packages |= {module.partition(".")[0] for module in modules}
    versions = {name: _package_version(name) for name in packages}
    return {"python": platform.python_version()} | {k: v for k, v in versions.items() if v}


_PLAIN = (str, bytes, int, float, complex, type(None))


def _code(item) -> str:
    """What a function does, or the methods and plain constants of a class itself, as text."""
    if isinstance(item, CodeType):  # not its line numbers, nor the name of its file
        constants = list(map(_code, item.co_consts))
        return repr((item.co_code.hex(), item.co_names, item.co_varnames, constants))
    if isinstance(item, type):
        hidden = {"__doc__", "__module__", "__qualname__", "__firstlineno__"}
        texts = {name: _code(value) for name, value in vars(item).items() if name not in hidden}
        return repr(sorted((name, text) for name, text in texts.items() if text))
    if isinstance(item, frozenset):  # its order differs from process to process
        return repr(sorted(map(_code, item)))
    if isinstance(item, tuple):
        return repr(list(map(_code, item)))
    if isinstance(item, _PLAIN):
        return repr(item)
    function = inspect.unwrap(getattr(item, "__func__", getattr(item, "fget", item)))
    if isinstance(function, FunctionType):
        return _code((function.__code__, function.__defaults__))
    return ""


def _save(store, entry: tuple[str, str], model) -> None:
    """Keep a model and the sum of its bytes, written under another name first, then renamed."""
    # cloudpickle, since a worker cannot import the classes of a notebook
    content = cloudpickle.dumps(model)
    store.dump_item(entry, (hashlib.sha256(content).hexdigest(), content), verbose=0)


def _load(store, entry: tuple[str, str]):
    """The model of an entry; None if there is none, or, with a warning, if it is damaged."""
    if not store.contains_item(entry):
        return None
    try:
        digest, content = store.load_item(entry, verbose=0)
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("its sum is wrong")
        return pickle.loads(content)
    except Exception as error:  # a damaged pickle can raise anything
        warnings.warn(
            f"the entry {entry[1]} of the cache is damaged and will be computed again "
            f"({type(error).__name__}: {error})",
            stacklevel=3,
        )
        return None
