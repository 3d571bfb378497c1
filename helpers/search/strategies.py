"""Search strategies as generators: two that learn nothing, three that learn from their results.

A strategy yields batches of points that were not evaluated before, and receives their scores
(higher is better, NaN for a failure). `run` drives it over a table or a formula, and the classes of
`helpers.search` with cross-validation.

Each takes the space, a random state, the size of a batch, and `initial` points to evaluate before
all others: the defaults, or what was good elsewhere. What they score guides it, too.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
import math
import numbers
import warnings

from helpers.search.space import Point, Space
import numpy as np
from scipy.stats import norm, rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

Strategy = Generator[list[Point], np.ndarray, None]
MUTANTS = 20  # of the best candidate, added to a pool that is a sample, at every step
TRIES = 200  # draws in vain, one after the other, until a search for new points is given up
FITTED = 200  # scores that the surrogate is fitted to at most: its cost grows with their cube
OVERGROWN = 3  # sizes of the pool at which the least promising candidates are dropped


class _Memory:
    """The points that a strategy evaluated, with their scores; minus infinity for a failure."""

    def __init__(self, space: Space) -> None:
        self.space, self.scores = space, {}

    def __contains__(self, point: Point) -> bool:
        return self.space.key(point) in self.scores

    def __getitem__(self, point: Point) -> float:
        return self.scores[self.space.key(point)]

    def ask(self, points: Sequence[Point]) -> Strategy:
        """Have new, different points evaluated; `yield from memory.ask(points)`."""
        scores = yield list(points)
        for point, score in zip(points, scores, strict=True):
            self.scores[self.space.key(point)] = -math.inf if np.isnan(score) else float(score)

    def ask_all(self, points: Iterable[Point], batch_size: int) -> Generator:
        """Have the new ones of some points evaluated; they are returned, the best one first."""
        points = list(self.left(points).values())
        for place in range(0, len(points), batch_size):
            yield from self.ask(points[place : place + batch_size])
        return sorted(points, key=self.__getitem__, reverse=True)

    def left(self, points: Iterable[Point]) -> dict[frozenset, Point]:
        """Those of some points that were not evaluated, each once, by their keys."""
        return {key: point for point in points if (key := self.space.key(point)) not in self.scores}

    def new(self, draw: Callable[[], Point], count: int) -> list[Point]:
        """Up to `count` different points from `draw` that were not evaluated."""
        found, in_vain = {}, 0
        while len(found) < count and in_vain < TRIES:
            point = draw()
            key = self.space.key(point)
            in_vain += 1
            if key not in self.scores and key not in found:
                found[key], in_vain = point, 0
        return list(found.values())

    def new_random(self, rng: np.random.RandomState, count: int) -> list[Point]:
        """Up to `count` random points that were not evaluated; in a finite space none is missed."""
        found = self.new(lambda: self.space.random(rng), count)
        if len(found) < count and math.isfinite(self.space.size):
            rest = list(self.left(self.space.points()).values())
            return [rest[i] for i in rng.permutation(len(rest))[:count]]
        return found


def at_random(
    space: Space, rng: np.random.RandomState, batch_size: int = 1, initial: Sequence[Point] = ()
) -> Strategy:
    """Random search, which repeats nothing; in a finite space it finds every point in the end.

    Source: Bergstra and Bengio 2012, without replacement.
    """
    memory = _Memory(space)
    yield from memory.ask_all(initial, batch_size)
    while batch := memory.new_random(rng, batch_size):
        yield from memory.ask(batch)


def subspace_first(
    space: Space, rng: np.random.RandomState, batch_size: int = 1, initial: Sequence[Point] = ()
) -> Strategy:
    """Random search that draws the subspace first, all alike, and then a point of it.

    So a sampler draws that asks for a parameter only where it exists: a small subspace gets as many
    evaluations as a large one, until nothing new is drawn; then all that is left is alike.
    """

    def draw() -> Point:
        index = int(rng.randint(len(space.subspaces)))
        return index, tuple(one.random(rng) for one in space.subspaces[index].values())

    memory = _Memory(space)
    yield from memory.ask_all(initial, batch_size)
    while batch := memory.new(draw, batch_size) or memory.new_random(rng, batch_size):
        yield from memory.ask(batch)


def greedy(
    space: Space, rng: np.random.RandomState, batch_size: int = 1, initial: Sequence[Point] = ()
) -> Strategy:
    """Local search: climb to a better neighbour until there is none, then restart at random.

    Neighbours are tried in random order, `batch_size` at a time; the best of a batch is where the
    climb goes on, if it is better. Points as good as the current one are a plateau: all of it is
    searched before the climb is given up. The first climb starts at the best initial point.

    Source: Hoos and Stutzle 2004, iterative first improvement with random restarts; on architecture
    tables, White et al. 2020 (arXiv 2005.02960).
    """
    memory = _Memory(space)
    start = (yield from memory.ask_all(initial, batch_size))[:1]
    while start or (start := memory.new_random(rng, 1)):
        yield from memory.ask_all(start, batch_size=1)
        best, plateau, reached = memory[start[0]], deque(start), {space.key(start[0])}
        while plateau and math.isfinite(best):
            near = [p for p in space.neighbours(plateau[0]) if space.key(p) not in reached]
            known = [point for point in near if point in memory]
            if known and memory[top := max(known, key=memory.__getitem__)] > best:
                best, plateau, reached = memory[top], deque([top]), {space.key(top)}
                continue
            equal = {space.key(point): point for point in known if memory[point] == best}
            plateau.extend(equal.values())
            reached.update(equal)
            if unknown := list(memory.left(near).values()):
                chosen = rng.permutation(len(unknown))[:batch_size]
                yield from memory.ask([unknown[i] for i in chosen])
            else:
                plateau.popleft()
        start = []


def evolution(
    space: Space,
    rng: np.random.RandomState,
    batch_size: int = 1,
    initial: Sequence[Point] = (),
    population_size: int = 10,
    tournament_size: int = 3,
) -> Strategy:
    """Regularised evolution: the best of a random few has a mutated child, and the oldest dies.

    The initial points are the first of the population, and the best of them dies last. No point is
    evaluated twice, so a lucky score stays as long as its owner lives.

    Source: Real et al. 2019, algorithm 1 (arXiv 1802.01548).
    """
    memory = _Memory(space)
    population: deque[Point] = deque(maxlen=population_size)  # the oldest is dropped
    population.extend(reversed((yield from memory.ask_all(initial, batch_size))))

    def child() -> Point:
        rivals = [population[i] for i in rng.randint(len(population), size=tournament_size)]
        mutant = space.mutate(max(rivals, key=memory.__getitem__), rng)
        while mutant in memory and rng.random_sample() < 0.5:
            mutant = space.mutate(mutant, rng)  # everything near is known: look further
        return mutant

    while True:
        if len(population) < population_size:
            batch = memory.new_random(rng, min(batch_size, population_size - len(population)))
        else:
            batch = memory.new(child, batch_size) or memory.new_random(rng, batch_size)
        if not batch:
            return
        yield from memory.ask(batch)
        population.extend(batch)


def priority(
    space: Space,
    rng: np.random.RandomState,
    batch_size: int = 1,
    initial: Sequence[Point] = (),
    n_initial: int = 5,
    pool_size: int = 1000,
    start: str = "farthest",
) -> Strategy:
    """Bayesian optimisation over an explicit pool: evaluate the candidate of highest priority next.

    The pool is the whole space if that is small enough, else a random sample of it to which
    mutants of the best candidate are added at every step; when it has grown to three times its
    size, the most promising stay. After the first `n_initial` candidates, the priority is the
    expected improvement under a Gaussian process, which is fitted to at most 200 scores: the best
    hundred, and a hundred others. Within a batch, a candidate that was just chosen counts as
    evaluated with its expected score (Ginsbourger et al. 2010, the "kriging believer").

    Args:
        n_initial: evaluations before the surrogate is asked; those of `initial` count.
        start: the first candidates: "farthest", far from each other, or "random".

    Raises:
        ValueError: another `start`, found when the first batch is asked for.

    Source: Jones et al. 1998.
    """
    if start not in ("farthest", "random"):
        raise ValueError(f"start must be 'farthest' or 'random', got {start!r}")
    memory = _Memory(space)
    done = yield from memory.ask_all(initial, batch_size)
    is_whole = space.size <= pool_size
    sample = list(space.points()) if is_whole else memory.new_random(rng, pool_size)
    sample = [sample[i] for i in rng.permutation(len(sample))]
    first = farthest_first(space.encode(sample), n_initial) if start == "farthest" else []
    pool = memory.left([*(sample[i] for i in first), *sample])
    while pool:
        if len(done) < n_initial:
            batch = list(pool.values())[: min(batch_size, n_initial - len(done))]
        else:
            if not is_whole:
                best = max(done, key=memory.__getitem__)
                pool |= memory.left(memory.new(partial(space.mutate, best, rng), MUTANTS))
            candidates = list(pool.values())
            chosen, gain = _most_promising(memory, done, candidates, batch_size)
            batch = [candidates[place] for place in chosen]
            if not is_whole and len(pool) > OVERGROWN * pool_size:
                kept = np.sort(np.argsort(-gain, kind="stable")[:pool_size])
                pool = {space.key(candidates[place]): candidates[place] for place in kept}
        yield from memory.ask(batch)
        done += batch
        pool = {key: point for key, point in pool.items() if key not in memory.scores}
        if not pool:  # of a sample: there may be more
            pool = memory.left(memory.new_random(rng, pool_size))


def farthest_first(codes: np.ndarray, count: int) -> list[int]:
    """Rows that lie far apart: the first, then always the one farthest from those chosen.

    Args:
        codes: shape (n, columns).
        count: of rows; all of them if there are fewer.

    Source: Gonzalez 1985, the farthest-first traversal.
    """
    chosen, distance = [], np.full(len(codes), np.inf)
    while len(chosen) < min(count, len(codes)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(codes - codes[chosen[-1]], axis=1))
        distance[chosen] = -np.inf
    return chosen


def _most_promising(
    memory: _Memory, done: list[Point], pool: list[Point], count: int
) -> tuple[list[int], np.ndarray]:
    """Places in the pool of the candidates to evaluate next, and what each of the pool promises."""
    values, encode = warp([memory[point] for point in done]), memory.space.encode
    seen, codes = _worth_fitting(values), encode(pool)
    known, targets = encode([done[place] for place in seen]), values[seen]
    chosen, surrogate = [], fit_surrogate(known, targets)
    for _ in range(min(count, len(pool))):
        mean, std = surrogate.predict(codes, return_std=True)
        gain = expected_improvement(mean, std, targets.max())
        if not chosen:
            promised = gain.copy()
        gain[chosen] = -math.inf
        chosen.append(int(gain.argmax()))
        known, targets = np.vstack([known, codes[chosen[-1]]]), np.append(targets, mean[chosen[-1]])
        if len(chosen) < count:
            surrogate = fit_surrogate(known, targets, kernel=surrogate.kernel_)
    return chosen, promised


def _worth_fitting(values: np.ndarray) -> np.ndarray:
    """Places of at most FITTED scores, in order: the best half, and others evenly over time."""
    if len(values) <= FITTED:
        return np.arange(len(values))
    order = np.argsort(-values, kind="stable")
    best, rest = order[: FITTED // 2], np.sort(order[FITTED // 2 :])
    spread = np.linspace(0, len(rest) - 1, FITTED - len(best)).round().astype(int)
    return np.sort(np.concatenate([best, rest[spread]]))


def warp(scores: Sequence[float]) -> np.ndarray:
    """Scores as normal quantiles of their ranks, so that a surrogate is not ruled by outliers.

    A failure (minus infinity) ties with the worst. Shape (n,), any order-preserving change of the
    metric gives the same result.
    """
    ranks = rankdata(scores)
    return norm.ppf((ranks - 0.5) / len(ranks))


def fit_surrogate(codes: np.ndarray, scores: np.ndarray, kernel=None) -> GaussianProcessRegressor:
    """A Gaussian process over codes: Matern 5/2 with one length for all columns, and noise.

    A length per column would find out which parameters matter. One for all was chosen on the two
    shipped tables, and needs fewer evaluations there (notebook 46): elsewhere it may not.

    Args:
        codes: shape (n, columns), from `Space.encode`.
        scores: shape (n,), higher is better.
        kernel: with its parameters fixed; None fits them by maximum marginal likelihood.

    Source: Rasmussen and Williams 2006, algorithm 2.1 and equation 4.17.
    """
    optimizer = None
    if kernel is None:
        optimizer = "fmin_l_bfgs_b"
        signal = ConstantKernel(1.0, (0.1, 10.0)) * Matern(1.0, (0.1, 10.0), nu=2.5)
        kernel = signal + WhiteKernel(0.05, (1e-4, 1.0))
    surrogate = GaussianProcessRegressor(kernel, optimizer=optimizer, normalize_y=True)
    with warnings.catch_warnings():  # a length at its bound: the parameter does not matter
        warnings.simplefilter("ignore", ConvergenceWarning)
        return surrogate.fit(codes, scores)


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    """E[max(score - best, 0)] for score ~ N(mean, std^2): how much a candidate promises to gain.

    Args:
        mean, std: of the predicted scores, same shape; std is 0 or more.
        best: the best score so far.

    Returns:
        Shape of `mean`, in units of the score, 0 or more.

    Source: Jones et al. 1998, equation 15, for a maximum.
    """
    mean, std = np.asarray(mean, dtype="float64"), np.asarray(std, dtype="float64")
    gain = mean - best
    z = gain / np.where(std > 0, std, 1.0)
    return np.maximum(np.where(std > 0, gain * norm.cdf(z) + std * norm.pdf(z), gain), 0)


def run(
    strategy: Strategy, score: Callable[[Point], float], max_evals: int
) -> tuple[list[Point], np.ndarray]:
    """Drive a strategy over a function or a table: the points it chose, in order, and their scores.

    Example:
        >>> space = Space({"x": list(range(10))})
        >>> rng = np.random.RandomState(0)
        >>> run(greedy(space, rng), lambda point: -abs(space.params(point)["x"] - 7), max_evals=5)
    """
    if not isinstance(max_evals, numbers.Integral) or max_evals < 1:
        raise ValueError(f"max_evals must be a whole number of at least 1, got {max_evals!r}")
    points, scores, latest = [], [], None
    while (batch := next_batch(strategy, latest)) and len(points) < max_evals:
        latest = np.array([score(point) for point in batch], dtype="float64")  # None: NaN
        points += batch
        scores += latest.tolist()
    return points[:max_evals], np.array(scores[:max_evals])


def next_batch(strategy: Strategy, scores: np.ndarray | None) -> list[Point] | None:
    """What a strategy asks for, told the scores of its last batch; None when it has ended."""
    try:
        return strategy.send(scores)
    except StopIteration:
        return None
