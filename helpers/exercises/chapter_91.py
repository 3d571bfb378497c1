"""Checks of the exercises of notebook 91, what a GPU changes."""

import itertools

from helpers.exercises import call, exercise, is_close


@exercise("91.1")
def operations_of_a_network(answer) -> str | None:
    for sizes, batch in (([784, 64, 10], 1), ([784, 200, 200, 50], 100), ([3, 2], 7)):
        got = float(call(answer, list(sizes), batch))
        macs = sum(a * b for a, b in itertools.pairwise(sizes))
        if is_close(got, 6 * macs * batch, 0.5):
            continue
        what = f"For sizes {sizes} and batch {batch} you have {got:,.0f}."
        hints = {
            1: "Those are multiply-adds of the forward pass; count both operations.",
            2: "That is the forward pass; training adds two products as large as it.",
            3: "Those are multiply-adds; a multiply and an add are two operations.",
            4: "The gradient of the weights is there, or that of the inputs; you need both.",
        }
        for factor, hint in hints.items():
            if is_close(got, factor * macs * batch, 0.5):
                return f"{what} {hint}"
        if is_close(got, 6 * macs, 0.5):
            return f"{what} That is for one image; a step has {batch}."
        return f"{what} Three products per layer, 2 * inputs * outputs * batch operations each."
    return None


@exercise("91.2")
def speed_up(answer) -> str | None:
    for overhead, work, factor in ((3.0, 6.0, 10.0), (1.0, 0.0, 50.0), (0.5, 20.0, 2.0)):
        got = float(call(answer, overhead, work, factor))
        expected = (overhead + work) / (overhead + work / factor)
        if is_close(got, expected, 1e-6):
            continue
        what = f"overhead {overhead}, work {work}, factor {factor}: {got:.3f}."
        if is_close(got, 1 / expected, 1e-6):
            return f"{what} Upside down: old time over new time."
        if is_close(got, factor, 1e-6):
            return f"{what} The overhead does not get faster with the device."
        if is_close(got, overhead + work / factor, 1e-6):
            return f"{what} That is the new time in itself; how many times less than the old?"
        return f"{what} Expected {expected:.3f}: (overhead + work) / (overhead + work / factor)."
    return None


@exercise("91.3")
def where_a_sum_stops(answer) -> str | None:
    if is_close(answer, 2048, 0.5):
        return None
    if is_close(answer, 1024, 0.5) or is_close(answer, 4096, 0.5):
        return "Off by a factor of two: how many bits does 1 + the stored fraction make?"
    if is_close(answer, 256, 0.5):
        return "That is where bfloat16 stops; float16 stores 10 bits of fraction instead of 7."
    if is_close(answer, 65504, 10):
        return "That is the largest number of float16; adding 1 stops to matter long before."
    return "The gap between neighbours near 2**k is 2**(k - 10). When is it 2?"
