"""The channels one session hears, planned at once and subscribed when they are first needed.

Invariant: a plan that was left is never heard; both channels of a conversation are confirmed before it counts as ready.
"""

import asyncio

from gateway.subscriptions import EPHEMERAL, HINTS, Sink, Subscriptions, Wanted
from protocol.ids import CellName


class _Plan:
    __slots__ = ("cell", "channels", "heard", "left", "turn")

    def __init__(self, cell: CellName, channels: list[Wanted]) -> None:
        self.cell, self.channels = cell, channels
        self.heard: list[Wanted] = []
        self.left = False
        self.turn = asyncio.Lock()


class Hearing:
    """Plans by name: a conversation or a feed."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._plans: dict[str, _Plan] = {}

    def plan(self, cell: CellName, name: str, channels: list[Wanted]) -> None:
        """Intend to hear `channels` under `name`; a plan that is there already stays."""
        self._plans.setdefault(name, _Plan(cell, channels))

    def plan_conversation(
        self, cell: CellName, name: str, events: tuple[str, Sink], ephemeral: tuple[str, Sink]
    ) -> None:
        """Intend to hear a conversation's hints and what passes by."""
        self.plan(cell, name, [(*events, HINTS), (*ephemeral, EPHEMERAL)])

    async def ready(self, name: str) -> bool:
        """Hear what was planned; True once everything is confirmed, False if it was left. Raises Away."""
        plan = self._plans.get(name)
        if plan is None:
            return False
        async with plan.turn:
            if not plan.heard:
                await self._subscriptions.follow_all(plan.cell, plan.channels)
                plan.heard = plan.channels
                if plan.left:
                    self._unfollow(plan)
        return not plan.left

    def leave(self, name: str) -> None:
        """Hear no more of it."""
        plan = self._plans.pop(name, None)
        if plan is not None:
            plan.left = True
            self._unfollow(plan)

    def leave_all(self) -> None:
        for name in list(self._plans):
            self.leave(name)

    def _unfollow(self, plan: _Plan) -> None:
        for channel, sink, _ in plan.heard:
            self._subscriptions.unfollow(plan.cell, channel, sink)
        plan.heard = []
