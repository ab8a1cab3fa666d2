"""Commands decided one after the other into a batch, with what they need loaded ahead.

Invariant: a batch holds whole commands only. When deciding one raises, nothing of what was decided with it is in the
batch, and the memory, whose rosters and ledgers may have been changed in place, must be dropped.
"""

from collections.abc import Iterable
from typing import Any, Final

from engine.core.ports import RosterPort
from engine.core.result import Absent, Need, Stamp, StepFailed, StepResult
from engine.core.settling import Settling
from engine.core.step import begin, park
from engine.runtime.batch import Batch
from engine.runtime.inbox import Entry, Unreadable
from engine.runtime.memory import Memory
from engine.runtime.watchdog import Watchdog
from protocol.bus.commands import AgentArrives, Asked, GatewayLost, PublishConfig
from protocol.bus.records import Outcome
from protocol.wire.codes import Code

_OF_GATEWAYS: Final = frozenset({AgentArrives, GatewayLost})


class Deciding:
    """One owner's judgement over one memory."""

    def __init__(self, memory: Memory, port: RosterPort, watchdog: Watchdog) -> None:
        self._memory, self._port, self._watchdog = memory, port, watchdog

    async def decide(self, batch: Batch, entries: Iterable[Entry]) -> None:
        """Decide all commands of `entries`, and all they cause, into `batch`. Raises StepFailed."""
        settling = self._settling(batch)
        for entry in entries:
            settling.at_ms = batch.at_ms = entry.at_ms
            for command in entry.commands:
                if isinstance(command, Unreadable):
                    continue
                if type(command) is PublishConfig:
                    # Though its bytes be at hand: they may have been read for a visitor's sake, unknown to the roster.
                    self._memory.forget_config(command.account)
                begin(settling, command)
                while (need := self._go_on(settling)) is not None:
                    await self._memory.load(need)
                if type(command) in _OF_GATEWAYS:
                    _note_gateway(batch, command, settling.result)
        self._take(batch, settling.result)

    async def park(self, batch: Batch, failed: StepFailed) -> None:
        """Set aside the conversation whose decider raised. Raises StepFailed."""
        settling = self._settling(batch)
        park(settling, failed)
        while (need := self._go_on(settling)) is not None:
            await self._memory.load(need)
        self._take(batch, settling.result)

    def _settling(self, batch: Batch) -> Settling:
        stamp = Stamp(batch.epoch, batch.commit_no, batch.next_index, batch.at_ms)
        return Settling(stamp, self._port, self._memory)

    def _take(self, batch: Batch, result: StepResult) -> None:
        self._memory.evolve(result)
        batch.absorb(result, self._port.encode)

    def _go_on(self, settling: Settling) -> Need | None:
        """Decide until all is at rest, or until something must be loaded first: that is returned."""
        watchdog = self._watchdog
        watchdog.serial += 1
        watchdog.inside = True
        try:
            settling.settle()
        except Absent as absent:
            return absent.need
        finally:
            watchdog.inside = False
        return None


def _note_gateway(batch: Batch, command: Any, result: StepResult) -> None:
    """Note whose lapse this cell must hear of, or no longer."""
    if type(command) is GatewayLost:
        batch.gateways[command.gateway] = False
    elif not result.outcomes[-1][1].code:
        batch.gateways[command.origin.gateway] = True


def refuse(batch: Batch, command: Any) -> None:
    """Tell whoever asked for `command`, if anybody did, that it is set aside: nothing is stored, n is not consumed."""
    if isinstance(command, Asked):
        origin = command.origin
        conversation = getattr(command, "conversation", "")
        refusal = Outcome(origin.session, origin.device, origin.n, origin.id, Code.PARKED.wire, conversation)
        batch.answer(origin.gateway, refusal)
