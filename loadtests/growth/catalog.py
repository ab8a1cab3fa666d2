"""Which curves there are, at which sizes, and how long each is measured: fully, quickly, or just to see that it works.

Invariant: the sizes of a shorter form are no larger than those of the full one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.growth import resuming, sessions, staff, words
from loadtests.growth.curve import Curve

Sizes = dict[str, Sequence[int]]

_FULL: Sizes = {
    **{name: curve.sizes for name, curve in words.CURVES.items()},
    "agents": staff.AGENTS,
    "waiting": staff.WAITING,
    "sessions": sessions.SIZES,
    "resume": resuming.SIZES,
}
_QUICK: Sizes = {
    "conversations": (1_000, 4_000),
    "one-account": (1_000, 4_000),
    "history": (40, 400),
    "accounts": (1, 100),
    "cells": (1, 16),
    "engines": (1, 2),
    "agents": (10, 1_000),
    "waiting": (10, 2_000),
    "sessions": (200, 1_000),
    "resume": (10, 400),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One way to run all of it."""

    sizes: Sizes
    words: words.Effort
    staff: staff.Effort
    sessions: sessions.Effort
    rounds: int  # of coming back
    times: int  # that each phone comes back in one


FULL = Form(_FULL, words.Effort(), staff.Effort(), sessions.Effort(), 5, 10)
QUICK = Form(
    _QUICK, words.Effort(2, 3_200, 1.0, is_patient=False), staff.Effort(3, 30), sessions.Effort(2, 2_000, 2.0), 2, 4
)  # fmt: skip
NAMES = tuple(_FULL)


async def measure(name: str, form: Form, command: str) -> Curve:
    """Measure the curve of that name."""
    sizes = form.sizes[name]
    if name in words.CURVES:
        return await words.measure(words.CURVES[name], sizes, form.words, command)
    if name == "agents":
        return await staff.agents(sizes, form.staff, command)
    if name == "waiting":
        return await staff.waiting(sizes, form.staff, command)
    if name == "sessions":
        return await sessions.measure(sizes, form.sessions, command)
    return await resuming.measure(sizes, form.rounds, form.times, command)
