"""Five hundred seeds, each a whole installation under faults of its own; and that between them nothing was left out."""

import os
import subprocess
import sys

import pytest

from tests.simulation.run import Verdict, run

SEEDS = 500
BLOCK = 100

FAULTS = {
    "kill engine", "kill worker", "kill gateway", "freeze engine", "freeze worker", "freeze gateway",
    "isolate engine", "isolate worker", "isolate gateway", "Redis restarted", "Redis restarted with older data",
    "Redis paused", "Redis full", "SQL stopped", "SQL answers lost", "scripts flushed", "subscriptions cut",
    "configuration changed", "somebody erased", "a line cut", "a chunk split", "a chunk stalled", "a client's line cut",
}  # fmt: skip
"""What every block must have done."""

CAME = {
    "commits", "rebuilds", "takeovers", "resynced", "resumed", "repeated", "evicted conversation", "evicted visitor",
    "set_aside command", "faults Away", "faults StoreAway", "faults LeaseLost", "acks lost with data",
    "refused consent_required", "refused offer_gone", "refused at_capacity", "conversations of who logged in",
    "erased", "phones of the erased",
}  # fmt: skip
"""What every block must have come to: a suite in which nothing of this happens has gone blind."""


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_no_promise_is_broken(first: int) -> None:
    """Under every seed everybody gets their outcome, and nothing is lost, doubled, skipped, reordered or invented."""
    verdicts = [run(seed) for seed in range(first, first + BLOCK)]
    bad = [str(verdict) for verdict in verdicts if not verdict.is_good]
    assert not bad, "\n" + "\n".join(bad)
    assert not FAULTS - _kinds(verdicts, "faults"), "faults that never came"
    assert not CAME - _kinds(verdicts, "happened"), "what never came of them"
    assert sum(verdict.sends for verdict in verdicts) > BLOCK * 40


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_repeats_in_another_process(hash_seed: str) -> None:
    """The same seed gives the same history, fact by fact, whatever a process hashes to and has done before."""
    program = "from tests.simulation.run import run; print(run(3).fingerprint)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    elsewhere = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    run(4)
    assert run(3).fingerprint == elsewhere.stdout.decode().strip()


def test_seeds_differ() -> None:
    """Another seed is another history."""
    assert run(3).fingerprint != run(4).fingerprint


def _kinds(verdicts: list[Verdict], counts: str) -> set[str]:
    return {kind for verdict in verdicts for kind, count in getattr(verdict, counts).items() if count}
