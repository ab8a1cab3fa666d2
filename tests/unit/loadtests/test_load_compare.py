"""Two runs side by side, and the files they are read from."""

import gzip
import json
from pathlib import Path

import pytest

from loadtests.load.compare import Difference, Row, compare, print_comparison, rendered
from loadtests.load.results import Figure, Judgement, Run
from loadtests.load.runs import NoRun, encoded, read_run, write_run
from tests.kit.load_runs import a_run


def row(a: Run, b: Run, name: str, group: str = "figures") -> Row:
    return next(each for each in compare(a, b).rows if each.name == name and each.group == group)


def test_a_ratio_is_the_second_over_the_first() -> None:
    """Figures with one name, one group and one unit."""
    a, b = a_run(), a_run()
    a.figures, b.figures = [Figure("delivered", 100.0, "/s")], [Figure("delivered", 250.0, "/s")]
    assert row(a, b, "delivered") == Row("figures", "delivered", "/s", 100.0, 250.0, 2.5)


def test_what_only_one_run_has_has_no_ratio() -> None:
    """Nor has what is in another unit, or was nothing in the first."""
    a, b = a_run(), a_run()
    a.figures = [Figure("lag", 1.0, "s"), Figure("spilt", 0.0, "")]
    b.figures = [Figure("lag", 900.0, "ms"), Figure("spilt", 4.0, "")]
    found = [(each.unit, each.a, each.b, each.ratio) for each in compare(a, b).rows if each.group == "figures"]
    assert found == [("s", 1.0, None, None), ("", 0.0, 4.0, None), ("ms", None, 900.0, None)]


def test_a_code_that_never_came_came_no_times() -> None:
    """Refusals of one run only are counted against nothing."""
    a, b = a_run(), a_run()
    b.refusals = {}
    assert (row(a, b, "overloaded", "refusals").b, row(b, a, "overloaded", "refusals").ratio) == (0.0, None)


def test_latencies_and_cpu_are_compared_too() -> None:
    """Every percentile, and per role and for the server as a whole."""
    a, b = a_run(), a_run()
    b.latencies[0].percentiles_ms["99"] = 2 * a.latencies[0].percentiles_ms["99"]
    b.usages[0].cpu_us_per_message /= 2
    assert row(a, b, "send→ack, p99", "latencies").ratio == 2.0
    assert row(a, b, "gateway", "CPU per message").ratio == 0.5
    assert row(a, b, "all but the driver", "CPU per message").a == pytest.approx(512.4 + 374.4)


def test_two_runs_of_one_scenario_on_one_machine_are_comparable() -> None:
    """Another version of Samtale is what one compares, and another seed is chance."""
    a, b = a_run(), a_run(seed=8)
    b.machine.versions["samtale"] = "0.2.0"
    found = compare(a, b)
    assert found.is_comparable
    assert found.differences == [Difference("seed", "7", "8", False), Difference("samtale", "0.1.0", "0.2.0", False)]
    assert "comparable: same scenario" in rendered(found)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("scenario", lambda run: setattr(run, "scenario", "storm")),
        ("settings", lambda run: setattr(run, "document", "scenario: steady\nrate_per_s: 2000\n")),
        ("target", lambda run: setattr(run, "target", "wss://example.org")),
        ("processor", lambda run: setattr(run.machine, "cores", 64)),
        ("memory", lambda run: setattr(run.machine, "memory_gib", 128.0)),
        ("server", lambda run: setattr(run.machine, "server", "Redis 7.0")),
    ],
)
def test_what_was_not_measured_the_same_way_is_said_first(what: str, change) -> None:
    """Scenario, settings, target, machine and Redis each make two runs uncomparable."""
    a, b = a_run(), a_run()
    change(b)
    text = rendered(compare(a, b))
    assert f"NOT COMPARABLE: not the same {what}\n" in text
    assert text.index("NOT COMPARABLE") < text.index("delivered")


def test_settings_that_differ_are_told_line_by_line() -> None:
    """Only the lines that one of them has."""
    a, b = a_run(), a_run()
    b.document = "scenario: steady\nrate_per_s: 2000\n"
    assert "  settings: rate_per_s: 1000 | rate_per_s: 2000" in rendered(compare(a, b))


def test_a_broken_run_is_named_so_above_its_figures() -> None:
    """A speed without its promise is none."""
    b = a_run()
    b.verdict = Judgement(lost=2, sessions=1)
    assert rendered(compare(a_run(), b)).splitlines()[1] == "B  Broken: 2 lost"


def test_columns_stand_below_each_other() -> None:
    """The heads end where their numbers end."""
    lines = rendered(compare(a_run(), a_run())).splitlines()
    head, first = next((line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("figures"))
    assert head.endswith("B/A")
    assert first.endswith("1.00×")
    assert len(head) == len(first)


def test_a_run_is_read_from_its_file_its_folder_or_its_page(tmp_path: Path) -> None:
    """A page carries a long one compressed."""
    file = write_run(a_run(), tmp_path / "new" / "folder")
    packed = tmp_path / "run.json.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_run(file) == read_run(file.parent) == read_run(packed) == a_run()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a run of samtale load"),
        (b"{}", "missing required field"),
        (b"[1, 2]", "not a run of samtale load"),
        (b"\xff\xfe", "not a run of samtale load"),
        (b"\x1f\x8bbroken", "run.json: "),
        (gzip.compress(b"x" * 999)[:-20], "run.json: "),
        (encoded(a_run()).replace(b'"format": 1', b'"format": 9'), "format 9; this Samtale reads format 1"),
        (encoded(a_run()).replace(b'"wall_s": 63.4', b'"wall_s": "long"'), "$.wall_s"),
    ],
    ids=["nothing", "empty", "list", "not text", "no archive", "cut off", "another format", "a field of another type"],
)
def test_what_is_no_run_is_refused_with_why(tmp_path: Path, content: bytes, said: str) -> None:
    """Never a trace, and the file is named."""
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(NoRun) as refused:
        read_run(tmp_path)
    assert said in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_run_that_cannot_be_read_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, and nothing on standard output."""
    write_run(a_run(), tmp_path)
    assert print_comparison(tmp_path, tmp_path / "nowhere") == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"samtale: {tmp_path / 'nowhere'}: there is no such file\n")


def test_a_comparison_is_printed_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same facts, for a machine."""
    write_run(a_run(), tmp_path)
    assert print_comparison(tmp_path, tmp_path, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["is_comparable"] is True
    assert told["rows"][0] == {
        "group": "figures", "name": "delivered", "unit": "/s", "a": 998.7, "b": 998.7, "ratio": 1.0,
    }  # fmt: skip
