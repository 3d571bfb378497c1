"""Checks of the exercises of notebook 48, beyond one machine."""

import math

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
def idle_in_batches(answer) -> str | None:
    mean, longest = 1 + 9 / 20, 1 + 9 * (1 - 0.95**16)
    return number(
        answer,
        1 - mean / longest,
        3,
        "A batch takes 10 with probability 1 - 0.95**16, else 1; a worker is at work for 1.45 of "
        "it, on average.",
        {
            mean / longest: "That is the share in which they are at work; the rest is idle.",
            1 - mean / 10: "Not every batch has a straggler: none of 16 is one with 0.95**16.",
            1 - 0.95**16: "That is how often a batch has a straggler. How long is it, on average?",
            0.95**16: "That is how often a batch has no straggler.",
            1 - 1 / longest: "The stragglers are at work, too: a candidate takes 1.45 on average.",
            longest - mean: "That is idle time, in candidates. Divide by what a batch takes.",
            1 - mean / (1 + 9 * 0.8): "16/20 is the mean number of stragglers in a batch, not the "
            "probability of at least one.",
        },
    )
