"""Whose turn it is: the agents of a rule who may be asked now, each once.

Invariant: the order changes only by turns. Who becomes ready joins at the end, unless no turn was used meanwhile: then
the old place is kept. So among agents ready at every decision of a window, turns differ by at most one.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Iterator

import msgspec

from protocol.ids import AgentId


class Ring(msgspec.Struct, array_like=True):
    """`order` is sorted by stamp; a stamp is given at the end of the ring, by a turn or on joining.

    `left` keeps, of each agent who is not ready, the stamp and how many turns there had been.
    """

    order: list[tuple[int, AgentId]] = []
    stamps: dict[AgentId, int] = {}
    left: dict[AgentId, tuple[int, int]] = {}
    next_stamp: int = 1
    turns: int = 0

    def __bool__(self) -> bool:
        return bool(self.order)

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self.stamps

    def __iter__(self) -> Iterator[AgentId]:
        """Yield the agents, the next in turn first."""
        return (agent for _, agent in self.order)

    def join(self, agent: AgentId) -> None:
        """Let `agent` be asked."""
        stamp, turns = self.left.pop(agent, (0, -1))
        if turns != self.turns:
            stamp = self._stamp()
        self.stamps[agent] = stamp
        insort(self.order, (stamp, agent))

    def leave(self, agent: AgentId) -> None:
        """Let `agent` be asked no more."""
        stamp = self._take_out(agent)
        self.left[agent] = (stamp, self.turns)

    def turn(self, agent: AgentId) -> None:
        """Use the turn of `agent`, who goes to the end."""
        self._take_out(agent)
        self.turns += 1
        stamp = self._stamp()
        self.stamps[agent] = stamp
        self.order.append((stamp, agent))

    def first(self, asked: Callable[[AgentId], bool]) -> AgentId | None:
        """Return the next in turn who was not `asked`, or None. Costs as many steps as were asked, plus one."""
        return next((agent for agent in self if not asked(agent)), None)

    def forget(self, staying: Container[AgentId]) -> None:
        """Drop what is remembered of agents who are not `staying`."""
        self.left = {agent: place for agent, place in self.left.items() if agent in staying}

    def _stamp(self) -> int:
        self.next_stamp += 1
        return self.next_stamp - 1

    def _take_out(self, agent: AgentId) -> int:
        stamp = self.stamps.pop(agent)
        # One memory move: 2 µs among 5,000 agents, less than any linked structure costs.
        del self.order[bisect_left(self.order, (stamp, agent))]
        return stamp
