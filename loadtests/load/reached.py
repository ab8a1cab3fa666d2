"""The figures that goals are about.

Invariant: each is made of what was measured in this run; what this scenario does not measure is not there.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence

from loadtests.load.measured import Done
from loadtests.load.outcome import Outcome
from loadtests.load.processes import ROLES, Usage
from loadtests.load.recorder import ACK, DELIVERED
from loadtests.load.results import Figure
from loadtests.load.scenario import Cut, Exchange, Hold, Send

CALM_S = 0.5  # a delivery that takes longer is no calm one
GROUP = "goals"


def reached(
    phases: Sequence[Done], found: Outcome, entered: tuple[dict[str, Usage], dict[str, Usage]], sessions: int
) -> dict[str, Figure]:
    """Return the figures by the name of the goal."""
    told: dict[str, Figure] = {}
    measured = [done for done in phases if not done.phase.warm_up]
    cut = next((done for done in measured if isinstance(done.phase, Cut)), None)
    if cut is not None:
        told["resumed_per_s"] = _resumed(cut)
    if any(isinstance(done.phase, Hold) for done in measured) and sessions and len(entered[0]) > 1:
        told["session_kib"] = _session(entered, sessions)
    peak = max((done.delivered_per_s for done in phases if isinstance(done.phase, Exchange)), default=0.0)
    over = next((done for done in measured if isinstance(done.phase, Send) and done.phase.times_peak > 1), None)
    if over is not None and peak:
        told |= _over(over, peak, found)
    if measured and (best := max(measured, key=lambda done: done.delivered_per_s)).delivered:
        told["delivered_per_s"] = Figure("delivered, best phase", best.delivered_per_s, "/s", "", GROUP)
        told["sql_behind_s"] = Figure(
            "SQL behind the log, at most", max(done.behind_s for done in measured), "s", "", GROUP
        )
    acks = sorted(found.times(ACK)[1])
    if acks:
        for name, share in (("ack_p50_ms", 0.5), ("ack_p99_ms", 0.99)):
            told[name] = Figure(f"send → ack, p{share * 100:g}", acks[int(len(acks) * share)] * 1e3, "ms", "", GROUP)
    return told


def _resumed(cut: Done) -> Figure:
    resumed = cut.fact("resumed")
    seconds = max(did.facts.get("resumed in s", 0.0) for did in cut.dids)
    note = f"{resumed:,.0f} sessions in {seconds:.2f} s, with {cut.fact('attempts'):,.0f} attempts"
    return Figure("sessions resumed and caught up", resumed / seconds if seconds else 0.0, "/s", note, GROUP)


def _session(entered: tuple[dict[str, Usage], dict[str, Usage]], sessions: int) -> Figure:
    before, after = entered
    each = {role: (after[role].rss_bytes - before[role].rss_bytes) / sessions / 1024 for role in ROLES}
    note = ", ".join(f"{role} {kib:.1f}" for role, kib in each.items())
    return Figure("memory per session, all layers", sum(each.values()), "KiB", f"{sessions:,} sessions; {note}", GROUP)


def _over(over: Done, peak: float, found: Outcome) -> dict[str, Figure]:
    """Return what was still delivered under too much load, and how soon all was as before after it."""
    assert isinstance(over.phase, Send), "an open loop"
    until_s = over.began_s + over.phase.seconds
    ended, took = found.times(DELIVERED)
    in_time = sum(over.began_s <= at < until_s for at in ended)
    goodput = in_time / over.phase.seconds
    note = f"{goodput:,.0f}/s of {peak:,.0f}/s, offered {over.phase.times_peak:g} times the peak"
    return {
        "goodput_of_peak": Figure("goodput under overload", goodput / peak, "of the peak", note, GROUP),
        "recovery_s": Figure("recovery", _calm_after(ended, took, until_s), "s", f"p99 ≤ {CALM_S:g} s again", GROUP),
    }


def _calm_after(ended: "array[float]", took: "array[float]", since_s: float) -> float:
    """Return after how many seconds the p99 of deliveries, by the second in which they were due, stayed calm."""
    lasted_s: dict[int, list[float]] = defaultdict(list)
    drained_s = 0.0
    for at, lasted in zip(ended, took, strict=True):
        due_s = at - lasted - since_s
        if due_s > 0:
            lasted_s[int(due_s)].append(lasted)
        else:
            drained_s = max(drained_s, at - since_s)
    late = [second + 1 for second, each in lasted_s.items() if sorted(each)[int(len(each) * 0.99)] > CALM_S]
    return max([drained_s, *late])
