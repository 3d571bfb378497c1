"""A search space of mixed parameters: its points, their neighbours, and their codes."""

from collections.abc import Iterator, Mapping, Sequence
import itertools
import math
import numbers
import pickle

import joblib
import numpy as np

# A point: which subspace, and where each of its parameters stands (in the order of its names): the
# index of a value for a list, a quantile in (0, 1) for a distribution.
Point = tuple[int, tuple]
STEP = 0.1  # of a greedy step along a distribution, in quantiles
EDGE = 1e-9  # a quantile is at least so far from 0 and 1, where a distribution may end at infinity


class Choice:
    """A parameter that takes one of a list of values; its position is an index into them.

    Numbers are in order, and only the next smaller and larger one are neighbours. Categories are
    all neighbours of each other, and of every number among which they stand, as None or "scale" do.
    """

    def __init__(self, values: Sequence) -> None:
        unique = {_hash(value): value for value in values}
        self.keys, self.values = tuple(unique), list(unique.values())
        self.signature = self.keys
        self.size = len(self.values)
        numeric = [place for place, value in enumerate(self.values) if _is_number(value)]
        self.order = sorted(numeric, key=self.values.__getitem__) if len(numeric) > 1 else []
        self.ranks = {place: rank / (len(numeric) - 1) for rank, place in enumerate(self.order)}
        others = [place for place in range(self.size) if place not in self.order]
        self.categories = others if self.size > 1 else []  # one value needs no code

    def random(self, rng: np.random.RandomState) -> int:
        """Any position, each as likely as any other."""
        return int(rng.randint(self.size))

    def mutate(self, position: int, rng: np.random.RandomState) -> int:
        """Any other position; there must be one."""
        return int((position + rng.randint(1, self.size)) % self.size)

    def middle(self) -> int:
        """Where to start when nothing is known: the median number, else the first value."""
        return self.order[len(self.order) // 2] if self.order else 0

    def find(self, value) -> int | None:
        """The position of a value, None if the parameter never takes it."""
        key = _hash(value)
        return self.keys.index(key) if key in self.keys else None

    def neighbours(self, position: int) -> list[int]:
        """The positions one step away."""
        if position not in self.order:
            return [other for other in range(self.size) if other != position]
        rank = self.order.index(position)
        lower, higher = self.order[max(rank - 1, 0) : rank], self.order[rank + 1 : rank + 2]
        return lower + higher + self.categories

    def value(self, position: int):
        """The value that an estimator is given."""
        return self.values[position]

    def key(self, position: int) -> str:
        """Equal for equal values, whatever parameter they come from."""
        return self.keys[position]

    def encode(self, position: int) -> list[float]:
        """Rank among the numbers, from 0 to 1 (0.5 for a category), and a one-hot category."""
        code = [self.ranks.get(position, 0.5)] if self.order else []
        return code + [float(position == one) / math.sqrt(2) for one in self.categories]


class Range:
    """As `Choice`, drawn from a frozen scipy.stats distribution; the position is the quantile."""

    size = math.inf

    def __init__(self, distribution) -> None:
        law, self.distribution = distribution.dist, distribution
        self.is_discrete = hasattr(law, "pmf")
        atoms, weights = ([*map(float, getattr(law, name, ()))] for name in ("xk", "pk"))
        self.is_whole = self.is_discrete and all(atom.is_integer() for atom in atoms)
        self.values: dict = {}  # of positions already asked for: SciPy takes its time
        self.signature = (law.name, repr((distribution.args, distribution.kwds, atoms, weights)))

    def _settle(self, quantile: float) -> float:
        """The position of a discrete value is the middle of the quantiles that lead to it."""
        quantile = float(np.clip(quantile, EDGE, 1 - EDGE))
        return self._at(self.distribution.ppf(quantile)) if self.is_discrete else round(quantile, 9)

    def _at(self, value: float) -> float:
        law = self.distribution
        return round(float(law.cdf(value) - law.pmf(value) / 2), 12)

    def random(self, rng: np.random.RandomState) -> float:
        return self._settle(rng.random_sample())

    def mutate(self, position: float, rng: np.random.RandomState) -> float:
        """A draw near a position, reflected at both ends."""
        moved = abs(position + 2 * STEP * rng.normal())
        return self._settle(1 - abs(1 - moved))

    def middle(self) -> float:
        return self._settle(0.5)

    def find(self, value) -> float | None:
        low, high = self.distribution.support()
        if not _is_number(value) or not low <= value <= high:
            return None
        if self.is_discrete:
            position = self._at(value)
            return position if self.distribution.ppf(position) == value else None
        position = self._settle(self.distribution.cdf(value))
        self.values[position] = float(value)  # not what rounding makes of it
        return position

    def neighbours(self, position: float) -> list[float]:
        """A step of STEP quantiles down and up; where values are coarser, the next value."""
        near = []
        for sign in (-1, 1):
            moved = self._settle(position + sign * STEP)
            if moved == position and self.is_discrete:  # one value is more than a step
                half = self.distribution.pmf(self.value(position)) / 2
                moved = self._settle(position + sign * (half + EDGE))
            near.append(moved)
        return [moved for moved in near if moved != position]

    def value(self, position: float):
        """The value that an estimator is given: a float, or an int where all values are whole."""
        if position not in self.values:
            value = self.distribution.ppf(position).item()
            self.values[position] = int(value) if self.is_whole else value
        return self.values[position]

    def key(self, position: float) -> str:
        return _hash(self.value(position))

    def encode(self, position: float) -> list[float]:
        return [position]


def _is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _hash(value) -> str:
    value = value.item() if isinstance(value, np.generic) else value  # as an estimator has it
    if _is_number(value):  # joblib takes its time
        return repr(value)
    try:
        return joblib.hash(value)
    except (pickle.PicklingError, TypeError, AttributeError):  # a lambda: it is only itself
        return f"object {id(value)}"


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
        self._sizes = [math.prod(one.size for one in each.values()) for each in self.subspaces]
        self.size = sum(self._sizes)
        self._columns = len(self.subspaces) if len(self.subspaces) > 1 else 0
        self._starts, places = {}, {}  # of each parameter's columns; what is one has one place
        for index, subspace in enumerate(self.subspaces):
            for name, parameter in subspace.items():
                same = name, parameter.signature, self._owner(subspace, name)
                if same not in places:
                    places[same] = self._columns
                    self._columns += len(parameter.encode(parameter.middle()))
                self._starts[index, name] = places[same]

    def find(self, params: Mapping) -> Point | None:
        """The point with exactly these parameters, None if the space does not hold it."""
        for index, subspace in enumerate(self.subspaces):
            if subspace.keys() == params.keys():
                positions = tuple(one.find(params[name]) for name, one in subspace.items())
                if None not in positions:
                    return index, positions
        return None

    def params(self, point: Point) -> dict:
        """The parameters of a point, as an estimator takes them."""
        return {name: parameter.value(position) for name, parameter, position in self._parts(point)}

    def key(self, point: Point) -> frozenset:
        """Equal for points with the same parameters, whatever subspace they come from."""
        return frozenset((name, one.key(position)) for name, one, position in self._parts(point))

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
            index = int(rng.choice(len(self._sizes), p=[one / self.size for one in self._sizes]))
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
        choices = [place for place, one in enumerate(parameters) if one.size > 1]
        choices += [-1] * (len(self.subspaces) > 1)
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
        Subspaces share the columns of a parameter that has the same values in both and belongs to
        the same kind of estimator: `model__C` of two algorithms is two parameters.
        """
        codes = np.full((len(points), self._columns), 0.5)
        for code, point in zip(codes, points, strict=True):
            if len(self.subspaces) > 1:
                code[: len(self.subspaces)] = 0.0
                code[point[0]] = 1 / math.sqrt(2)
            for name, parameter, position in self._parts(point):
                part, start = parameter.encode(position), self._starts[point[0], name]
                code[start : start + len(part)] = part
        return codes

    def _parts(self, point: Point) -> Iterator[tuple]:
        """Name, parameter and position, of each parameter that a point has."""
        subspace = self.subspaces[point[0]]
        return zip(subspace, subspace.values(), point[1], strict=True)

    def _moved(self, point: Point, to: int, rng: np.random.RandomState | None = None) -> Point:
        """The point of another subspace that keeps what it can; the rest: random, or middle."""
        here, positions = self.params(point), []
        old, new = self.subspaces[point[0]], self.subspaces[to]
        for name, parameter in new.items():
            shared = name in here and self._owner(old, name) == self._owner(new, name)
            found = parameter.find(here[name]) if shared else None
            fresh = parameter.middle() if rng is None else parameter.random(rng)
            positions.append(fresh if found is None else found)
        return to, tuple(positions)

    @staticmethod
    def _owner(subspace: Mapping, name: str) -> tuple:
        """The kinds of estimators that a parameter such as `model__C` belongs to, if they vary."""
        prefixes = itertools.accumulate(name.split("__")[:-1], "{}__{}".format)
        owners = [subspace[prefix] for prefix in prefixes if prefix in subspace]
        return tuple(sorted({type(value).__name__ for one in owners for value in one.values}))


def _read(mapping: Mapping) -> dict[str, Choice | Range]:
    if not isinstance(mapping, Mapping) or not mapping:
        raise ValueError(f"param_space must hold dicts that are not empty, got {mapping!r}")
    return {str(name): _parameter(name, values) for name, values in mapping.items()}


def _parameter(name: str, values) -> Choice | Range:
    if hasattr(values, "ppf") and hasattr(values, "dist"):  # an unfrozen one has no dist
        return Range(values)
    is_list = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if not is_list or len(values) == 0 or (isinstance(values, np.ndarray) and values.ndim > 1):
        raise ValueError(
            f"param_space[{name!r}] must be a list that is not empty, or a frozen distribution of "
            f"scipy.stats, got {values!r}"
        )
    return Choice(list(values))
