"""How much one session may ask."""

from gateway.core.limits import Bucket


def test_a_burst_passes_at_once_and_then_one_each_while() -> None:
    """Ten at once, the eleventh after two seconds: 30 a minute."""
    bucket = Bucket(30, 10)
    assert [bucket.wait_ms(1_000) for _ in range(10)] == [0] * 10
    wait_ms = bucket.wait_ms(1_000)
    assert 0 < wait_ms <= 2_001
    assert bucket.wait_ms(1_000 + wait_ms) == 0


def test_being_refused_takes_nothing() -> None:
    """Asking too early does not push the time away."""
    bucket = Bucket(60, 1)
    assert bucket.wait_ms(0) == 0
    for _ in range(5):
        assert bucket.wait_ms(500) <= 501
    assert bucket.wait_ms(1_001) == 0


def test_silence_saves_no_more_than_one_burst() -> None:
    """After an hour of silence it is ten again, not thousands."""
    bucket = Bucket(30, 10)
    assert [bucket.wait_ms(3_600_000) == 0 for _ in range(12)] == [True] * 10 + [False] * 2


def test_several_at_once_pass_as_one_after_the_other_would() -> None:
    """All of them or none: of five with a burst of three, three pass, whichever way they come."""
    for already in range(5):
        at_once, singly = Bucket(60, 3), Bucket(60, 3)
        assert [each.wait_ms(1_000) for _ in range(already) for each in (at_once, singly)].count(0) == 2 * min(
            already, 3
        )
        left = 3 - min(already, 3)
        assert not at_once.takes(left + 1, 1_000)
        if left:
            assert at_once.takes(left, 1_000)
        assert [singly.wait_ms(1_000) for _ in range(left)] == [0] * left
        assert at_once.wait_ms(1_000) == singly.wait_ms(1_000) == 1_001
