"""What a reader passes is used or refused: inputs that were once wrong in silence, or lost work."""

import functools
import itertools
import os
import subprocess
import sys
import threading
import warnings

from helpers import data, elbo, figures, runtime, widgets
from helpers.exercises import check
from helpers.runtime import keras
from helpers.search import CachedEstimator, GreedySearchCV, Space, strategies
from helpers.vae import (
    VAE,
    BetaSchedule,
    BinarisedBatches,
    ConditionalVAE,
    VAETransformer,
    conditional_decoder,
    conditional_encoder,
    dense_decoder,
    dense_encoder,
    dense_networks,
    evaluate,
    text,
)
import ipywidgets
import matplotlib.figure
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

X_GREY = np.random.default_rng(0).random((60, 8, 8)).astype("float32")
LABELS = np.arange(60) % 3
X, y = load_iris(return_X_y=True)


class Framed:
    """An array in disguise, as tensors and data frames are, with an index of its own."""

    def __init__(self, values, index=None) -> None:
        self.values, self.index = np.asarray(values), index

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows):  # by label, as a Series: not by position
        return self.values[np.argsort(self.index)[rows]]


def new(**settings):
    keras.utils.set_random_seed(0)
    model = VAE(*dense_networks((8, 8), (16,), 2), seed=0, **settings)
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def conditional() -> ConditionalVAE:
    keras.utils.set_random_seed(0)
    sizes = {"image_shape": (8, 8), "classes": 3, "hidden": (16,), "latent_dim": 2}
    model = ConditionalVAE(conditional_encoder(**sizes), conditional_decoder(**sizes), seed=0)
    model.compile("adam")
    return model


def losses(model, *args, **settings) -> list[float]:
    history = model.fit(*args, verbose=0, **settings).history
    return [history[name][-1] for name in ("loss", "reconstruction_loss", "kl_loss")]


def slices(*parts):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0])


# 1. Used: the same as in the plain form, or what it says.

PLAIN = functools.cache(lambda: losses(new(), X_GREY))


@pytest.mark.parametrize(
    "images",
    [
        lambda: X_GREY.tolist(),
        lambda: X_GREY.astype("float64"),
        lambda: Framed(X_GREY),
        lambda: keras.ops.convert_to_tensor(X_GREY),
    ],
    ids=["list", "float64", "frame", "tensor"],
)
def test_images_in_another_form_train_alike(images):
    np.testing.assert_allclose(losses(new(), images()), PLAIN(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64"])
def test_black_and_white_of_any_type_trains_as_floats_do(kind):
    white = X_GREY > 0.5
    expected = losses(new(), white.astype("float32"))
    np.testing.assert_allclose(losses(new(), white.astype(kind)), expected, rtol=1e-5)
    expected = new().evaluate(white.astype("float32"), verbose=0)
    np.testing.assert_allclose(new().evaluate(white.astype(kind), verbose=0), expected, rtol=1e-5)


def test_x_as_its_own_target_is_nothing_else():
    np.testing.assert_allclose(losses(new(), X_GREY, X_GREY), PLAIN(), rtol=1e-5)
    np.testing.assert_allclose(losses(new(), X_GREY, X_GREY.copy()), PLAIN(), rtol=1e-5)


def test_a_target_of_its_own_is_what_is_reconstructed():
    clean, noisy = np.zeros_like(X_GREY), X_GREY
    model = new()
    model.optimizer.learning_rate = 0.01
    model.fit(noisy, clean, epochs=30, verbose=0)
    assert model.decode(model.encoder(noisy)[0]).max() < 0.3


@pytest.mark.parametrize("settings", [{}, {"free_nats": 0.5}], ids=["plain", "free nats"])
def test_sample_weights_weigh_the_loss_and_every_logged_part_of_it(settings):
    weights = np.repeat([0.0, 3.0], 30)
    ours = losses(new(**settings), X_GREY, sample_weight=weights, batch_size=60)
    half = losses(new(**settings), X_GREY[30:], batch_size=30)
    if not settings:  # other noise, so about the same; a factor 1.5 is not
        np.testing.assert_allclose(ours[:2], 1.5 * np.array(half[:2]), rtol=0.02)
        assert ours[0] == pytest.approx(ours[1] + ours[2], rel=1e-5)
    double = losses(new(**settings), X_GREY, sample_weight=np.full(60, 2.0), batch_size=60)
    single = losses(new(**settings), X_GREY, batch_size=60)
    parts = slice(1, 3) if settings.get("free_nats") else slice(0, 3)  # a floor is not doubled
    np.testing.assert_allclose(double[parts], 2 * np.array(single[parts]), rtol=1e-5)
    none = losses(new(**settings), X_GREY, sample_weight=np.zeros(60))
    np.testing.assert_allclose(none[1:], 0, atol=1e-6)
    held = new(**settings).evaluate(
        X_GREY, sample_weight=np.full(60, 2.0), batch_size=60, verbose=0, return_dict=True
    )
    plain = new(**settings).evaluate(X_GREY, batch_size=60, verbose=0, return_dict=True)
    for name in ("reconstruction_loss", "kl_loss"):
        assert held[name] == pytest.approx(2 * plain[name], rel=1e-5)


def test_labels_of_a_series_stay_with_their_images():
    shuffled = np.random.default_rng(1).permutation(60)
    series = Framed(LABELS[shuffled], index=shuffled)
    batches = BinarisedBatches(X_GREY, 60, 0, y=series)
    np.testing.assert_array_equal(batches[0][0][1], LABELS[shuffled][batches.order])
    frame = BinarisedBatches(Framed(X_GREY.reshape(60, 64)), 10, 0, y=LABELS.tolist())
    assert frame[0][0][0].shape == (10, 64)


def test_sizes_of_any_kind_of_number():
    assert dense_encoder(64, 16, np.int64(2)).output_shape == [(None, 2), (None, 2)]
    assert dense_decoder((8.0, 8.0), [16.0], 2.0).output_shape == (None, 8, 8)
    flat = X_GREY.reshape(60, 64)
    search = GridSearchCV(
        VAETransformer(hidden=8, epochs=1, random_state=0), {"latent_dim": np.array([2, 3])}, cv=2
    )
    assert np.isfinite(search.fit(flat).cv_results_["mean_test_score"]).all()
    assert isinstance(VAETransformer(hidden=8, epochs=1).fit(flat).sample(), np.ndarray)
    assert evaluate.elbo(new(), X_GREY, batch_size=1).shape == (60,)


def test_other_things_that_work():
    assert conditional().sample(2, seed=0).shape == (1, 8, 8)
    assert data.binarise([[0.0, 1.0]], seed=0).tolist() == [[0.0, 1.0]]
    assert check("11.1", np.array([1.3069])).passed == check("11.1", 1.3069).passed is True
    runtime.start(seed=np.int64(3))
    nats = elbo.gaussian_kl([[1, 1]], [[0, 0]])
    assert float(nats[0]) == float(elbo.gaussian_kl(np.ones((1, 2), int), np.zeros((1, 2), int))[0])
    assert float(elbo.importance_weighted_bound([[0.0], [np.log(3)]])[0]) == pytest.approx(
        np.log(2)
    )
    halves = np.repeat([[0.0], [1.0]], 30, axis=0)
    assert evaluate.mutual_information(halves, halves, bins=2)[0, 0] == pytest.approx(np.log(2))
    generator = iter((X_GREY[:10],) for _ in itertools.count())
    kept = losses(new(), (batch for batch in generator), steps_per_epoch=6)
    assert np.isfinite(kept).all()


# 2. Refused, in one sentence that names the parameter, the rule and the value.

REFUSED = {
    "pixels of a tensor": (
        lambda: new().fit(keras.ops.convert_to_tensor(2 * X_GREY - 1)),
        r"x must have pixels in \[0, 1\] and no NaN, got -",
    ),
    "pixels of a frame": (
        lambda: new().fit(Framed(255 * X_GREY)),
        r"x must have pixels in \[0, 1\].*: divide bytes by 255",
    ),
    "pixels of bytes": (
        lambda: new().evaluate((255 * X_GREY).astype("uint8")),
        r"x must have pixels .*divide bytes",
    ),
    "pixels of validation data": (
        lambda: new().fit(X_GREY, validation_data=(keras.ops.convert_to_tensor(9 * X_GREY),)),
        r"validation_data must have pixels in \[0, 1\]",
    ),
    "a channel axis": (
        lambda: new().fit(X_GREY[..., None]),
        r"x must be images of shape .*drop the last axis, x\[..., 0\]",
    ),
    "flat images": (
        lambda: new().predict(X_GREY.reshape(60, 64)),
        r"x must be images of shape .*x\.reshape\(-1, 8, 8\)",
    ),
    "rows of unequal lengths": (
        lambda: new().fit([[0.0], [0.0, 1.0]]),
        "x must be an array of numbers, got list",
    ),
    "a pipeline of bytes": (
        lambda: new().fit(slices(255 * X_GREY).batch(20)),
        r"batch 1 of x must have pixels .*divide bytes",
    ),
    "a pipeline without batches": (
        lambda: new().fit(slices(X_GREY)),
        r"batch 1 of x must be images of shape \('n', 8, 8\), got \(8, 8\)",
    ),
    "a pipeline of labels": (
        lambda: conditional().fit(slices(((X_GREY, LABELS + 5),)).batch(9)),
        "the labels in batch 1 of x must lie between 0 and 2, got 5 to 7",
    ),
    "a generator of arrays": (
        lambda: new().fit(X_GREY for _ in range(3)),
        r"x must give tuples such as \(x,\), got ndarray",
    ),
    "nothing": (lambda: new().fit(), "x must be images or a pipeline of batches, got None"),
    "no validation data": (
        lambda: new().fit(X_GREY, validation_data=()),
        "validation_data must be images or a pipeline of batches, got None",
    ),
    "an empty batch": (
        lambda: new().fit(X_GREY, batch_size=0),
        "batch_size must be a whole number of at least 1, got 0",
    ),
    "labels as targets": (
        lambda: new().fit(X_GREY, LABELS),
        r"y must be images of shape \('n', 8, 8\), got \(60,\)",
    ),
    "labels as targets, in a pipeline": (
        lambda: new().fit(slices(X_GREY, LABELS).batch(20)),
        r"y in batch 1 of x must be images of shape \('n', 8, 8\), got \(20,\)",
    ),
    "class_weight": (
        lambda: new().fit(X_GREY, class_weight={0: 1}),
        r"class_weight must be left out.*got \{0: 1\}",
    ),
    "loss": (lambda: new().compile("adam", "mse"), "loss must be left out.*got 'mse'"),
    "metrics": (
        lambda: new().compile("adam", metrics=["mse"]),
        r"metrics must be left out.*got \['mse'\]",
    ),
    "a list as labels": (
        lambda: conditional().fit((X_GREY, ["a"] * 60)),
        "the labels in x must be an array of numbers",
    ),
    "beta": (lambda: new(beta="1"), "beta must be a finite number, 0 or more, got '1'"),
    "no schedule": (lambda: BetaSchedule(0.5), "schedule must be a function of the epoch, got 0.5"),
    "a schedule without beta": (
        lambda: new().fit(X_GREY, verbose=0, callbacks=[BetaSchedule(lambda epoch: None)]),
        "beta must be a finite number, 0 or more, got None",
    ),
    "free_nats": (
        lambda: new(free_nats="0.5"),
        "free_nats must be a finite number, 0 or more, got '0.5'",
    ),
    "word_dropout": (
        lambda: text.TextVAE(text.text_encoder(), text.text_decoder(), word_dropout="0.1"),
        "word_dropout must be at least 0 and below 1, got '0.1'",
    ),
    "sizes": (lambda: dense_encoder(hidden="64"), "hidden must hold whole numbers .*got '64'"),
    "a size that is a list": (
        lambda: dense_encoder(latent_dim=[2, 3]),
        r"latent_dim must be a whole number of at least 1, got \[2, 3\]",
    ),
    "an unbuilt network": (
        lambda: VAE(keras.Sequential([keras.layers.Dense(2)]), dense_decoder()),
        "encoder must be a built Keras model",
    ),
    "Keras's old format": (
        lambda: new().save("model.h5"),
        r"filepath must end in \.keras, got 'model\.h5'",
    ),
    "no VAE": (
        lambda: evaluate.elbo(X_GREY, new()),
        "vae must be a VAE; it comes before x, got ndarray",
    ),
    "half a VAE": (lambda: evaluate.elbo(new().encoder, X_GREY), "vae must be a VAE"),
    "labels for samples": (
        lambda: evaluate.elbo(new(), X_GREY, LABELS),
        r"samples must be a whole number of at least 1, got an array of shape \(60,\)",
    ),
    "all classes at once": (
        lambda: evaluate.elbo(conditional(), (X_GREY, LABELS)),
        r"vae must be of one class: vae\.given\(label\)",
    ),
    "continuous factors": (
        lambda: evaluate.mutual_information(X_GREY[:, 0], X_GREY[:, 1]),
        "factors must be levels, whole numbers, got continuous values",
    ),
    "one axis": (
        lambda: elbo.gaussian_kl(np.ones(4), np.zeros(4)),
        r"z_mean and z_log_var must have a batch axis and more, got shape \(4,\)",
    ),
    "bytes in a likelihood": (
        lambda: elbo.bernoulli_log_likelihood(255 * np.ones((1, 2)), np.zeros((1, 2))),
        r"x must have pixels in \[0, 1\], got 255 to 255",
    ),
    "binarise": (
        lambda: VAETransformer(binarise="False").fit(X_GREY.reshape(60, 64)),
        "binarise must be True or False, got 'False'",
    ),
    "learning_rate": (
        lambda: VAETransformer(learning_rate="0.1").fit(X_GREY.reshape(60, 64)),
        "learning_rate must be a finite number above 0, got '0.1'",
    ),
    "a list for a name": (lambda: data.load(["digits"]), r"name must be one of .*got \['digits'\]"),
    "a list for a number": (lambda: check(["11.1"], 1), "number must be one of"),
    "no budget": (
        lambda: strategies.run(
            strategies.at_random(Space({"a": [1]}), np.random.RandomState(0)), len, None
        ),
        "max_evals must be a whole number of at least 1, got None",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_is_refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert len(str(caught.value)) < 800 and "\n" not in str(caught.value)


TWO_REPLICAS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from helpers.vae import VAE, dense_networks
import numpy as np
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    vae = VAE(*dense_networks((8, 8), (16,), 2))
    vae.compile("adam")
vae.fit(np.zeros((60, 8, 8)), verbose=0)
"""


def test_several_replicas_are_refused():  # in a process that has not counted its devices yet
    pytest.importorskip("tensorflow")
    command = [sys.executable, "-c", TWO_REPLICAS]
    tensorflow = os.environ | {"KERAS_BACKEND": "tensorflow"}
    run = subprocess.run(command, capture_output=True, text=True, env=tensorflow)
    assert run.stderr.rstrip().endswith("ValueError: the strategy must have one replica, got 2")


def test_a_loss_that_is_no_number_ends_the_training():
    model = new()
    model.compile(keras.optimizers.SGD(1e9))
    with pytest.raises(FloatingPointError, match="try a smaller learning rate"):
        model.fit(X_GREY, epochs=9, verbose=0)
    search = GridSearchCV(
        VAETransformer(hidden=8, epochs=3, random_state=0),
        {"learning_rate": [1e-3, 1e30]},
        cv=2,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = search.fit(X_GREY.reshape(60, 64)).cv_results_["mean_test_score"]
    assert np.isfinite(scores[0]) and np.isnan(scores[1])


def test_an_exit_in_an_answer_stays_in_the_check():
    def leave(*_):
        raise SystemExit

    assert not check("11.2", leave).passed


# 3. The cache: nothing is guessed, nothing stale comes back, nothing is lost.


class Own(BaseEstimator):
    """A class of no package with a version."""

    def __init__(self, a=1, part=None) -> None:
        self.a, self.part = a, part

    def fit(self, X, y=None) -> "Own":
        self.out_, self.lock_ = self.a, threading.Lock() if self.part == "lock" else None
        return self


def half(x, k=0.5):
    return x * k


def factory():
    class Inner(Own):
        pass

    return Inner()


NAMELESS = {
    "a lambda": FunctionTransformer(lambda x: x),
    "a class from a factory": factory(),
    "a lambda in a list": Own(part=[lambda x: x]),
    "a lambda in a partial": FunctionTransformer(functools.partial(lambda x, k: x, k=1)),
}


@pytest.mark.parametrize("estimator", NAMELESS.values(), ids=NAMELESS)
def test_what_has_no_name_is_refused_with_a_version_too(estimator, tmp_path):
    for version in (None, 1):
        with pytest.raises(ValueError, match="estimator must hold no lambda"):
            CachedEstimator(estimator, tmp_path, version).fit(X, y)
    assert list(tmp_path.iterdir()) == []


UNVERSIONED = {
    "an estimator": Own(),
    "one as a parameter": Own(part=Own()),
    "a class as a parameter": Own(part=Own),
    "a function": FunctionTransformer(half),
    "a partial": FunctionTransformer(functools.partial(half, k=2)),
    "a bound method": Own(part=Own().fit),
    "objects in a list": Own(part=[Framed([1])]),
}


@pytest.mark.parametrize("estimator", UNVERSIONED.values(), ids=UNVERSIONED)
def test_code_without_a_version_needs_one(estimator, tmp_path):
    with pytest.raises(ValueError, match=r"version must be given.*test_robustness"):
        CachedEstimator(estimator, tmp_path).fit(X, y)
    first, again, other = (
        CachedEstimator(estimator, tmp_path, version).fit(X, y) for version in (1, 1, 2)
    )
    assert [one.from_cache_ for one in (first, again, other)] == [False, True, False]


def test_another_parameter_is_another_fit_whatever_the_version(tmp_path):
    fits = [CachedEstimator(Own(a), tmp_path, version=1).fit(X, y) for a in (1, 2, 1)]
    assert [fit.out_ for fit in fits] == [1, 2, 1]
    assert [fit.from_cache_ for fit in fits] == [False, False, True]
    doubled, same = (
        CachedEstimator(FunctionTransformer(functools.partial(half, k=k)), tmp_path, 1).fit(X)
        for k in (2, 1)
    )
    assert not same.from_cache_
    np.testing.assert_array_equal(doubled.transform(X), 2 * same.transform(X))


def test_a_model_that_cannot_be_kept_is_returned(tmp_path):
    with pytest.warns(UserWarning, match="the fitted Own could not be kept"):
        model = CachedEstimator(Own(part="lock"), tmp_path, version=1).fit(X, y)
    assert model.out_ == 1 and list(tmp_path.iterdir()) == []


def test_a_parameter_that_cannot_be_pickled_is_refused(tmp_path):
    with pytest.raises(ValueError, match="estimator, X, y and fit parameters must be picklable"):
        CachedEstimator(Own(part=threading.Lock()), tmp_path, version=1).fit(X, y)


def test_a_full_disk_is_called_that(tmp_path, monkeypatch):
    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", no_space)
    cached = CachedEstimator(LogisticRegression(C=0.1, random_state=0), tmp_path)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert cached.fit(X, y).score(X, y) > 0.8
    assert list(tmp_path.iterdir()) == []


def test_a_planted_file_is_not_run(tmp_path):
    cached = CachedEstimator(LogisticRegression(C=0.1, random_state=0), tmp_path).fit(X, y)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:32] + b"cos\nsystem\n(S'exit'\ntR.")
    with pytest.warns(UserWarning, match="is damaged and will be computed again.*sum is wrong"):
        assert not cached.fit(X, y).from_cache_


# 4. Searches.


def test_an_interrupted_second_search_leaves_nothing_of_the_first():
    def stop(estimator, X, y):
        raise KeyboardInterrupt

    search = GreedySearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=2).fit(X, y)
    search.set_params(scoring=stop)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not [name for name in vars(search) if name.startswith(("best_", "cv_results_"))]


def test_scores_that_are_no_numbers_are_said_once():
    search = GreedySearchCV(
        DecisionTreeClassifier(), {"max_depth": [1, 2, 3]}, cv=2, scoring=lambda *_: np.nan
    )
    with pytest.warns(UserWarning, match="test scores are non-finite") as caught:
        search.fit(X, y)
    assert len(caught) == 1


def test_an_error_in_a_search_within_a_search_comes_out():
    inner = GridSearchCV(SVC(), {"C": [-1.0]}, cv=2)
    search = GreedySearchCV(inner, {"estimator__gamma": ["auto"]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        search.fit(X, y)


def test_lambdas_are_values():
    space = {"func": [np.log1p, lambda x: x, None]}
    search = GreedySearchCV(FunctionTransformer(), space, cv=2, scoring=lambda *_: 1.0)
    assert len(search.fit(X, y).cv_results_["params"]) == 3


# 5. Pictures.


UNDRAWN = {
    "bytes": (
        lambda: figures.image_rows({"a": 255 * X_GREY}, alt="."),
        r"rows\['a'\].*divide bytes",
    ),
    "NaN": (lambda: figures.image_rows({"a": X_GREY * np.nan}, alt="."), r"rows\['a'\].*no NaN"),
    "one image": (
        lambda: figures.image_rows({"a": X_GREY[0]}, alt="."),
        r"shape \(n, height, width",
    ),
    "flat images": (
        lambda: figures.image_rows({"a": X_GREY.reshape(60, 64)}, alt="."),
        r"shape \(n, height, width\), got \(60, 64\)",
    ),
    "rows without names": (lambda: figures.image_rows([X_GREY], alt="."), "rows must be a dict"),
    "a picture out of range": (
        lambda: widgets.png(X_GREY[0] - 1),
        r"image must have pixels in \[0",
    ),
    "logits": (
        lambda: widgets.latent_explorer(lambda z: 9 * np.ones((len(z), 8, 8)) * z[:, :1, None]),
        r"decode\(codes\) must have pixels in \[0, 1\]",
    ),
    "a model for its decoder": (
        lambda: widgets.latent_explorer(new()),
        "decode must be a function of codes, such as vae.decode, got <VAE",
    ),
    "three latents": (
        lambda: widgets.latent_explorer(
            VAE(*dense_networks((8, 8), (5,), 3), seed=0).decode, steps=2
        ),
        r"decode must take codes of shape \(n, 2\)",
    ),
    "an array for a PNG": (
        lambda: widgets.picture_grid([X_GREY[0]], {"a": [1]}),
        "pictures must be PNG files as bytes, .* got ndarray where one should be",
    ),
    "too few levels": (
        lambda: widgets.picture_grid([widgets.png(X_GREY[0])], {"a": [1], "b": [1, 2]}),
        r"nested once for each of \['a', 'b'\], got bytes where a list should be",
    ),
    "too many levels": (
        lambda: widgets.picture_grid([[widgets.png(X_GREY[0])]], {"a": [1]}),
        "got list where one should be",
    ),
    "another figure": (
        lambda: widgets.explore(lambda a: matplotlib.figure.Figure(), a=ipywidgets.IntSlider()),
        "render must return a figure of `figures.subplots`, got Figure",
    ),
}


@pytest.mark.parametrize("call, message", UNDRAWN.values(), ids=UNDRAWN)
def test_is_not_drawn(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_channels_and_small_steps_are_drawn():
    plain = widgets.latent_explorer(lambda z: np.ones((len(z), 8, 8)), limit=0.01, steps=3)
    channel = widgets.latent_explorer(
        lambda z: keras.ops.ones((len(z), 8, 8, 1)), limit=0.01, steps=3
    )
    labels = [[text for text, _ in slider.options] for slider in plain.children[:2]]
    assert labels == [["-0.01", "+0", "+0.01"]] * 2
    pictures = [box.children[-1].children[0].children[0].value for box in (plain, channel)]
    assert pictures[0] == pictures[1]
