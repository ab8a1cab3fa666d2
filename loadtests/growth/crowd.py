"""Who is in a site: accounts over its cells, their agents, and visitors with one open conversation each; and the
commands that gateways would put for them.

Invariant: a visitor's words are numbered 1, 2 …, and every word that was asked for here is remembered, so that what
comes of them can be judged.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from loadtests.bench.account import FLOW, account
from loadtests.lean.frames import TEXT_CHARS
from protocol.bus.chatflow import EmailCapture
from protocol.bus.commands import Admit, AgentArrives, AnyCommand, Origin, VisitorSends
from protocol.bus.config import AccountConfig
from protocol.ids import (
    AccountId,
    AppKey,
    ConversationId,
    DeviceId,
    Incarnation,
    SessionId,
    VisitorId,
    conversation_id,
)
from store.redis.keys import cell_names

GATEWAY = Incarnation("gw_growth")
Placed = tuple[int, AnyCommand]  # the number of a cell, and what is put into its inbox
_REST = "." * (TEXT_CHARS - 8)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a site is. Conversations are spread evenly over accounts, and those over cells."""

    conversations: int
    accounts: int = 1
    cells: int = 1
    engines: int = 1
    agents: int = 20  # altogether, at least one of each account


class Crowd:
    """Everybody in a site. Visitors are numbered 0, 1 …"""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.configs = [_config(size, number) for number in range(size.accounts)]
        self.said = array("L", bytes(array("L").itemsize * size.conversations))  # words per visitor
        self._visitors = [VisitorId(f"vis_{number:06d}") for number in range(size.conversations)]
        self.open: list[ConversationId] = [
            conversation_id(self._home(number).id_key, visitor, FLOW, 1)
            for number, visitor in enumerate(self._visitors)
        ]

    def arrivals(self) -> Iterator[Placed]:
        """Yield every agent coming in."""
        for at, config in enumerate(self.configs):
            for agent in config.agents:
                origin = _origin(f"{config.account}_{agent.id}", 0, "arrive")
                yield at % self.size.cells, AgentArrives(config.account, origin, agent.id)

    def first_words(self, visitors: Iterable[int]) -> Iterator[Placed]:
        """Yield each of `visitors` coming in for the first time and saying a first word."""
        for number in visitors:
            home, visitor = self._home(number), self._visitors[number]
            origin = _origin(visitor, 0, "admit")
            yield (
                self._cell(number),
                Admit(home.account, origin, visitor, home.apps[0].key, origin.device, [], b"fresh", False, "other",
                      "growth", "en"),
            )  # fmt: skip
            yield self.word(number)

    def words(self, visitors: Iterable[int]) -> Iterator[Placed]:
        """Yield one more word of each of `visitors`."""
        return map(self.word, visitors)

    def word(self, number: int) -> Placed:
        """Return one more word of a visitor."""
        self.said[number] += 1
        return self._cell(number), self.nth_word(number, self.said[number])

    def nth_word(self, number: int, said: int) -> VisitorSends:
        """Return the `said`th word of a visitor; nobody takes note that it was asked for."""
        visitor, count = self._visitors[number], f"{said:08d}"
        origin = _origin(visitor, said, count)
        return VisitorSends(self._home(number).account, origin, self.open[number], visitor, FLOW, count + _REST, "en")

    def some_of_cell(self, cell: int, most: int) -> list[int]:
        """Return at most `most` visitors of a cell, spread over all of it."""
        of_it = [number for number in range(self.size.conversations) if self._cell(number) == cell]
        return of_it[:: max(1, len(of_it) // most)][:most]

    def _home(self, number: int) -> AccountConfig:
        return self.configs[number % self.size.accounts]

    def _cell(self, number: int) -> int:
        return number % self.size.accounts % self.size.cells


def _config(size: Size, number: int) -> AccountConfig:
    """Return account `number`. Nothing happens in it by the clock, which would fall into some rounds only."""
    agents = max(1, size.agents // size.accounts)
    each = -(-size.conversations // size.accounts)
    config = account(agents, capacity=2 * -(-each // agents))
    name = f"growth{number}"
    return replace(
        config,
        account=AccountId(name),
        cell=cell_names(size.cells)[number % size.cells],
        apps=[replace(config.apps[0], key=AppKey(f"app_{name}"))],
        agents=[replace(agent, email=f"{agent.id}@{name}.example") for agent in config.agents],
        rules=[replace(rule, first_reply_s=0) for rule in config.rules],
        chatflows=[replace(flow, email=EmailCapture("never", "never")) for flow in config.chatflows],
    )


def _origin(who: str, n: int, frame_id: str) -> Origin:
    return Origin(GATEWAY, SessionId(f"ses_{who}"), DeviceId(f"dev_{who}"), n, frame_id)
