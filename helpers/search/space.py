"""A search space of mixed parameters: its points, their neighbours, and their codes."""

from collections.abc import Iterator, Mapping, Sequence
import itertools
import math
import numbers

import joblib
import numpy as np

# A point: which subspace, and where each of its parameters stands (in the order of its names): the
# index of a value for a list, a quantile in (0, 1) for a distribution.
Point = tuple[int, tuple]
STEP = 0.1  # of a greedy step along a distribution, in quantiles


class Choice:
    """A parameter that takes one of a list of values.

    Numbers are in order, and only the next smaller and larger one are neighbours. Categories are
    all neighbours of each other. None among numbers is a neighbour of them all.
    """

    def __init__(self, values: Sequence) -> None:
        unique = {joblib.hash(value): value for value in values}
        self.keys, self.values = list(unique), list(unique.values())
        numeric = [
            index
            for index, value in enumerate(self.values)
            if isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
        ]
        others = [index for index in range(len(self.values)) if index not in numeric]
        is_ordered = len(numeric) > 1 and all(self.values[index] is None for index in others)
        self.order = sorted(numeric, key=lambda index: self.values[index]) if is_ordered else []
        self.categories = others if is_ordered else list(range(len(self.values)))
        self.size = len(self.values)

    def random(self, rng: np.random.RandomState) -> int:
        return int(rng.randint(self.size))

    def mutate(self, position: int, rng: np.random.RandomState) -> int:
        return (
            int((position + rng.randint(1, self.size)) % self.size) if self.size > 1 else position
        )

    def middle(self) -> int:
        return self.order[len(self.order) // 2] if self.order else 0

    def find(self, value) -> int | None:
        key = joblib.hash(value)
        return self.keys.index(key) if key in self.keys else None

    def neighbours(self, position: int) -> list[int]:
        if position not in self.order:
            return [other for other in range(self.size) if other != position]
        rank = self.order.index(position)
        return (
            self.order[max(rank - 1, 0) : rank] + self.order[rank + 1 : rank + 2] + self.categories
        )

    def value(self, position: int):
        return self.values[position]

    def key(self, position: int) -> str:
        return self.keys[position]

    def encode(self, position: int) -> list[float]:
        """Rank among the numbers, from 0 to 1 (0.5 for None), and a one-hot category."""
        if self.size == 1:
            return []
        code = [float(position == category) / math.sqrt(2) for category in self.categories]
        if not self.order:
            return code
        if position not in self.order:
            return [0.5, *code]
        return [self.order.index(position) / (len(self.order) - 1), *code]


class Range:
    """A parameter drawn from a frozen scipy.stats distribution; its position is the quantile."""

    size = math.inf

    def __init__(self, distribution) -> None:
        self.distribution = distribution
        self.is_discrete = hasattr(distribution.dist, "pmf")
        self.values: dict = {}  # of positions already asked for: SciPy takes its time

    def _settle(self, quantile: float) -> float:
        """The position of a discrete value is the middle of the quantiles that lead to it."""
        quantile = float(np.clip(quantile, 1e-3, 1 - 1e-3))
        if not self.is_discrete:
            return round(quantile, 9)
        value = self.distribution.ppf(quantile)
        return self._at(value)

    def _at(self, value: float) -> float:
        return round(float(self.distribution.cdf(value - 1) + self.distribution.cdf(value)) / 2, 9)

    def random(self, rng: np.random.RandomState) -> float:
        return self._settle(rng.random_sample())

    def mutate(self, position: float, rng: np.random.RandomState) -> float:
        moved = abs(position + 2 * STEP * rng.normal())  # reflected at 0, and at 1 below
        return self._settle(1 - abs(1 - moved))

    def middle(self) -> float:
        return self._settle(0.5)

    def find(self, value) -> float | None:
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not 0 < self.distribution.cdf(value) <= 1:
            return None
        return self._at(value) if self.is_discrete else self._settle(self.distribution.cdf(value))

    def neighbours(self, position: float) -> list[float]:
        return [moved for sign in (-1, 1) if (moved := self._step(position, sign)) != position]

    def _step(self, position: float, sign: int) -> float:
        moved = self._settle(position + sign * STEP)
        if moved != position or not self.is_discrete:
            return moved
        return self._settle(self._at(self.value(position) + sign))  # one value is more than a step

    def value(self, position: float):
        if position not in self.values:
            value = self.distribution.ppf(position).item()
            self.values[position] = int(value) if self.is_discrete else value
        return self.values[position]

    def key(self, position: float) -> str:
        return repr(self.value(position))

    def encode(self, position: float) -> list[float]:
        return [position]


class Space:
    """All candidates of a search.

    Args:
        param_space: name -> a list of values, or a frozen scipy.stats distribution. A sequence of
            such mappings is the union of their candidates: parameters that exist only under a
            condition stand in the mapping that fixes the condition, as in GridSearchCV.

    Attributes:
        size: number of candidates; infinite with a distribution (a discrete one counts as such).

    Raises:
        ValueError: a space, or a parameter's list, is empty or malformed.

    Example:
        >>> rbf = {"kernel": ["rbf"], "gamma": loguniform(1e-4, 1)}
        >>> space = Space([rbf, {"kernel": ["linear"]}])
        >>> space.params(space.random(np.random.RandomState(0)))
        {'kernel': 'rbf', 'gamma': 0.0157...}
    """

    def __init__(self, param_space: Mapping | Sequence[Mapping]) -> None:
        mappings = [param_space] if isinstance(param_space, Mapping) else param_space
        if not isinstance(mappings, Sequence) or isinstance(mappings, str) or not mappings:
            raise ValueError(
                f"param_space must be a dict or a list of dicts, not empty, got {param_space!r}"
            )
        self.subspaces = [_read(mapping) for mapping in mappings]
        self.names = sorted({name for subspace in self.subspaces for name in subspace})
        self._sizes = [
            math.prod(parameter.size for parameter in subspace.values())
            for subspace in self.subspaces
        ]
        self.size = sum(self._sizes)
        self._blocks = self._lay_out_columns()

    def params(self, point: Point) -> dict:
        """The parameters of a point, as an estimator takes them."""
        subspace, positions = point
        return {
            name: parameter.value(position)
            for (name, parameter), position in zip(
                self.subspaces[subspace].items(), positions, strict=True
            )
        }

    def key(self, point: Point) -> frozenset:
        """Equal for points with the same parameters, whatever subspace they come from."""
        subspace, positions = point
        return frozenset(
            (name, parameter.key(position))
            for (name, parameter), position in zip(
                self.subspaces[subspace].items(), positions, strict=True
            )
        )

    def points(self) -> Iterator[Point]:
        """Every point of a finite space, in the order of ParameterGrid's nesting."""
        for index, subspace in enumerate(self.subspaces):
            for positions in itertools.product(*(range(one.size) for one in subspace.values())):
                yield index, positions

    def random(self, rng: np.random.RandomState) -> Point:
        """A random point: uniform over a finite space, else over subspaces and distributions."""
        if math.isinf(self.size):
            index = int(rng.randint(len(self.subspaces)))
        else:
            index = int(rng.choice(len(self._sizes), p=np.divide(self._sizes, self.size)))
        return index, tuple(one.random(rng) for one in self.subspaces[index].values())

    def neighbours(self, point: Point) -> list[Point]:
        """Points one step away in one parameter, and the nearest of every other subspace."""
        index, positions = point
        near = []
        for place, parameter in enumerate(self.subspaces[index].values()):
            for other in parameter.neighbours(positions[place]):
                near.append((index, (*positions[:place], other, *positions[place + 1 :])))
        return near + [self._moved(point, to) for to in range(len(self.subspaces)) if to != index]

    def mutate(self, point: Point, rng: np.random.RandomState) -> Point:
        """A copy with one parameter changed at random, or taken to another subspace."""
        index, positions = point
        parameters = list(self.subspaces[index].values())
        changeable = [place for place, one in enumerate(parameters) if one.size > 1]
        choices = changeable + [-1] * (len(self.subspaces) > 1)
        if not choices:
            return point
        place = choices[rng.randint(len(choices))]
        if place == -1:
            to = (index + rng.randint(1, len(self.subspaces))) % len(self.subspaces)
            return self._moved(point, int(to), rng)
        changed = parameters[place].mutate(positions[place], rng)
        return index, (*positions[:place], changed, *positions[place + 1 :])

    def encode(self, points: Sequence[Point]) -> np.ndarray:
        """Points as numbers for a surrogate: float64, shape (len(points), columns).

        Ordered parameters are ranks or quantiles in [0, 1], categories are one-hot (a change of
        category is as far as from 0 to 1), parameters that do not exist at a point are 0.5.
        """
        codes = np.full((len(points), self._blocks["columns"]), 0.5)
        for row, (index, positions) in enumerate(points):
            if len(self.subspaces) > 1:
                codes[row, : len(self.subspaces)] = 0.0
                codes[row, index] = 1 / math.sqrt(2)
            for (name, parameter), position in zip(
                self.subspaces[index].items(), positions, strict=True
            ):
                code = parameter.encode(position)
                start = self._blocks[index, name]
                codes[row, start : start + len(code)] = code
        return codes

    def _moved(self, point: Point, to: int, rng: np.random.RandomState | None = None) -> Point:
        """The point of another subspace that keeps what it can; the rest: random, or middle."""
        here = self.params(point)
        positions = []
        for name, parameter in self.subspaces[to].items():
            found = parameter.find(here[name]) if name in here else None
            fresh = parameter.middle() if rng is None else parameter.random(rng)
            positions.append(fresh if found is None else found)
        return to, tuple(positions)

    def _lay_out_columns(self) -> dict:
        """Where each parameter's columns start; subspaces share those of a parameter they share."""
        blocks, shared = {}, {}
        columns = len(self.subspaces) if len(self.subspaces) > 1 else 0
        for index, subspace in enumerate(self.subspaces):
            for name, parameter in subspace.items():
                same = (name, tuple(getattr(parameter, "keys", [id(parameter)])))
                if same not in shared:
                    shared[same] = columns
                    columns += len(parameter.encode(parameter.middle()))
                blocks[index, name] = shared[same]
        return blocks | {"columns": columns}


def _read(mapping: Mapping) -> dict[str, Choice | Range]:
    if not isinstance(mapping, Mapping) or not mapping:
        raise ValueError(f"param_space must hold dicts that are not empty, got {mapping!r}")
    return {str(name): _parameter(name, values) for name, values in mapping.items()}


def _parameter(name: str, values) -> Choice | Range:
    if hasattr(values, "ppf") and hasattr(values, "dist"):
        return Range(values)
    is_list = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if not is_list or len(values) == 0 or (isinstance(values, np.ndarray) and values.ndim > 1):
        raise ValueError(
            f"param_space[{name!r}] must be a list that is not empty, or a frozen distribution of "
            f"scipy.stats, got {values!r}"
        )
    return Choice(list(values))
