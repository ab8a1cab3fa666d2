"""What a run came to: the raw document that the page is drawn from and that two runs are compared by.

Invariant: everything the page shows is in here, and nothing in here was rounded. Times are seconds since the run began
unless a name says otherwise; latencies are milliseconds from the time a message was due, not from when it was sent.
"""

from msgspec import Struct

FORMAT = 1


class Figure(Struct):
    """One number. `note` says what it is made of; `group` is the heading it stands under."""

    name: str
    value: float
    unit: str
    note: str = ""
    group: str = ""


class Latency(Struct):
    """One HDR histogram. `encoded` is its V2 form in base64, values in microseconds."""

    name: str
    count: int
    mean_ms: float
    max_ms: float
    percentiles_ms: dict[str, float]  # "50", "90", "99", "99.9"
    encoded: str


class Series(Struct):
    """Something over time. `panel` names the plot it belongs to: throughput, latency, cpu, memory, queue, sessions."""

    name: str
    panel: str
    unit: str
    at_s: list[float]
    values: list[float | None]  # None: not known then


class Mark(Struct):
    """A moment from which on something else was done: a phase of the scenario, a fault."""

    at_s: float
    text: str


class Usage(Struct):
    """What the processes of one role used: gateway, engine, worker, valkey, driver."""

    role: str
    processes: int
    cpu_s: float
    cpu_us_per_message: float
    start_mib: float
    peak_mib: float
    end_mib: float


class Judgement(Struct):
    """What the checker found over all sessions. All counts must be 0; `examples` tell the first few."""

    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    gaps: int = 0
    two_assignees: int = 0
    over_capacity: int = 0
    stored_before_consent: int = 0
    others: int = 0  # of any other rule of the checker: `examples` name it
    sessions: int = 0  # how many were looked at
    messages: int = 0
    examples: list[str] = []

    @property
    def is_good(self) -> bool:
        return not (
            self.lost
            or self.duplicated
            or self.out_of_order
            or self.gaps
            or self.two_assignees
            or self.over_capacity
            or self.stored_before_consent
            or self.others
        )


class Machine(Struct):
    """Where it ran."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    server: str  # Valkey or Redis, and its version
    versions: dict[str, str]  # packages that matter, Samtale first


class Run(Struct):
    """One run of one scenario."""

    scenario: str
    title: str
    command: str
    target: str  # "own installation: 2 gateways, 1 engine, 1 worker", or the address that was driven
    started_at: str  # RFC 3339, UTC
    wall_s: float
    seed: int
    machine: Machine
    verdict: Judgement
    figures: list[Figure] = []
    latencies: list[Latency] = []
    series: list[Series] = []
    marks: list[Mark] = []  # drawn into every plot over time
    usages: list[Usage] = []
    refusals: dict[str, int] = {}
    notes: list[str] = []
    missed: list[str] = []  # goals of the scenario that were not reached, in words
    document: str = ""  # the scenario as it was read, YAML
    format: int = FORMAT
