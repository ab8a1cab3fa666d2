"""What a visitor has still to answer before a word of theirs is taken (SPEC 4.2).

Invariant: `protocol.bus.steps` says what is outstanding, here as in the gateways; here it is judged last, on what is
committed.
"""

from engine.core.asked import Stamped
from engine.core.conversation import Conversation
from engine.core.phases import Gated
from protocol.bus.config import Chatflow, flow_at
from protocol.bus.steps import EVERYBODY, Step, current_flow, outstanding
from protocol.ids import ChatflowId


def missing(state: Conversation, asked: Stamped) -> list[Step]:
    """Return the steps that the visitor has still to answer here, in the order of the screen."""
    return missing_under(asking(state, asked), state, asked)


def missing_under(flow: Chatflow | None, state: Conversation, asked: Stamped) -> list[Step]:
    """Return the steps that the visitor has still to answer under `flow`, which is what `asking` says."""
    facts = asked.facts
    if facts.config is None or flow is None:
        # A running conversation outlives its chatflow, a closed gate stays closed.
        return ["consent_to_process"] if type(state.phase) is Gated else []
    spoken = state.heard.visitor_ms > 0
    away = not spoken and facts.away(flow, asked.at_ms)
    return outstanding(facts.config, flow, facts.visitor, asked.at_ms, away, spoken)


def asking(state: Conversation, asked: Stamped) -> Chatflow | None:
    """Return the version of the conversation's chatflow whose steps count, or None."""
    config = asked.facts.config
    if config is None:
        return None
    newest = flow_at(config, state.terms.chatflow if state.seq else getattr(asked.command, "chatflow", None), 0)
    # Only in a staged rollout does it matter which version the device was served.
    everybody = newest is None or newest.rollout == EVERYBODY
    return newest if everybody else current_flow(config, *_served(state, asked))


def shown(state: Conversation, asked: Stamped) -> Chatflow | None:
    """Return the version that was on the screen, which is what was answered; None if there is no such chatflow."""
    config = asked.facts.config
    return flow_at(config, *_served(state, asked)) if config is not None else None


def _served(state: Conversation, asked: Stamped) -> tuple[ChatflowId | None, int]:
    """Return the chatflow that is spoken of, and the version of it that the device was served; 0: another was."""
    served, version = getattr(asked.command, "chatflow", None), getattr(asked.command, "version", 0)
    chatflow = state.terms.chatflow if state.seq else served
    return chatflow, version if chatflow == served else 0
