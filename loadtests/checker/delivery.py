"""Rules on sends and reads: nothing lost, doubled, skipped, reordered, invented or changed (G1–G4).

Invariant: each rule is a pure function of the history; an unknown outcome is never held against anybody.
"""

from collections import defaultdict
from collections.abc import Iterator

from loadtests.checker.history import Acked, Entry, History, Refused, Resynced, Seen, Sent, Violation


def lost_acked(history: History) -> Iterator[Violation]:
    """Every acknowledged frame's event is in the log, a message's under its own id, unless a data loss took it.

    What was erased keeps its place, and loses its id.
    """
    kept = {(entry.conversation, entry.event): entry.id for entry in history.entries}
    erased = {(entry.conversation, entry.event) for entry in history.entries if entry.erased}
    sends = {fact.id for fact in history.facts if isinstance(fact, Sent) and fact.kind == "send"}
    for fact in history.facts:
        if not isinstance(fact, Acked) or not fact.seq:
            continue
        found = kept.get((fact.conversation, fact.event))
        if found is not None and (found == fact.id or fact.id not in sends):
            continue
        if (fact.conversation, fact.event) in erased:
            continue
        if not history.went(fact):
            yield Violation("lost-acked", fact.conversation, f"{fact.client} holds an ack for {fact.id} at {fact.seq}")


def duplicate(history: History) -> Iterator[Violation]:
    """No send has two entries: neither by its id, wherever, nor by its device and n in one conversation.

    A phone whose user logged in is another device, and may send again what it sent before.
    """
    senders = {fact.id: fact.client for fact in history.facts if isinstance(fact, Sent)}
    first: dict[tuple[str, str, str], Entry] = {}
    for conversation, log in history.logs().items():
        for entry in log:
            if not entry.id or entry.kind != "message":
                continue
            sender = senders.get(entry.id, entry.device)
            for name in (("", sender, f"id {entry.id}"), (conversation, entry.device, f"n {entry.n}")):
                if name in first:
                    yield Violation("duplicate", conversation, f"{name[2]} stands at {first[name].seq} and {entry.seq}")
                    break
                first[name] = entry


def gap(history: History) -> Iterator[Violation]:
    """Each log is 1, 2, 3 …, and each line and reader saw it so: no gap, repeat or step back without a resync."""
    for conversation, log in history.logs().items():
        wrong = next((e.seq for at, e in enumerate(log, start=1) if e.seq != at), None)
        if wrong is not None:
            yield Violation("gap", conversation, f"the log breaks at {wrong}")
    position: dict[tuple[str, str], int] = {}
    for fact in history.facts:
        key = (fact.client, fact.conversation)
        if isinstance(fact, Resynced):
            position[key] = fact.from_seq - 1
        elif isinstance(fact, Seen):
            before = position.get(key, 0)
            if fact.seq != before + 1:
                yield Violation("gap", fact.conversation, f"{fact.client} saw {fact.seq} after {before}")
            position[key] = fact.hidden_to or fact.seq
    for line in history.misserved:
        if line.rule == "gap":
            yield Violation("gap", line.conversation, f"{line.client}: {line.why}")


def phantom(history: History) -> Iterator[Violation]:
    """Whatever a reader saw is in the log, and whatever visitors and agents are said to have sent, they sent."""
    kept = {(entry.conversation, entry.event) for entry in history.entries}
    for fact in history.facts:
        if not isinstance(fact, Seen) or (fact.conversation, fact.event) in kept:
            continue
        if not history.went(fact):
            yield Violation("phantom", fact.conversation, f"{fact.client} saw {fact.event}, which no log holds")
    sent = {fact.id: fact.digest for fact in history.facts if isinstance(fact, Sent)}
    for entry in history.entries:
        if entry.kind != "message" or entry.redacted or entry.is_made:
            continue
        if entry.id and sent and sent.get(entry.id) != entry.digest:
            yield Violation("phantom", entry.conversation, f"entry {entry.seq} was sent by nobody in these words")


def divergent_read(history: History) -> Iterator[Violation]:
    """One event id has one seq and one content per audience, for every reader, in Redis, in SQL and by replay."""
    known = {
        (e.conversation, e.event, audience): (e.seq, (e.shown if audience == "visitor" else "") or e.digest)
        for e in history.entries
        for audience in ("visitor", "staff")
    }
    redacted = {(e.conversation, e.event) for e in history.entries if e.redacted or e.erased}
    for fact in history.facts:
        if not isinstance(fact, Seen) or fact.hidden_to:
            continue
        name = (fact.conversation, fact.event)
        truth = known.setdefault((*name, fact.audience), (fact.seq, fact.digest))
        if truth != (fact.seq, fact.digest) and name not in redacted:
            yield Violation("divergent-read", fact.conversation, f"{fact.client} read {fact.event} differently")
    logs = history.logs()
    for conversation in history.conversations:
        if conversation.stored != conversation.replayed:
            yield Violation("divergent-read", conversation.conversation, "replay does not give the stored state")
        kept = [entry.event for entry in logs.get(conversation.conversation, []) if not entry.redacted]
        tail = tuple(kept[-len(conversation.redis_log) :])
        if conversation.redis_log and conversation.redis_log != tail:
            yield Violation("divergent-read", conversation.conversation, "Redis and SQL hold different logs")


def unstable_ack(history: History) -> Iterator[Violation]:
    """A send that is acknowledged again is acknowledged at the same seq, and never refused after it was.

    A data loss may have taken what was acknowledged; then its send is decided anew. An ack that names no event (of a
    declined offer, say) may be among what was lost wherever the account's cell was rebuilt.
    """
    rebuilt = {epoch.cell for epoch in history.epochs if epoch.epoch > 1}
    first: dict[tuple[str, str], Acked] = {}

    def is_lost(ack: Acked) -> bool:
        if not ack.event:
            return history.homes.get(ack.account) in rebuilt
        return history.went(ack)

    for fact in history.facts:
        if isinstance(fact, Acked):
            before = first.setdefault((fact.conversation, fact.id), fact)
            if (before.seq, before.event) != (fact.seq, fact.event) and not is_lost(before):
                yield Violation("unstable-ack", fact.conversation, f"{fact.id}: {before.event}, then {fact.event}")
            first[fact.conversation, fact.id] = fact
        elif isinstance(fact, Refused):
            acked = first.get((fact.conversation, fact.id))
            if acked is not None and not is_lost(acked):
                yield Violation("unstable-ack", fact.conversation, f"{fact.id} was acknowledged, then {fact.code}")


def real_time_order(history: History) -> Iterator[Violation]:
    """A send acknowledged before another was first put on a line comes before it in the log.

    An ack of an event that a data loss took says nothing about the event that its send made when it was offered again.
    """
    logged = {(e.conversation, e.id): e for e in history.entries if e.id}
    acked: dict[str, list[tuple[float, int]]] = defaultdict(list)
    sent: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for fact in history.facts:
        if not isinstance(fact, Sent | Acked) or (entry := logged.get((fact.conversation, fact.id))) is None:
            continue
        if isinstance(fact, Sent):
            sent[fact.conversation].append((fact.t, entry.seq))
        elif fact.event == entry.event:
            acked[fact.conversation].append((fact.t, entry.seq))
    for conversation, sends in sent.items():
        done = sorted(acked[conversation])
        highest, at = 0, 0
        for t, seq in sorted(sends):
            while at < len(done) and done[at][0] < t:
                highest = max(highest, done[at][1])
                at += 1
            if seq < highest:
                yield Violation("real-time-order", conversation, f"{seq} was sent after {highest} was acknowledged")
