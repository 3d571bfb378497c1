"""The judge of drawn digits as recorded; precision and recall where the answer is known."""

import hashlib

from helpers import data, records
from helpers.vae import load_trained
from helpers.vae.samples import load_judge, precision_and_recall
import make_judge
import numpy as np
import pytest

ROW = records.load("judge")["runs"][0]


def test_the_judge_is_light_and_as_good_as_recorded():
    path = data.DATA_DIR / "weights" / "judge.npz"
    assert path.stat().st_size <= 1_500_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ROW["sha256"]
    assert ROW["epochs"] == make_judge.EPOCHS
    digits, judge = data.load("mnist-5k"), load_judge()
    features, probabilities = judge.predict(digits.x_val[:7], verbose=0)
    assert features.shape == (7, 64) and probabilities.shape == (7, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(np.square(features).sum(axis=1), 1, atol=1e-5)
    found = make_judge.measure(judge, digits)
    for part in ("val", "test"):
        assert found[part]["right"] > 0.98
        for name, value in found[part].items():
            assert abs(value - ROW[part][name]) < 0.003


def test_equal_sets_cover_each_other():
    real = np.random.default_rng(0).normal(size=(300, 5))
    assert precision_and_recall(real, real) == (1.0, 1.0)
    assert precision_and_recall(real, real[::-1].astype("float32")) == pytest.approx(
        (1, 1), abs=0.1
    )


def test_by_hand_on_a_line():
    """With k = 1 the balls of 0, 1, 3 have the radii 1, 1, 2; those of 2, 2.5, 9: .5, .5, 6.5."""
    real, drawn = np.array([[0.0], [1.0], [3.0]]), np.array([[2.0], [2.5], [9.0]])
    assert precision_and_recall(real, drawn, k=1) == (2 / 3, 1 / 3)
    # The next nearest: radii 3, 2, 3 and 7, 6.5, 7.
    assert precision_and_recall(real, drawn, k=2) == (2 / 3, 1.0)


def modes(rng, kinds, count=600):
    """Points around some corners far apart, as many around each."""
    corners = 20 * np.eye(4)[np.resize(kinds, count)]
    return corners + rng.normal(size=(count, 4))


def test_one_mode_less_lowers_recall_alone():
    rng = np.random.default_rng(0)
    real, other = modes(rng, range(4)), modes(rng, range(4))
    precision, recall = precision_and_recall(real, other)
    assert min(precision, recall) > 0.85
    fewer, missing = precision_and_recall(real, modes(rng, range(3)))
    assert abs(fewer - precision) < 0.05
    assert abs(missing - 0.75 * recall) < 0.05  # a quarter of the real ones is not covered
    # And one kind that no real sample has is not precise: the same with the roles exchanged.
    assert precision_and_recall(modes(rng, range(3)), real)[0] == pytest.approx(0.7, abs=0.1)


def test_noise_lowers_precision():
    rng = np.random.default_rng(0)
    real, drawn = modes(rng, range(4)), modes(rng, range(4))
    precision = precision_and_recall(real, drawn)[0]
    half = np.where(np.arange(600)[:, None] % 2, drawn, drawn + 8 * rng.normal(size=drawn.shape))
    noisy = precision_and_recall(real, half)[0]
    assert abs(noisy - precision / 2) < 0.07  # every second sample is noise


def test_the_judge_sees_one_digit_less_and_noise():
    """The same on real digits: 500 held-out ones against others, without sevens, and with noise."""
    digits, judge = data.load("mnist-5k"), load_judge()
    real, other = (data.binarise(x, seed=0) for x in (digits.x_val, digits.x_test))
    real, features = (judge.predict(x, verbose=0)[0] for x in (real, other))
    precision, recall = precision_and_recall(real, features)
    assert min(precision, recall) > 0.8
    keep = digits.y_test != 7
    assert precision_and_recall(real, features[keep])[0] == pytest.approx(precision, abs=0.03)
    assert precision_and_recall(real, features[keep])[1] < recall - 0.04
    noise = data.binarise(np.full((500, 28, 28), 0.15, "float32"), seed=1)
    assert (
        precision_and_recall(real, judge.predict(noise, verbose=0)[0])[0] < 0.3
    )  # 0.97 with features of any length


def test_what_does_not_fit_is_refused():
    points = np.zeros((5, 2))
    with pytest.raises(
        ValueError, match=r"shapes \(n, d\) and \(m, d\), got \(5, 2\) and \(5, 3\)"
    ):
        precision_and_recall(points, np.zeros((5, 3)))
    with pytest.raises(ValueError, match="real and drawn"):
        precision_and_recall(points[0], points)
    for k in (0, 5):
        with pytest.raises(ValueError, match=f"k must be at least 1 .* got {k}"):
            precision_and_recall(points, points, k)


def test_drawn_digits_are_judged_as_less_than_real_ones():
    digits, judge = data.load("mnist-5k"), load_judge()
    drawn = data.binarise(load_trained("digits").sample(500, seed=0), seed=0)
    sure = [
        (judge.predict(x, verbose=0)[1].max(axis=1) > 0.9).mean()
        for x in (data.binarise(digits.x_val, seed=0), drawn)
    ]
    assert sure[0] > 0.95 > sure[1] > 0.4
