"""Checks of the exercises of notebook 48, beyond one machine."""

import heapq
import math

from helpers import records
from helpers.exercises import call, exercise, number


@exercise("48.1")
def worker_seconds(answer) -> str | None:
    return number(
        answer,
        180 * 2.949,
        3,
        "Look for the smallest W whose makespan(720, 0.6, 0.003, W) is at most 3, then W T(W).",
        {
            145 * 3.432: "145 workers are enough for 720 (s + o) / W, but not for the last round: "
            "they take 3.43 s.",
            144 * 3.444: "144 workers are enough for the work alone; with its last round and the "
            "handing out they take 3.44 s.",
            435: "With 145 workers, the last round would end after the 3 seconds.",
            432: "That is the work alone. You also pay for waiting, and for the last round.",
            434.16: "That is what one worker takes. You also pay for those that wait at the end.",
            540: "You pay until the last result is there, which is a little before the limit.",
            201 * 2.76: "W* is where more workers gain nothing. Fewer are enough for 3 seconds.",
            2.949: "That is T with the right number of workers. Each of them is paid.",
            180: "The right number of workers. Each is paid until the last result is there.",
        },
    )


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
def longest_first(answer) -> str | None:
    runs = records.load("search_tables")["runs"]
    seconds = [run["cpu_seconds_per_fit"] for run in runs if run["table"] == "forest"]
    recorded = [duration for duration in seconds for _ in range(5)]
    listed, longest, shortest = (
        _finish(durations) for durations in (recorded, sorted(recorded)[::-1], sorted(recorded))
    )
    return number(
        answer,
        listed / longest,
        3,
        "Divide finish(recorded, 0, 100) by the same of np.sort(recorded)[::-1].",
        {
            longest / listed: "The other way round: the recorded order takes longer.",
            listed / shortest: "np.sort puts the shortest first: turn it round with [::-1].",
            longest: "That is how long it takes longest first, in seconds. Compare.",
            listed - longest: "That is the difference in seconds; a quotient is asked for.",
            listed / longest - 1: "That is how much longer it takes; add 1.",
        },
    )


def _finish(durations: list[float], workers: int = 100) -> float:
    """When the last task of a list ends, if every idle worker takes the next one."""
    free = [0.0] * workers
    for seconds in durations:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)
