"""What the processes of a driver leave behind becomes one, and nothing of it goes missing."""

from array import array
from pathlib import Path

from loadtests.checker.history import Acked, Misserved, Refused, Resynced, Seen, Sent, Waited
from loadtests.checker.stories import Story
from loadtests.load import outcome
from loadtests.load.outcome import Outcome
from loadtests.load.recorder import ACK, Recorder

SENT = Sent(1.0, "a", "acc", "cnv", "dev", 1, "f1", "d")
FACTS = [
    SENT,
    Acked(2.0, "a", "acc", "cnv", "dev", 1, "f1", 1, "1.1.0"),
    Refused(3.0, "a", "acc", "cnv", "dev", 2, "f2", "blocked"),
    Seen(4.0, "b", "acc", "cnv", 1, "1.1.0", "message", "d", 0, "visitor"),
    Resynced(5.0, "b", "acc", "cnv", 1),
    Waited(6.0, "b", "acc", "cnv", "f3", 30.0),
]


def share(*latencies: tuple[float, float]) -> Outcome:
    recorder, made = Recorder(), Outcome(sessions=2, sent_s=array("d", [1.0]).tobytes())
    for began_s, ended_s in latencies:
        recorder.add(ACK, began_s, ended_s)
    recorder.refused("overloaded")
    recorder.into(made)
    return made


def test_a_share_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every kind of fact, stories, and what was served wrongly come back as they were."""
    made = share((1.0, 1.5))
    made.add_facts(FACTS)
    made.stories = [Story("the agent", "cnv", 3, 3)]
    made.misserved = [Misserved("b", "cnv", "why")]
    outcome.write(made, tmp_path / "share")
    again = outcome.read(tmp_path / "share")
    assert again.client_facts() == FACTS
    assert (again.stories, again.misserved) == (made.stories, made.misserved)


def test_shares_add_up() -> None:
    """Latencies, sessions, refusals and messages of all processes are the run's."""
    whole = outcome.merged([share((1.0, 1.5)), share((2.0, 2.25), (3.0, 3.125))])
    ended, took = whole.times(ACK)
    assert (list(ended), list(took)) == ([1.5, 2.25, 3.125], [0.5, 0.25, 0.125])
    assert (whole.sessions, whole.refusals, list(whole.sent_times())) == (4, {"overloaded": 2}, [1.0, 1.0])


def test_facts_of_all_shares_are_in_the_order_of_their_times() -> None:
    """The checker reads one journal, whoever wrote it."""
    one, other = Outcome(), Outcome()
    one.add_facts(FACTS[1::2])
    other.add_facts(FACTS[::2])
    assert outcome.merged([one, other]).client_facts() == FACTS


def test_what_was_never_measured_is_nothing() -> None:
    """No times of a name that nobody used."""
    assert [list(times) for times in outcome.merged([Outcome()]).times(ACK)] == [[], []]
