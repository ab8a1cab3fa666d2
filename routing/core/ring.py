"""Whose turn it is: the agents of a line who may be asked now, each once.

Invariant: the order changes only by turns, and where the least busy is asked by loads too. Who becomes ready joins at
the end, unless no turn was used meanwhile: then the old place is kept. So among agents of one load who are ready at
every decision of a window, turns differ by at most one.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Iterator
from typing import TypeAlias

import msgspec

from protocol.ids import AgentId

EVERYBODY = ""

Turn: TypeAlias = tuple[int, int, AgentId]  # weight, stamp, agent


class Ring(msgspec.Struct, array_like=True):
    """`orders` are sorted by weight and stamp: of everybody, and of those who speak a language. A stamp is given at the
    end of the ring, by a turn or on joining. `left` keeps, of each who is not ready, the stamp and how many turns there
    had been.
    """

    orders: dict[str, list[Turn]] = {}
    turn_of: dict[AgentId, Turn] = {}
    tongues: dict[AgentId, list[str]] = {}  # of those ready who may be preferred for one
    left: dict[AgentId, tuple[int, int]] = {}
    next_stamp: int = 1
    turns: int = 0

    def __bool__(self) -> bool:
        return bool(self.turn_of)

    def __contains__(self, agent: AgentId) -> bool:
        return agent in self.turn_of

    def __iter__(self) -> Iterator[AgentId]:
        """Yield the agents, the next in turn first."""
        return (agent for _, _, agent in self.orders.get(EVERYBODY, ()))

    def join(self, agent: AgentId, weight: int = 0, tongues: list[str] | None = None) -> None:
        """Let `agent` be asked; before others by `weight`, and first of all where one of `tongues` is preferred."""
        stamp, turns = self.left.pop(agent, (0, -1))
        if tongues:
            self.tongues[agent] = tongues
        self._put_in((weight, stamp if turns == self.turns else self._stamp(), agent))

    def leave(self, agent: AgentId) -> None:
        """Let `agent` be asked no more."""
        _, stamp, _ = self._take_out(agent)
        self.tongues.pop(agent, None)
        self.left[agent] = (stamp, self.turns)

    def turn(self, agent: AgentId) -> None:
        """Use the turn of `agent`, who goes to the end."""
        weight, _, _ = self._take_out(agent)
        self.turns += 1
        self._put_in((weight, self._stamp(), agent))

    def weigh(self, agent: AgentId, weight: int) -> None:
        """Let `agent`, who is ready, be asked after all who weigh less."""
        before, stamp, _ = self.turn_of[agent]
        if before != weight:
            self._take_out(agent)
            self._put_in((weight, stamp, agent))

    def first(self, asked: Callable[[AgentId], bool], tongue: str = EVERYBODY) -> AgentId | None:
        """Return the next in turn, of those who speak `tongue`, who was not `asked`, or None.

        Costs as many steps as were asked, plus one.
        """
        return next((agent for _, _, agent in self.orders.get(tongue, ()) if not asked(agent)), None)

    def forget(self, staying: Container[AgentId]) -> None:
        """Drop what is remembered of agents who are not `staying`."""
        self.left = {agent: place for agent, place in self.left.items() if agent in staying}

    def _stamp(self) -> int:
        self.next_stamp += 1
        return self.next_stamp - 1

    def _orders(self, agent: AgentId) -> tuple[str, ...]:
        return (EVERYBODY, *self.tongues.get(agent, ()))

    def _put_in(self, turn: Turn) -> None:
        self.turn_of[turn[2]] = turn
        for name in self._orders(turn[2]):
            # One memory move: 2 µs among 5,000 agents, less than any linked structure costs.
            insort(self.orders.setdefault(name, []), turn)

    def _take_out(self, agent: AgentId) -> Turn:
        turn = self.turn_of.pop(agent)
        for name in self._orders(agent):
            order = self.orders[name]
            del order[bisect_left(order, turn)]
        return turn
