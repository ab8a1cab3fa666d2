"""What a run looks like while it runs."""

import io

from rich.console import Console

from loadtests.load.progress import Progress, bars

SAMPLE = {"rate": 998.0, "acks": 997.0, "p50_ms": 0.91, "p99_ms": 3.2, "sessions": 400.0, "refusals": 2.0, "queue": 7.0}


def console(is_terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=100, color_system=None, legacy_windows=False)


def written(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_without_a_terminal_there_is_a_line_each_five_seconds() -> None:
    """A log of an hour is no flood."""
    screen = console(is_terminal=False)
    with Progress("Steady", console=screen) as progress:
        for second in range(12):
            progress.sample(float(second), SAMPLE)
    assert [line.split()[0] for line in written(screen).splitlines()] == ["0.0", "5.0", "10.0"]


def test_a_line_tells_every_value() -> None:
    """In words, one after the other."""
    screen = console(is_terminal=False)
    Progress("Steady", console=screen).sample(0.0, SAMPLE | {"echoes": 3.0})
    line = written(screen)
    for said in (
        "messages/s 998",
        "acknowledged/s 997",
        "p50, ms 0.910",
        "p99, ms 3.20",
        "refusals 2",
        "queue 7",
        "echoes 3",
    ):
        assert said in line
    assert line.count("\n") == 1


def test_a_stage_is_told_at_once() -> None:
    """Without a terminal it is a line of its own, however soon after another."""
    screen = console(is_terminal=False)
    progress = Progress("Steady", console=screen)
    progress.sample(1.0, SAMPLE)
    progress.stage("reading the record")
    assert written(screen).splitlines()[-1].split() == ["1.0", "s", "reading", "the", "record"]


def test_a_terminal_shows_stage_values_and_the_rate_so_far() -> None:
    """One picture with all of it."""
    screen = console(is_terminal=True)
    with Progress("Steady", console=screen) as progress:
        progress.stage("ramp")
        progress.sample(1.0, SAMPLE | {"rate": 500.0})
        progress.sample(2.0, SAMPLE)
    for said in ("Steady", "ramp", "998", "▅█", "queue", "2.0 s"):
        assert said in written(screen)


def test_the_terminal_is_given_back_when_a_run_fails() -> None:
    """The cursor is shown again, and the error goes on."""
    screen = console(is_terminal=True)
    try:
        with Progress("Steady", console=screen):
            raise ValueError("the run failed")
    except ValueError:
        pass
    assert written(screen).rindex("\x1b[?25h") > written(screen).rindex("\x1b[?25l")


def test_what_a_terminal_would_obey_is_not_passed_on() -> None:
    """Neither marks of rich nor control characters in a scenario's words."""
    screen = console(is_terminal=False)
    Progress("Steady", console=screen).stage("[red]a\x1b[2Jb\rc")
    assert "[red]a [2Jb c" in written(screen)


def test_bars_are_of_the_greatest() -> None:
    """Nothing is the lowest bar, what is not known a gap, and of nothing there are none."""
    assert bars([0.0, 50.0, float("nan"), 100.0]) == "▁▅ █"
    assert bars([]) == bars([0.0]) == ""
