"""Fits that are paid for once: any scikit-learn estimator, with its fitted models kept on disk."""

import functools
import hashlib
import os
from pathlib import Path
import pickle
import platform
import sys
import tempfile
from types import FunctionType, MethodType
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


def _passed_on(name: str):
    """A method that the wrapped estimator, if it has it, does."""

    def method(self, X=None, *args, **params):
        check_is_fitted(self)
        return getattr(self.estimator_, name)(X, *args, **params)

    method.__name__, method.__doc__ = name, f"`{name}` of the fitted estimator."
    return available_if(_wrapped_has(name))(method)


class CachedEstimator(MetaEstimatorMixin, BaseEstimator):
    """Any estimator, with every `fit` kept in a folder: the same fit is never paid for twice.

    Put it around the estimator of a search, of any class, and a search that was interrupted goes on
    where it was when it is run again. A model is on disk, whole, at the moment its fit has ended: a
    SIGKILL costs at most the fits that were under way. Several processes and machines may share a
    folder; two that start the same fit at the same moment both pay for it.

    A kept fit is found again by all that decides its result: the classes and all parameters of the
    estimator and of what it contains (`n_jobs` too); X, y and the fit parameters, as values; the
    versions of Python, NumPy, and of the packages that define the classes and functions. To forget
    everything, delete the folder.

    **Trust.** Models are kept as pickles. Whoever can write the folder can run code as you.

    **Your own code.** A class or function of a notebook, a script, or a package without a version
    has nothing that says whether it is still the same. Give a `version`, and another one whenever
    the code, or anything it reads, has changed. Lambdas, and what is defined inside a function,
    have no name to be found again by: they are refused.

    **random_state=None.** The first such fit is kept, and every later one **is that same model**:
    right for going on with a search, wrong for measuring how much a result varies from fit to fit.

    What scikit-learn's searches and pipelines use of the wrapped estimator is passed on;
    `estimator_` has the rest. A fit that is found takes the time of loading in a search's results,
    and does not repeat its warnings. Failed fits are not kept.

    Args:
        estimator: what to fit, any scikit-learn estimator.
        cache_dir: the folder, made if it is not there. Workers on other machines need a folder that
            they share, under the same absolute path.
        version: of your own code among the estimator and its parameters, a text or a number.

    Attributes:
        estimator_: the fitted estimator.
        from_cache_: whether `fit` found it in the folder.

    Raises:
        OSError: by `fit`, before anything is fitted: the folder cannot be made or written.
        ValueError: by `fit`, before anything is fitted: `cache_dir` is not a path; `version` is
            missing; a part of the estimator has no name; or estimator or data cannot be pickled.

    Warns:
        UserWarning: by `fit`: a `random_state` is None; a model cannot be kept, or was damaged.

    Example:
        >>> forest = CachedEstimator(RandomForestClassifier(random_state=0), "cache/forest")
        >>> GridSearchCV(forest, {"estimator__max_depth": [2, 4, 8]}).fit(X, y)
    """

    def __init__(self, estimator, cache_dir, version=None) -> None:
        self.estimator = estimator
        self.cache_dir = cache_dir
        self.version = version

    def fit(self, X, y=None, **fit_params) -> "CachedEstimator":
        """Load the fit of these parameters and data, or do it and keep it."""
        folder = _open_folder(self.cache_dir)
        file = folder / f"{_key(self.estimator, X, y, fit_params, self.version)}.fit"
        _warn_if_unseeded(self.estimator)
        model = _load(file)
        from_cache = model is not None
        if not from_cache:
            model = clone(self.estimator).fit(X, y, **fit_params)
            _save(file, model)
        self.estimator_, self.from_cache_ = model, from_cache
        return self

    predict, predict_proba, predict_log_proba, decision_function = map(
        _passed_on, ("predict", "predict_proba", "predict_log_proba", "decision_function")
    )
    score_samples, transform, inverse_transform, get_feature_names_out = map(
        _passed_on, ("score_samples", "transform", "inverse_transform", "get_feature_names_out")
    )

    @available_if(_wrapped_has("score"))
    def score(self, X, y=None, **params):
        """`score` of the fitted estimator; scikit-learn wants its `y` by name."""
        check_is_fitted(self)
        return self.estimator_.score(X, y, **params)

    @available_if(_wrapped_has("transform"))
    def fit_transform(self, X, y=None, **fit_params):
        """`fit`, then `transform` of the same X."""
        return self.fit(X, y, **fit_params).transform(X)

    def __getattr__(self, name: str):
        # Fitted attributes: classes_, n_features_in_, feature_importances_ and so on.
        if name.endswith("_") and not name.startswith("_") and "estimator_" in vars(self):
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self):
        return get_tags(self.estimator)  # a classifier if the wrapped one is, and so on

    def get_metadata_routing(self):
        """What the wrapped estimator asks for: fit parameters pass through unchanged."""
        return get_routing_for_object(self.estimator)


def _open_folder(cache_dir) -> Path:
    """The folder, once it is known that it can be written."""
    if not isinstance(cache_dir, str | os.PathLike) or not str(cache_dir):
        raise ValueError(f"cache_dir must be the path of a folder, got {cache_dir!r}")
    folder = Path(cache_dir).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        text = f"cache_dir must be a folder that can be written ({error.strerror}), got"
        raise OSError(error.errno, text, str(cache_dir)) from error
    return folder


def _warn_if_unseeded(estimator) -> None:
    unset = sorted(name for name, value in estimator.get_params().items() if value is None)
    names = [f"estimator__{name}" for name in unset if name.split("__")[-1] == "random_state"]
    if names:
        warnings.warn(
            f"random_state is None ({', '.join(names)}): the first fit is kept, and every later "
            "fit of the same parameters and data will be that same model. Set it to a number, "
            "another one for every repetition.",
            stacklevel=3,
        )


def _key(estimator, X, y, fit_params: dict, version) -> str:
    """A name for a fit: 32 hexadecimal digits of all that decides its result."""
    code: set = set()
    try:
        parts = _plain([clone(estimator), X, y, fit_params], code)
        versions = {_name(item): _package_version(item) for item in code}
        if nameless := sorted(name for name in versions if "<" in name):
            raise ValueError(
                "estimator must hold no lambda, and nothing that is defined inside a function, "
                "since they have no name by which a fit could be found again, got "
                f"{', '.join(nameless)}"
            )
        own = sorted(name for name, known in versions.items() if known is None)
        if own and version is None:
            raise ValueError(
                f"version must be given, and changed whenever the code of {', '.join(own)} "
                "changes, which belongs to no package that has a version, got None"
            )
        named = sorted(versions.items())
        return joblib.hash([platform.python_version(), np.__version__, version, named, parts])
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            "estimator, X, y and fit parameters must be picklable, so that the same fit can be "
            f"found again, got {type(error).__name__}: {error.args[0]}"
        ) from None  # joblib's own message repeats all of the data


def _plain(value, code: set):
    """A value in a form that is the same in every process; its code goes to `code`."""
    plain = functools.partial(_plain, code=code)
    if type(value) in (np.ndarray, np.memmap):
        return np.ascontiguousarray(value)  # a worker may get a copy, or a map of a file
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(plain, value)]
    if isinstance(value, dict):
        # in a list: joblib passes over some dictionaries that cannot be pickled
        entries = sorted(value.items(), key=lambda entry: repr(entry[0]))
        return ["dict", *([plain(key), plain(one)] for key, one in entries)]
    if isinstance(value, functools.partial):
        return ["partial", *map(plain, (value.func, value.args, value.keywords))]
    if isinstance(value, MethodType):
        return [value.__name__, plain(value.__self__)]
    is_code = isinstance(value, type | FunctionType)
    item = value if is_code else type(value)
    parts = [item] if isinstance(item, FunctionType) else item.__mro__
    code.update(part for part in parts if _package(part) not in _STANDARD)
    if isinstance(value, BaseEstimator):
        return [_name(item), plain(vars(value))]
    return _name(value) if is_code else value  # a worker cannot import those of a notebook


_STANDARD = sys.stdlib_module_names - {"__main__"}


def _name(item) -> str:
    return f"{item.__module__}.{item.__qualname__}"


def _package(item) -> str:
    return item.__module__.partition(".")[0]


def _package_version(item) -> str | None:
    """Of the package that defines a class or function; ours and Keras's rest on a backend too."""
    name, keras = _package(item), sys.modules.get("keras")
    version = getattr(sys.modules.get(name), "__version__", None)
    if name in ("keras", "helpers") and keras is not None:
        return f"{version}, Keras {keras.__version__} on {keras.backend.backend()}"
    return version if isinstance(version, str) else None


def _save(file: Path, model) -> None:
    """Keep a model and the sum of its bytes, written under another name first, then renamed."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        content = cloudpickle.dumps(model)  # which takes a notebook's classes along
        new.write_bytes(hashlib.sha256(content).digest() + content)
        os.replace(new, file)
    except Exception as error:  # a model can fail to be pickled in any way
        new.unlink(missing_ok=True)
        warnings.warn(
            f"the fitted {type(model).__name__} could not be kept in {file.parent}, and will have "
            f"to be fitted again ({type(error).__name__}: {error})",
            stacklevel=3,
        )


def _load(file: Path):
    """A kept model; None if there is none, or, with a warning, if it is damaged."""
    try:
        kept = file.read_bytes()
        if hashlib.sha256(content := kept[32:]).digest() != kept[:32]:
            raise ValueError("its sum is wrong")
        return pickle.loads(content)
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged pickle can raise anything
        warnings.warn(
            f"the kept fit {file.name} is damaged and will be computed again "
            f"({type(error).__name__}: {error})",
            stacklevel=3,
        )
        return None
