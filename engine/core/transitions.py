"""The law of conversations as a table: which event may follow in which phase, and what is true after it.

Invariant: `evolve` takes no event that is not here, and a test proves that it takes every one that is. The diagram in
docs/architecture/conversation-states.md is drawn from it: `python -m engine.core.transitions`.
"""

from typing import Final

from engine.core import phases
from engine.core.phases import Phase
from protocol.wire import content
from protocol.wire.content import Body

Row = dict[type[Body], tuple[type[Phase], ...]]

_OVER: Final[Row] = {content.Closed: (phases.Closed,), content.Parked: (phases.Parked,)}

TABLE: Final[dict[type[Phase], Row]] = {
    phases.NotStarted: {content.Started: (phases.Opening,)},
    phases.Opening: {
        content.ConsentAnswered: (phases.Opening, phases.Gated, phases.Ready),
        content.Message: (phases.Opening,),
        content.Queued: (phases.Waiting,),
        content.Unrouted: (phases.Unassigned,),
    },
    phases.Gated: {
        content.ConsentAnswered: (phases.Gated, phases.Ready),
        content.Message: (phases.Opening,),
        **_OVER,
    },
    phases.Ready: {content.Message: (phases.Opening,), **_OVER},
    phases.Waiting: {
        content.ConsentAnswered: (phases.Waiting,),
        content.Message: (phases.Waiting,),
        content.Transferred: (phases.Waiting,),
        content.Assigned: (phases.Talking,),
        **_OVER,
    },
    phases.Unassigned: {
        content.ConsentAnswered: (phases.Unassigned,),
        content.Message: (phases.Unassigned,),
        content.Unrouted: (phases.Unassigned,),
        content.Transferred: (phases.Unassigned,),
        content.Queued: (phases.Waiting,),
        content.Assigned: (phases.Talking,),
        **_OVER,
    },
    phases.Talking: {
        content.ConsentAnswered: (phases.Talking,),
        content.Message: (phases.Talking,),
        content.Transferred: (phases.Talking,),
        content.Unassigned: (phases.Unassigned,),
        content.Closed: (phases.Closed,),
    },
    phases.Closed: {
        content.ConsentAnswered: (phases.Closed,),
        content.Reopened: (phases.Opening,),
        content.Parked: (phases.Parked,),
    },
    phases.Parked: {},
}

ALLOWED: Final = frozenset((phase, body) for phase, row in TABLE.items() for body in row)


def mermaid() -> str:
    """Return the table as a mermaid state diagram, one arrow per pair of phases."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for phase, row in TABLE.items():
        for body, after in row.items():
            for then in after:
                arrows.setdefault((phase.__name__, then.__name__), []).append(body.__name__)
    lines = [f"    {before} --> {after}: {', '.join(bodies)}" for (before, after), bodies in arrows.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> NotStarted", *lines])


def page() -> str:
    """Return docs/architecture/conversation-states.md."""
    meanings = [f"| `{phase.__name__}` | {' '.join((phase.__doc__ or '').split())} |" for phase in TABLE]
    return "\n".join(
        [
            "# The phases of a conversation",
            "",
            "Drawn from the table in `engine/core/transitions.py` by `python -m engine.core.transitions`; a test keeps",
            "it current. An arrow names the log entries (SPEC 7.2) along it; what has no arrow cannot happen.",
            "",
            "```mermaid",
            mermaid(),
            "```",
            "",
            "| phase | what is true |",
            "|---|---|",
            *meanings,
            "",
        ]
    )


if __name__ == "__main__":
    print(page(), end="")
