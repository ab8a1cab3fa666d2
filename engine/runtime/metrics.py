"""What an engine counts, per cell.

Invariant: labels are cell names and fixed words only: no id, no text.
"""

from prometheus_client import Counter, Gauge, Histogram

COMMANDS = Counter("samtale_engine_commands_total", "commands decided", ["cell"])
REPEATED = Counter("samtale_engine_repeated_total", "frames that were decided before, answered from a ledger", ["cell"])
COMMITS = Counter("samtale_engine_commits_total", "commits taken by Redis", ["cell"])
COMMIT_S = Histogram(
    "samtale_engine_commit_seconds",
    "from sending a commit to its answer",
    ["cell"],
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
)
LAG_S = Gauge("samtale_engine_lag_seconds", "age of the oldest command of the last batch", ["cell"])
OWNED = Gauge("samtale_engine_owned_cells", "cells this engine owns")
TAKEOVERS = Counter("samtale_engine_takeovers_total", "cells taken", ["cell"])
FAULTS = Counter("samtale_engine_faults_total", "tenures that a fault ended", ["cell", "fault"])
REBUILDS = Counter("samtale_engine_rebuilds_total", "suspect cells rebuilt from SQL", ["cell"])
SET_ASIDE = Counter("samtale_engine_set_aside_total", "what could not be decided", ["cell", "what"])
EVICTED = Counter("samtale_engine_evicted_total", "idle values that left Redis", ["cell", "kind"])
CLOCK_JUMPS = Counter("samtale_engine_clock_jumps_total", "jumps of Redis TIME against the machine's uptime", ["cell"])
