"""Instant checks for the exercises: `check("11.1", answer)` says right, not yet, or not answered.

A wrong answer never raises, so that a notebook with open exercises still runs from top to bottom.
The questions stand in the notebooks; here stand only their tests and the hints for wrong answers,
in one module per chapter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import importlib
import pkgutil

import numpy as np

# exercise number -> a function that returns None for a right answer, else a hint
_CHECKS: dict[str, Callable[[object], str | None]] = {}


@dataclass(frozen=True)
class Result:
    """What a check found; a cell that ends with it shows its message."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return self.message


class Unanswered(Exception):
    """Raised inside a check whose exercise still has dots in place of an answer."""


def exercise(number: str):
    """Register a function as the check of one exercise (a decorator)."""

    def register(function: Callable[[object], str | None]):
        if number in _CHECKS:
            raise ValueError(f"number must be new, got {number!r} a second time")
        _CHECKS[number] = function
        return function

    return register


def check(number: str, answer: object) -> Result:
    """Check an answer, and hint at the way when it is not right yet.

    Args:
        number: of the exercise, such as "11.1".
        answer: whatever the exercise asks for: a number, an array, a function. `...` counts as
            not answered.

    Returns:
        A Result; it shows itself at the end of a cell.

    Raises:
        ValueError: there is no exercise of that number (a wrong answer never raises).

    Example:
        >>> check("11.1", ...)
        ⬜ 11.1 Not answered yet: put your answer in place of the dots.
    """
    number = str(number)
    if number not in _CHECKS:
        _register(chapter=number.partition(".")[0])
    if number not in _CHECKS:
        everything = numbers()
        near = [name for name in everything if name.split(".")[0] == number.split(".")[0]]
        listed = near or [*everything[:3], "..."]  # of the chapter, else how a number looks
        raise ValueError(f"number must be one of {listed}, got {number!r}")
    try:
        if answer is ...:
            raise Unanswered
        hint = _CHECKS[number](answer)
    except Unanswered:
        return Result(False, f"⬜ {number} Not answered yet: put your answer in place of the dots.")
    except (Exception, SystemExit) as error:
        hint = f"Your answer could not be checked: {type(error).__name__}: {error}"
    return Result(
        hint is None, f"✅ {number} Right." if hint is None else f"❌ {number} Not yet. {hint}"
    )


def call(function: Callable, *args):
    """Call a reader's function inside a check; dots for a result mean that it is still to write."""
    result = function(*args)
    if result is ...:
        raise Unanswered
    return result


def is_close(answer: object, target: float, tolerance: float) -> bool:
    """Whether an answer, a number or an array of one, is within an absolute tolerance of it."""
    return abs(float(np.asarray(answer).item()) - target) <= tolerance


def number(
    answer: object,
    target: float,
    digits: int,
    general: str,
    ideas: Mapping[float, str] | None = None,
) -> str | None:
    """The hint for an answer that is a number; None if it is right, however it was rounded.

    Right is the target, rounded in any way to `digits` significant digits or more; twice rounded
    will do (44.356 as 44.36, and that as 44.4), and from two digits more on nothing is asked.

    Args:
        answer: a number, or an array of one.
        target: not 0.
        digits: how many significant digits the exercise asks for; with fewer, the hint says so.
        general: the hint for a wrong number without one of its own.
        ideas: wrong numbers that a known mistake leads to -> its hint.

    Example:
        >>> number(1.31, 1.3069, 3, "Which density?") is None
        True
        >>> number(1.3, 1.3069, 3, "Which density?")
        'Right as far as it goes: give at least 3 digits.'
    """
    given = float(np.asarray(answer).item())
    if _misses(given, target, digits) <= 1:
        return None
    for value, hint in (ideas or {}).items():
        if _misses(given, value, digits) <= 1:
            return hint
    if any(_misses(given, target, fewer, fewer) <= 1 for fewer in range(1, digits)):
        return f"Right as far as it goes: give at least {digits} digits."
    return "Nearly: its last digit is off." if _misses(given, target, digits) <= 2 else general


def _misses(given: float, target: float, digits: int, most: int | None = None) -> float:
    """How far a number is from the target, in units of what its own rounding allows.

    Its precision counts from `digits` significant digits to `most`, by default one more.
    """
    if not np.isfinite(given):
        return np.inf
    first = int(np.floor(np.log10(abs(target))))  # the place of the first digit
    own = next(d for d in range(-20, 20) if d == 19 or round(given, d) == given)
    if most is not None and own > most - 1 - first:
        return np.inf
    decimals = min(max(own, digits - 1 - first), (most or digits + 1) - first)
    return abs(given - target) / (0.5501 * 10.0**-decimals)


def chosen(answer: object, hints: Mapping[str, str | None]) -> str | None:
    """The hint for a chosen letter, None for the right one; case and brackets do not matter."""
    letters = " or ".join(f'"{letter}"' for letter in hints)
    return hints.get(str(answer).strip(" ().").lower(), f"Answer {letters}.")


def _register(chapter: str) -> None:
    """Import a chapter's module, which registers its checks; unknown chapters have none.

    One at a time, when asked for: some of them need Keras, which takes seconds to import.
    """
    name = f"chapter_{chapter}"
    if name in {module.name for module in pkgutil.iter_modules(__path__)}:
        importlib.import_module(f"{__name__}.{name}")


def numbers() -> list[str]:
    """The numbers of all exercises of the course."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_CHECKS)
