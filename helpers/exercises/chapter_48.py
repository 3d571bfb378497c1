"""Checks of the exercises of notebook 48, beyond one machine."""

import math

from helpers.exercises import call, chosen, exercise, is_close


@exercise("48.1")
def useful_workers(answer) -> str | None:
    if is_close(answer, 201, 0.5):
        return None
    if is_close(answer, 200, 0.5):
        return "Almost: while 200 work, there is time to hand out one more task."
    if is_close(answer, 1.2, 0.01) or is_close(answer, 0.2, 0.01):
        return "Mind the units: 3 ms are 0.003 s."
    return "It is 1 + s/o, with both in the same unit."


@exercise("48.2")
def fits_per_message(answer) -> str | None:
    cases = [(0.05, 0.002, 1000), (1, 1, 2), (0.5, 0.01, 201), (0.01, 0.003, 12), (2, 1, 1)]
    for seconds, overhead, workers in cases:
        right = max(1, math.ceil((workers - 1) * overhead / seconds - 1e-9))
        got = call(answer, seconds, overhead, workers)
        if got != int(got):
            return f"{got} is not a whole number; round up."
        if got == right:
            continue
        case = f"For {seconds} s, {overhead} s and {workers} workers"
        if got == 0:
            return f"{case} a batch of no fits does nothing: it must hold at least 1."
        if got == math.ceil(workers * overhead / seconds):
            return f"{case} {right} is enough: 1 + k s/o must reach W, so k is (W - 1) o/s."
        if got == math.floor((workers - 1) * overhead / seconds):
            return f"{case} {got:.0f} is one too few: round up."
        return (
            f"{case} it is {right}, yours is {got}. A batch works k s: solve 1 + k s/o >= W for k."
        )
    return None


@exercise("48.3")
def lost_work(answer) -> str | None:
    if is_close(answer, 240, 0.5):
        return None
    if is_close(answer, 30, 0.5):
        return "That is what one worker loses; there are 8."
    if is_close(answer, 600, 0.5) or is_close(answer, 4800, 0.5):
        return "That would be lost without the cache. With it, finished fits are on disk."
    if is_close(answer, 0, 0.5):
        return "The finished fits are safe, but what about those under way?"
    return "Each worker has one fit under way, and loses that one at most."


@exercise("48.4")
def nothing_again(answer) -> str | None:
    hints = {
        "a": "n_jobs of the forest is a parameter of the estimator, so it is part of the key.",
        "b": None,
        "c": "Other folds are other training data: all fits are new but the last, on all rows.",
        "d": "The versions of the libraries are part of the key.",
    }
    return chosen(answer, hints)


@exercise("48.5")
def choose(answer) -> str | None:
    for machines in (1, 2, 50):
        for reproducible in (True, False):
            got = str(call(answer, machines, reproducible)).strip().lower()
            if got not in ("loky", "dask", "journal"):
                return f'It must return "loky", "dask" or "journal", not {got!r}.'
            case = f"For {machines} machine(s)"
            if got == "loky":
                return f"{case}: a worker that dies ends a search on loky, and yours dies daily."
            if got == "journal" and reproducible:
                return f"{case}: in a journal, the order of events decides what is tried next."
            if got == "journal":
                return f"{case}: a journal would do, but Dask, the simpler one, does it as well."
    return None
