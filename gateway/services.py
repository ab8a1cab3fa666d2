"""What every session of this process shares.

Invariant: nothing in here belongs to one session; a session reaches the world through it and through its line only.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.attachments import Attachments
from gateway.builds import Builds
from gateway.cells import Cells
from gateway.configs import Configs
from gateway.core.limits import SessionLimits
from gateway.load import Load
from gateway.logs import Logs
from gateway.pending import Pending
from gateway.ports import Credentials
from gateway.presence import PresenceLease
from gateway.receipts import Receipts
from gateway.roll import Roll
from gateway.rows import RuleRows
from gateway.states import AgentStates
from gateway.subscriptions import Subscriptions
from gateway.throttle import Buckets
from protocol.ids import CellName
from store.sql.database import Database


@dataclass(frozen=True, slots=True)
class Outside:
    """What a gateway is given: both sides of SQL, proofs, chance, time and a log."""

    record: Database
    credentials: Credentials
    entropy: Callable[[int], bytes]
    now_ms: Callable[[], int]
    log: Any  # structlog's bound logger
    config: Database


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts. `spawn` runs a coroutine inside the process's one TaskGroup."""

    outside: Outside
    limits: SessionLimits
    messages: Buckets  # per phone: coming again buys nobody a new burst
    cells: Cells
    subscriptions: Subscriptions
    pending: Pending
    lease: PresenceLease
    load: Load
    configs: Configs
    logs: Logs
    receipts: Receipts
    builds: Builds
    roll: Roll
    rows: RuleRows
    states: AgentStates
    turns: Mapping[CellName, asyncio.Semaphore]  # who comes to a cell: a storm of hellos must not fill its line
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    attachments: Attachments | None = None  # None: this process takes none
