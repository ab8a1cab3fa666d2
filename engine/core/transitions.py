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

# What stands beside the phase and leaves it as it is.
_ASIDE: Final[tuple[type[Body], ...]] = (
    content.ConsentAnswered,
    content.EmailAsked,
    content.EmailGiven,
    content.EmailGivenUp,
    content.Note,
    content.Redacted,
    content.TagsChanged,
    content.FieldsSet,
    content.PrioritySet,
    content.TicketOpened,
    content.TicketChanged,
    content.SurveySeen,
    content.SurveyAnswered,
    content.SurveyCommented,
    content.SurveyExpired,
    content.Merged,
)


def _aside(phase: type[Phase], *more: type[Body]) -> Row:
    return dict.fromkeys((*_ASIDE, *more), (phase,))


_OVER: Final[Row] = {content.Closed: (phases.Closed,), content.Parked: (phases.Parked,)}

TABLE: Final[dict[type[Phase], Row]] = {
    phases.NotStarted: {content.Started: (phases.Opening,)},
    phases.Opening: {
        content.ConsentAnswered: (phases.Opening, phases.Gated, phases.Ready),
        content.EmailAsked: (phases.Opening,),
        content.EmailGiven: (phases.Opening, phases.Gated, phases.Ready),
        content.Message: (phases.Opening,),
        content.Queued: (phases.Waiting,),
        content.Unrouted: (phases.Unassigned,),
    },
    phases.Gated: {
        content.ConsentAnswered: (phases.Gated, phases.Ready),
        content.EmailAsked: (phases.Gated,),
        content.EmailGiven: (phases.Gated, phases.Ready),
        content.Message: (phases.Opening,),
        content.Queued: (phases.Waiting,),
        content.Unrouted: (phases.Unassigned,),
        content.Merged: (phases.Gated,),
        **_OVER,
    },
    phases.Ready: {
        content.ConsentAnswered: (phases.Gated, phases.Ready),
        content.EmailAsked: (phases.Ready,),
        content.EmailGiven: (phases.Ready,),
        content.Message: (phases.Opening,),
        content.Queued: (phases.Waiting,),
        content.Unrouted: (phases.Unassigned,),
        content.Merged: (phases.Ready,),
        **_OVER,
    },
    phases.Waiting: {
        **_aside(phases.Waiting, content.Message, content.Transferred, content.Queued),
        content.Unrouted: (phases.Unassigned,),
        content.Assigned: (phases.Talking,),
        **_OVER,
    },
    phases.Unassigned: {
        **_aside(phases.Unassigned, content.Message, content.Transferred, content.Unrouted, content.Woken),
        content.Queued: (phases.Waiting,),
        content.Assigned: (phases.Talking,),
        **_OVER,
    },
    phases.Talking: {
        **_aside(phases.Talking, content.Message, content.Transferred, content.Snoozed, content.Woken),
        content.Unassigned: (phases.Unassigned,),
        content.Closed: (phases.Closed,),
    },
    phases.Closed: {
        **_aside(phases.Closed, content.SurveyAsked),
        content.Reopened: (phases.Opening,),
        content.Parked: (phases.Parked,),
        content.Erased: (phases.Closed,),
    },
    phases.Parked: {content.Erased: (phases.Closed,), content.Merged: (phases.Parked,)},
}

ALLOWED: Final = frozenset((phase, body) for phase, row in TABLE.items() for body in row)


def mermaid() -> str:
    """Return the table as a mermaid state diagram, one arrow per pair of phases; what stays beside is no arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for phase, row in TABLE.items():
        for body, after in row.items():
            for then in after if after != (phase,) or body not in _ASIDE else ():
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
            "Beside the phase, and without changing it, `Waiting`, `Unassigned`, `Talking` and `Closed` also take",
            f"{', '.join(f'`{body.__name__}`' for body in _ASIDE)}.",
            "What they amount to is in `engine/core/beside.py`.",
            "",
        ]
    )


if __name__ == "__main__":
    print(page(), end="")
