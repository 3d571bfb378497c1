"""Paired differences, Holm's correction and mean ranks against SciPy, enumeration and by hand."""

from itertools import product
import re

from helpers.compare import holm, mean_ranks, paired
import numpy as np
import pytest
from scipy import stats


def test_paired_is_scipys_paired_t_test_with_its_interval():
    rng = np.random.default_rng(0)
    for n in (2, 3, 12, 50):
        luck = rng.normal(size=n)  # shared by both, as a seed is
        first, second = luck + rng.normal(0.3, 0.5, n), luck + rng.normal(0.0, 0.5, n)
        found, expected = paired(first, second), stats.ttest_rel(first, second)
        low, high = expected.confidence_interval()
        np.testing.assert_allclose(
            [found.mean - found.half, found.mean + found.half, found.p],
            [low, high, expected.pvalue],
        )
        assert (found.p < 0.05) == (low > 0 or high < 0)


def test_paired_sees_through_the_luck_that_pairs_share():
    """What an unpaired test cannot: it would fail here, and must not be what `paired` does."""
    luck = np.linspace(0, 100, 20)
    first, second = luck + 1 + 0.1 * np.sin(luck), luck
    assert paired(first, second).p < 1e-10 < 0.5 < stats.ttest_ind(first, second).pvalue
    mixed = np.random.default_rng(1).permutation(second)
    assert paired(first, mixed).half > 10 * paired(first, second).half


def test_paired_intervals_hold_the_truth_in_95_per_cent():
    rng = np.random.default_rng(2)
    gaps = rng.normal(0.4, 2.0, size=(4000, 6))
    held = [abs(d.mean - 0.4) <= d.half for d in (paired(g, np.zeros(6)) for g in gaps)]
    assert abs(np.mean(held) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


def test_paired_differences_that_never_vary():
    assert paired([1.0, 2.0], [1.0, 2.0]) == (0.0, 0.0, 1.0)
    assert paired([2.0, 3.0], [1.0, 2.0]) == (1.0, 0.0, 0.0)
    assert str(paired([3.0, 5.0, 4.0], [2.0, 3.0, 3.0])) == "+1.33 ± 1.4 (p = 0.057)"


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ([1.0], [2.0], "n >= 2"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "(2,) and (3,)"),
        (np.ones((2, 2)), np.ones((2, 2)), "of shape (n,)"),
        ([1.0, np.nan], [1.0, 2.0], "must be finite"),
    ],
)
def test_paired_refuses(first, second, rule):
    with pytest.raises(ValueError, match=re.escape(rule)):
        paired(first, second)


def test_holm_is_its_definition():
    """By hand, and as the closed testing procedure of Bonferroni tests: all subsets enumerated."""
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    rng = np.random.default_rng(3)
    for m in (1, 2, 5):
        p = rng.uniform(size=m) ** 3
        subsets = [np.array(s, dtype=bool) for s in product([0, 1], repeat=m) if any(s)]
        closed = [max(min(1, s.sum() * p[s].min()) for s in subsets if s[i]) for i in range(m)]
        np.testing.assert_allclose(holm(p), closed)
    assert holm([]).shape == (0,)


def test_holm_gives_a_false_finding_once_in_twenty():
    p = np.random.default_rng(4).uniform(size=(4000, 7))
    false = np.mean([holm(row).min() < 0.05 for row in p])
    assert abs(false - (1 - (1 - 0.05 / 7) ** 7)) < 4 * np.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.parametrize("wrong", [[0.1, 1.2], [0.1, np.nan], [[0.1]], [-0.1]])
def test_holm_refuses(wrong):
    with pytest.raises(ValueError, match="p_values must be one row of numbers from 0 to 1"):
        holm(wrong)


def test_mean_ranks():
    scores = np.array([[0.9, 0.8, 0.7], [0.5, 0.5, 0.1], [0.2, 0.3, 0.4]])
    np.testing.assert_allclose(mean_ranks(scores), [5.5 / 3, 5.5 / 3, 7 / 3])
    rng = np.random.default_rng(5)
    many = rng.normal(size=(8, 5))
    assert mean_ranks(many).sum() == pytest.approx(15)
    # Friedman's statistic is a function of them (Demsar 2006)
    n, k = many.shape
    statistic = 12 * n / (k * (k + 1)) * ((mean_ranks(many) - (k + 1) / 2) ** 2).sum()
    assert statistic == pytest.approx(stats.friedmanchisquare(*many.T).statistic)
    for wrong in (many[0], np.where(many > 2, np.nan, many) * np.nan):
        with pytest.raises(ValueError, match="scores must be a finite table"):
            mean_ranks(wrong)
