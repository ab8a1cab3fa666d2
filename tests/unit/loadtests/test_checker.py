"""The checker finds each violation when it is planted, and nothing in a history that keeps every promise."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from loadtests.checker.conduct import stored_before_consent
from loadtests.checker.history import (
    Acked,
    Committed,
    Conversation,
    Decision,
    Entry,
    Epoch,
    History,
    Leak,
    Misserved,
    Raised,
    Refused,
    Remain,
    Resynced,
    Seen,
    Sent,
    Waited,
    Was,
)
from loadtests.checker.verdict import RULES, violations


def clean() -> History:
    """Two messages with their acks, an agent who reads along, an assignment: no promise broken."""
    entries = [
        Entry("nordvik", "cnv_1", 1, "1.1.0", "started", "d1"),
        Entry("nordvik", "cnv_1", 2, "1.1.1", "consent", "d2", answer="granted"),
        Entry("nordvik", "cnv_1", 3, "1.2.0", "message", "hei", "dev_1", 2, "m1"),
        Entry("nordvik", "cnv_1", 4, "1.2.1", "assigned", "d4", agent="kari"),
        Entry("nordvik", "cnv_1", 5, "1.3.0", "message", "ja", "dev_1", 3, "m2"),
    ]
    facts = [
        Sent(1.0, "phone", "nordvik", "cnv_1", "dev_1", 2, "m1", "hei"),
        Acked(1.1, "phone", "nordvik", "cnv_1", "dev_1", 2, "m1", 3, "1.2.0"),
        Sent(2.0, "phone", "nordvik", "cnv_1", "dev_1", 3, "m2", "ja"),
        Acked(2.1, "phone", "nordvik", "cnv_1", "dev_1", 3, "m2", 5, "1.3.0"),
        *[Seen(3.0, "console", "nordvik", "cnv_1", e.seq, e.event, e.kind, e.digest) for e in entries],
    ]
    conversation = Conversation("nordvik", "cnv_1", "vis_1", "c00", True, b"s", b"s", ("1.2.1", "1.3.0"))
    return History(
        facts=list(facts),
        entries=entries,
        conversations=[conversation],
        homes={"nordvik": "c00"},
        decisions=[Decision("nordvik", 1, "kari", 1, 1, True)],
        commits=[Committed("c00", 1, number) for number in (1, 2, 3)],
    )


def _drop_entry(h: History) -> None:
    del h.entries[4]
    h.facts = [f for f in h.facts if not (isinstance(f, Seen) and f.seq == 5)]


def _double_entry(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "message", "hei", "dev_1", 2, "m1"))


def _same_n(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "message", "ja", "dev_1", 3, "m3"))


def _skip_for_reader(h: History) -> None:
    h.facts = [f for f in h.facts if not (isinstance(f, Seen) and f.seq == 4)]


def _repeat_for_reader(h: History) -> None:
    h.facts.append(h.facts[-1])


def _hole_in_log(h: History) -> None:
    h.entries[4] = replace(h.entries[4], seq=7)


def _invent(h: History) -> None:
    h.facts.append(Seen(4.0, "console", "nordvik", "cnv_1", 6, "1.9.0", "message", "x"))


def _alter_words(h: History) -> None:
    h.entries[2] = replace(h.entries[2], digest="other")


def _read_differently(h: History) -> None:
    h.facts[4] = replace(h.facts[4], digest="other")


def _replay_differs(h: History) -> None:
    h.conversations[0] = replace(h.conversations[0], replayed=b"other")


def _redis_differs(h: History) -> None:
    h.conversations[0] = replace(h.conversations[0], redis_log=("1.2.1", "1.3.7"))


def _ack_elsewhere(h: History) -> None:
    h.facts.append(Acked(5.0, "phone", "nordvik", "cnv_1", "dev_1", 2, "m1", 5, "1.3.0"))


def _refuse_after_ack(h: History) -> None:
    h.facts.append(Refused(5.0, "phone", "nordvik", "cnv_1", "dev_1", 2, "m1", "n_conflict"))


def _reorder(h: History) -> None:
    h.facts[0], h.facts[1] = replace(h.facts[0], t=2.5), replace(h.facts[1], t=2.6)


def _second_agent(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "assigned", "d6", agent="ola"))


def _overload_agent(h: History) -> None:
    h.decisions.append(Decision("nordvik", 2, "kari", 2, 1, True))


def _talk_before_consent(h: History) -> None:
    h.entries[1] = replace(h.entries[1], answer="declined")


def _leak(h: History) -> None:
    h.leaks.append(Leak("canary", "appendonly.aof"))


def _commit_twice(h: History) -> None:
    h.commits.append(Committed("c00", 2, 3))


def _older_epoch_commits(h: History) -> None:
    h.commits += [Committed("c00", 3, 4), Committed("c00", 2, 5)]


def _foreign_event(h: History) -> None:
    h.facts += [Seen(4.0, "spy", "other", "cnv_1", e.seq, e.event, e.kind, e.digest) for e in h.entries[:1]]


def _read_anothers(h: History) -> None:
    read = [replace(f, client="phone", audience="visitor") for f in h.facts if isinstance(f, Seen)]
    h.facts += [Was(0.5, "phone", "nordvik", "", "vis_2"), *read]


def _say_again_as_another_device(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "message", "ja", "dev_2", 4, "m2"))


def _never_answered(h: History) -> None:
    h.facts.append(Waited(9.0, "phone", "nordvik", "cnv_1", "m9", 30.0))


def _withdraw(h: History) -> None:
    h.entries.insert(4, Entry("nordvik", "cnv_1", 5, "1.2.2", "closed", "d", answer="consent_withdrawn"))
    h.entries[5] = replace(h.entries[5], seq=6)


def _log_in_as_who_took_it_back(h: History) -> None:
    _withdrawn_by_the_user(h)
    h.entries.insert(-1, Entry("nordvik", "cnv_1", 6, "1.2.9", "merged", "d", visitor="vis_2"))


def _withdrawn_by_the_user(h: History) -> None:
    """Whose `cnv_1` is at the end said no in another conversation, on another phone, before the last word of this."""
    h.entries[0] = replace(h.entries[0], visitor="vis_1")
    h.entries[4:4] = [
        Entry("nordvik", "cnv_2", 1, "1.2.2", "started", "e1", visitor="vis_2"),
        Entry("nordvik", "cnv_2", 2, "1.2.3", "consent", "e2", answer="granted"),
        Entry("nordvik", "cnv_2", 3, "1.2.4", "closed", "e3", answer="consent_withdrawn"),
    ]
    h.conversations = [
        replace(h.conversations[0], visitor="vis_2"),
        Conversation("nordvik", "cnv_2", "vis_2", "c00", True, b"s", b"s", ("1.2.2", "1.2.3", "1.2.4")),
    ]


def _show_a_note(h: History) -> None:
    h.misserved.append(Misserved("phone", "cnv_1", "a note", "leak"))


def _ask_too_early(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "closed", "d6"))
    h.entries.append(Entry("nordvik", "cnv_1", 7, "1.4.1", "survey_asked", "d7", ask=1))


def _score_twice(h: History) -> None:
    kinds = ("survey_answered", "survey_commented", "survey_answered")
    h.entries += [
        Entry("nordvik", "cnv_1", seq, f"1.4.{seq}", kind, "d", ask=1) for seq, kind in enumerate(kinds, start=6)
    ]


def _park(h: History) -> None:
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "parked", "d6"))


def _quarantine(h: History) -> None:
    h.raised.append(Raised("engine-1.log", "command quarantined"))


def _erase(h: History) -> None:
    for at, entry in enumerate(h.entries):
        h.entries[at] = replace(entry, id="", digest="gone", redacted=entry.kind == "message", erased=True)
    h.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "closed", "d6", answer="erased"))
    h.entries.append(Entry("nordvik", "cnv_1", 7, "1.4.1", "erased", "d7"))
    h.conversations[0] = replace(h.conversations[0], redis_log=())


def _keep_words_of_who_was_erased(h: History) -> None:
    _erase(h)
    h.entries[4] = replace(h.entries[4], digest="ja", redacted=False)


def _talk_on_where_it_was_erased(h: History) -> None:
    _erase(h)
    h.entries.append(Entry("nordvik", "cnv_1", 8, "1.5.0", "message", "nei", "dev_1", 4, "m3"))


def _find_who_was_erased(h: History) -> None:
    h.remains.append(Remain("hei", "redis {c00}:inbox"))


PLANTED: list[tuple[Callable[[History], None], str]] = [
    (_drop_entry, "lost-acked"),
    (_double_entry, "duplicate"),
    (_same_n, "duplicate"),
    (_skip_for_reader, "gap"),
    (_repeat_for_reader, "gap"),
    (_hole_in_log, "gap"),
    (_invent, "phantom"),
    (_alter_words, "phantom"),
    (_read_differently, "divergent-read"),
    (_replay_differs, "divergent-read"),
    (_redis_differs, "divergent-read"),
    (_ack_elsewhere, "unstable-ack"),
    (_refuse_after_ack, "unstable-ack"),
    (_reorder, "real-time-order"),
    (_second_agent, "two-assignees"),
    (_overload_agent, "over-capacity"),
    (_talk_before_consent, "stored-before-consent"),
    (_leak, "stored-before-consent"),
    (_commit_twice, "effect-after-fence"),
    (_older_epoch_commits, "effect-after-fence"),
    (_foreign_event, "cross-account"),
    (_read_anothers, "foreign-read"),
    (_say_again_as_another_device, "duplicate"),
    (_withdraw, "stored-before-consent"),
    (_log_in_as_who_took_it_back, "stored-before-consent"),
    (_show_a_note, "leak"),
    (_ask_too_early, "survey-twice"),
    (_score_twice, "survey-twice"),
    (_park, "set-aside"),
    (_quarantine, "set-aside"),
    (_never_answered, "stuck"),
    (_keep_words_of_who_was_erased, "reappeared"),
    (_talk_on_where_it_was_erased, "reappeared"),
    (_find_who_was_erased, "reappeared"),
]


def test_a_history_that_keeps_every_promise_has_no_violation() -> None:
    """Nothing is reported where nothing is wrong."""
    assert violations(clean()) == []


@pytest.mark.parametrize(("plant", "rule"), PLANTED, ids=[plant.__name__.strip("_") for plant, _ in PLANTED])
def test_a_planted_violation_is_found(plant: Callable[[History], None], rule: str) -> None:
    """The rule that a fault breaks says so."""
    history = clean()
    plant(history)
    assert rule in {violation.rule for violation in violations(history)}


def test_every_rule_has_a_planted_violation() -> None:
    """A rule that nothing can break would prove nothing."""
    names = {rule.__name__.replace("_", "-") for rule in RULES}
    assert names == {rule for _, rule in PLANTED}


def test_what_was_redacted_is_no_other_reading() -> None:
    """Whoever read it before it was removed read something else, and rightly."""
    history = clean()
    history.entries[2] = replace(history.entries[2], digest="gone", redacted=True)
    assert violations(history) == []


def test_an_erasure_is_no_loss() -> None:
    """What was acknowledged and read keeps its place, and says nothing any more."""
    history = clean()
    _erase(history)
    assert violations(history) == []


def test_what_was_said_before_somebody_logged_in_is_judged_by_what_they_had_answered() -> None:
    """They knew nothing then of what their user had taken back elsewhere."""
    history = clean()
    _withdrawn_by_the_user(history)
    history.entries.append(Entry("nordvik", "cnv_1", 6, "1.4.0", "merged", "d6", visitor="vis_2"))
    assert list(stored_before_consent(history)) == []


def test_visitors_may_read_the_alias() -> None:
    """And only they: whoever is of the staff reads who it was."""
    history = clean()
    history.entries[3] = replace(history.entries[3], shown="alias")
    seen = Seen(4.0, "phone", "nordvik", "cnv_1", 4, "1.2.1", "assigned", "alias", audience="visitor")
    history.facts += [Resynced(4.0, "phone", "nordvik", "cnv_1", 4), seen]
    assert violations(history) == []
    history.facts[-1] = replace(seen, audience="staff")
    assert {violation.rule for violation in violations(history)} == {"divergent-read"}


def test_a_survey_that_was_earned_is_no_violation() -> None:
    """Both spoke, it was closed, it is asked; scored, commented once."""
    history = clean()
    history.entries[4] = replace(history.entries[4], role="visitor")
    kinds = ("message", "closed", "survey_asked", "survey_answered", "survey_commented")
    history.entries += [
        Entry("nordvik", "cnv_1", seq, f"1.4.{seq}", kind, "d", role="agent" if kind == "message" else "", ask=1)
        for seq, kind in enumerate(kinds, start=6)
    ]
    history.conversations[0] = replace(history.conversations[0], redis_log=())
    assert violations(history) == []


def test_what_a_data_loss_rolled_back_is_not_held_against_the_engine() -> None:
    """A commit above the base of a later epoch is gone, as level `process` says of a cut append-only file."""
    history = clean()
    del history.entries[4]
    history.epochs.append(Epoch("c00", 2, 2))
    history.commits.pop()
    history.conversations[0] = replace(history.conversations[0], redis_log=())
    assert violations(history) == []


def test_what_went_with_its_whole_conversation_is_not_held_against_the_engine() -> None:
    """Nothing of the conversation survived; whose account it was of tells which cell lost it."""
    history = clean()
    history.entries, history.conversations, history.commits = [], [], []
    history.epochs.append(Epoch("c00", 2, 0))
    assert violations(history) == []


def test_who_logged_in_reads_on() -> None:
    """What a client began as somebody else is theirs still."""
    history = clean()
    read = [replace(f, client="phone", audience="visitor") for f in history.facts if isinstance(f, Seen)]
    history.facts += [Was(0.5, "phone", "nordvik", "", "vis_2"), Was(0.6, "phone", "nordvik", "", "vis_1"), *read]
    assert violations(history) == []


def test_a_reader_who_was_told_to_resync_may_read_again() -> None:
    """After a resync the log follows from its start, once more."""
    history = clean()
    history.facts.append(Resynced(4.0, "console", "nordvik", "cnv_1", 1))
    history.facts += [
        Seen(5.0, "console", "nordvik", "cnv_1", e.seq, e.event, e.kind, e.digest) for e in history.entries
    ]
    assert violations(history) == []
