"""What is true of every cell, whatever its people did.

Invariant: read from what is stored: logs, snapshots, records, timers, rosters; nothing asks how it came about.
"""

from hypothesis.stateful import invariant

from engine.core import phases
from engine.core.evolve import replay
from engine.core.snapshot import freeze
from engine.core.timers import deadlines
from protocol.bus.commands import COMMAND_DECODER, COMMAND_ENCODER
from protocol.ids import ChatflowId, VisitorId
from protocol.wire import content
from tests.kit.workplace import ACCOUNT
from tests.kit.world import World


class CellLaws:
    """The laws of conversations and of what the cell holds beside them."""

    world: World

    @invariant()
    def replay_is_exact(self) -> None:
        for conversation, stored in self.world.conversations.items():
            state = replay(ACCOUNT, self.world.log(conversation))
            assert state is not None
            assert freeze(state) == stored

    @invariant()
    def one_assignee(self) -> None:
        for conversation in self.world.logs:
            agent = None
            for event in self.world.log(conversation):
                match event.body:
                    case content.Assigned():
                        assert agent is None, "assigned while somebody has it"
                        agent = event.body.agent.id
                    case content.Unassigned():
                        assert agent == event.body.agent.id, "taken from somebody else"
                        agent = None
                    case content.Closed():
                        agent = None
                    case content.Message(by=by) if by.role is content.Role.AGENT:
                        assert agent == by.id, "the visitor hears only their own agent"

    @invariant()
    def roster_knows_who_waits(self) -> None:
        roster = self.world.rosters.get(ACCOUNT)
        held = dict(roster.held) if roster is not None else {}
        for conversation in self.world.conversations:
            state = self.world.conversation(conversation)
            known = held.pop(conversation, None)
            assert not isinstance(state.phase, phases.Opening | phases.NotStarted), "no conversation rests there"
            assert (known is not None) == (type(state.phase) in phases.ROUTED), "we search exactly while one waits"
            if isinstance(state.phase, phases.Talking):
                assert known.phase.agent == state.phase.agent.id
            elif known is not None:
                assert (type(known.phase).__name__ == "Unassigned") == isinstance(state.phase, phases.Unassigned)
        assert not held, "nobody is on an empty line"

    @invariant()
    def nobody_talks_to_a_ghost(self) -> None:
        for roster in self.world.rosters.values():
            graces = {timer.command.key for timer in self.world.port.deadlines(roster) if timer.command.kind == "grace"}
            for where in self.world.conversations:
                phase = self.world.conversation(where).phase
                if isinstance(phase, phases.Talking):
                    assert roster.members[phase.agent.id].connected or phase.agent.id in graces

    @invariant()
    def timers_are_the_deadlines(self) -> None:
        world = self.world
        held = [timer for where in world.conversations for timer in deadlines(world.conversation(where))]
        due = {COMMAND_ENCODER.encode(timer.command): timer.due_ms for timer in held}
        set_ = {raw: at_ms for raw, at_ms in world.timers.items() if COMMAND_DECODER.decode(raw).owner != "roster"}
        assert set_.items() <= due.items(), "no timer without its deadline"
        missed = {raw: at_ms for raw, at_ms in due.items() if raw not in set_}
        assert all(at_ms <= world.now_ms for at_ms in missed.values()), "what is still to come has its timer"
        for roster in world.rosters.values():
            kept = {COMMAND_ENCODER.encode(timer.command): timer.due_ms for timer in world.port.deadlines(roster)}
            assert kept.items() <= world.timers.items(), "a rebuilt cell misses no deadline"

    @invariant()
    def over_is_over(self) -> None:
        for where in self.world.logs:
            until_ms = window_s = 0
            for event in self.world.log(where):
                match event.body:
                    case content.Started():
                        window_s = event.body.reopen_window_s
                    case content.Closed():
                        until_ms = event.at + window_s * 1000
                    case content.Merged(over=True):
                        until_ms = window_s = 0
                assert not isinstance(event.body, content.Reopened) or event.at < until_ms, "reopened past its window"

    @invariant()
    def one_open_per_chatflow(self) -> None:
        live: set[tuple[VisitorId, ChatflowId]] = set()
        for where in self.world.conversations:
            state = self.world.conversation(where)
            current = self.world.visitor(state.terms.visitor).current[state.terms.chatflow]  # type: ignore[union-attr]
            closed = isinstance(state.phase, phases.Closed)
            if current.conversation == where:
                assert (current.closed_at_ms is not None) == closed
            else:
                assert closed
            assert closed or (state.terms.visitor, state.terms.chatflow) not in live
            if not closed:
                live.add((state.terms.visitor, state.terms.chatflow))
