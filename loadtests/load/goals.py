"""What a scenario wants reached beside its verdict, and whether it was.

Invariant: a goal is about a figure that the run tells; one whose figure is missing was not reached.
"""

from msgspec import Struct

from loadtests.load.results import Figure


class Goals(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Each the least or the most that a figure may be; None asks nothing."""

    delivered_per_s: float | None = None  # least, of the best phase
    resumed_per_s: float | None = None  # least
    session_kib: float | None = None  # most
    goodput_of_peak: float | None = None  # least share
    recovery_s: float | None = None  # most
    sql_behind_s: float | None = None  # most
    ack_p50_ms: float | None = None  # most
    ack_p99_ms: float | None = None  # most
    memory_growth_mib: float | None = None  # most, of any role
    files_growth: float | None = None  # most, of any role
    tasks_growth: float | None = None  # most, of any process
    keys_growth: float | None = None  # most, as a share
    streams_growth: float | None = None  # most, as a share

    @property
    def is_about_growth(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__struct_fields__ if "_growth" in name)


LEAST = frozenset({"delivered_per_s", "resumed_per_s", "goodput_of_peak"})


def told(goals: Goals, reached: dict[str, Figure]) -> tuple[list[Figure], list[str]]:
    """Return the figures with what was wanted of them, and what was missed in words."""
    missed = []
    for name in Goals.__struct_fields__:
        wanted = getattr(goals, name)
        if wanted is None:
            continue
        figure = reached.get(name)
        if figure is None:
            missed.append(f"{name}: was to be {_bound(name)} {wanted:g}, and nothing in this run measures it")
            continue
        is_reached = figure.value >= wanted if name in LEAST else figure.value <= wanted
        note = f"goal: {_bound(name)} {wanted:g}, {'reached' if is_reached else 'MISSED'}"
        figure.note = f"{figure.note}; {note}" if figure.note else note
        if not is_reached:
            missed.append(f"{figure.name}: {figure.value:,.2f} {figure.unit}".rstrip() + f", {note}")
    return list(reached.values()), missed


def _bound(name: str) -> str:
    return "at least" if name in LEAST else "at most"
