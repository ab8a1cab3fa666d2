"""`samtale backup` and `samtale restore` where they must say no, and that nothing is touched then."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import samtale
from app.data_directory import lock
from app.settings import settings_from
from store.files.erased import Erased, ErasedList, UnreadableList
from store.sql.migrate import migrate

NOBODY = "--nobody-erased"
LINE = Erased("era_1", "acc", "c00", 1, ["con_1"], ["vis_1"])  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that is stopped, and what its settings name."""
    place = tmp_path / "data"
    monkeypatch.setenv("SAMTALE_DATA", str(place))
    place.mkdir()
    for side in ("config", "record"):
        migrate(getattr(settings_from(), f"{side}_url"), side)  # type: ignore[arg-type]
    (place / "files").mkdir()
    (place / "files/one").write_bytes(b"sent")
    (place / "valkey.url").write_text("redis://127.0.0.1:1")  # where nobody listens
    return place


@pytest.fixture
def folder(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup of it; the settings name a place where nothing is."""
    place = tmp_path / "backup"
    assert samtale_says("backup", place).exit_code == 0
    monkeypatch.setenv("SAMTALE_DATA", str(tmp_path / "new"))
    return place


def samtale_says(*arguments: object) -> Result:
    return CliRunner().invoke(samtale, [str(each) for each in arguments])


def refused(*arguments: object) -> str:
    """Return why the command refused, which it did in one line."""
    result = samtale_says(*arguments)
    assert result.exit_code == 2, result.output
    assert result.output.count("\n") == 1
    return result.output


def test_a_backup_without_redis_says_what_it_lacks(data: Path, tmp_path: Path) -> None:
    """It is of what SQL has; nobody is told that it is all."""
    result = samtale_says("backup", tmp_path / "backup")
    assert "Redis does not answer: what it had and SQL had not is not in it" in result.output


def test_a_backup_wants_a_folder_of_its_own(data: Path, tmp_path: Path) -> None:
    """What is there is not mixed with another."""
    (tmp_path / "mine").write_text("x")
    assert "is not empty: a backup wants a folder of its own" in refused("backup", tmp_path)


def test_no_other_user_may_read_a_backup(data: Path, tmp_path: Path) -> None:
    """Also where the folder was there already, open to all."""
    (data / "files/aa").mkdir()
    (data / "files/aa/two").write_bytes(b"sent")
    place = tmp_path / "backup"
    place.mkdir(mode=0o755)
    assert samtale_says("backup", place).exit_code == 0
    modes = {each.name: each.stat().st_mode & 0o777 for each in place.iterdir() if each.name != "backup.json"}
    assert modes == {"config.db": 0o600, "record.db": 0o600, "files": 0o700, "files.sha256": 0o600}
    inside = {each.name: each.stat().st_mode & 0o777 for each in (place / "files").rglob("*")}
    assert inside == {"aa": 0o700, "two": 0o600, "one": 0o600}


def test_where_nothing_is_there_is_nothing_to_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said instead of keeping it."""
    monkeypatch.setenv("SAMTALE_DATA", str(tmp_path / "new"))
    assert "there is no installation" in refused("backup", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_backup_is_put_back_where_nothing_is(folder: Path, tmp_path: Path) -> None:
    """SQL and what people sent; nothing else appears."""
    assert "restored" in samtale_says("restore", folder, NOBODY).output
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == [
        "config.db", "files", "record.db", "supervisor.lock",
    ]  # fmt: skip
    assert (tmp_path / "new/files/one").read_bytes() == b"sent"


@pytest.mark.parametrize("name", ["config.db", "record.db", "valkey/appendonly.aof", "files/another"])
def test_nothing_that_is_there_is_overwritten(folder: Path, tmp_path: Path, name: str) -> None:
    """It is for whoever restores to move it away."""
    there = tmp_path / "new" / name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("kept")
    assert "move it away, nothing is overwritten" in refused("restore", folder, NOBODY)
    assert there.read_text() == "kept"


def test_a_running_installation_is_left_alone(data: Path, tmp_path: Path) -> None:
    """Its directory is locked."""
    samtale_says("backup", tmp_path / "backup")
    with lock(data):
        assert "is in use by process" in refused("restore", tmp_path / "backup", NOBODY)


def test_a_folder_without_its_note_is_no_backup(folder: Path) -> None:
    """It was broken off, or is something else."""
    (folder / "backup.json").unlink()
    assert "is no backup, or one that was not finished" in refused("restore", folder, NOBODY)


@pytest.mark.parametrize("name", ["record.db", "files/one", "files.sha256"])
@pytest.mark.parametrize("harm", [b"", b"SQLite format 3\0"])
def test_what_was_changed_is_not_restored(folder: Path, tmp_path: Path, name: str, harm: bytes) -> None:
    """A sum tells, and which file it is."""
    (folder / name).write_bytes(harm)
    assert f"{folder / name} is not what the backup left there" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["config.db", "files/one", "files.sha256"])
def test_what_is_missing_is_said(folder: Path, tmp_path: Path, name: str) -> None:
    """Nothing is put back then."""
    (folder / name).unlink()
    assert f"{folder / name} is not what the backup left there" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new").exists()


def test_a_backup_without_sums_of_its_files_is_refused(folder: Path, tmp_path: Path) -> None:
    """As it was made before there were any."""
    note = json.loads((folder / "backup.json").read_text())
    del note["files"]
    (folder / "backup.json").write_text(json.dumps(note | {"has_files": True}))
    assert "kept no sums of what people sent" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new").exists()


def test_the_sums_are_those_that_other_tools_make(folder: Path) -> None:
    """Two spaces and the name below `files/`, as `sha256sum -c` reads it."""
    assert (folder / "files.sha256").read_text() == f"{hashlib.sha256(b'sent').hexdigest()}  one\n"


@pytest.mark.parametrize("name", ["../../mine", "/mine", ""])
def test_a_list_that_names_something_else_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """Nothing is written outside of where files lie."""
    (tmp_path / "mine").write_text("mine")
    listed = f"{hashlib.sha256(b'mine').hexdigest()}  {name}\n".encode()
    (folder / "files.sha256").write_bytes(listed)
    note = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps(note | {"files": hashlib.sha256(listed).hexdigest()}))
    assert "names something else than files of the backup" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new").exists()


def test_a_file_that_the_list_does_not_name_is_not_put_back(folder: Path, tmp_path: Path) -> None:
    """Somebody laid it there later."""
    (folder / "files/two").write_bytes(b"another")
    assert "restored" in samtale_says("restore", folder, NOBODY).output
    assert [each.name for each in (tmp_path / "new/files").iterdir()] == ["one"]


@pytest.mark.parametrize("name", ["../mine", "record.db"])
def test_a_note_that_names_something_else_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """Neither is anything elsewhere moved, nor anything restored of which no sum tells."""
    (tmp_path / "mine").write_text("mine")
    note = json.loads((folder / "backup.json").read_text())
    note["sums"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()}
    (folder / "backup.json").write_text(json.dumps(note))
    assert "does not name what a backup has: config.db, record.db" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new/record.db").exists()


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("SAMTALE_CELLS", "4", "the backup is of 8 cells: set SAMTALE_CELLS=8"),
        ("SAMTALE_DATABASE_URL", "postgresql://127.0.0.1:1/x", "the backup is of sqlite: unset SAMTALE_DATABASE_URL"),
        ("SAMTALE_ATTACHMENTS_URL", "s3://bucket", "the backup has the files that people sent"),
        ("SAMTALE_REDIS_URL", "redis://127.0.0.1:1", "Redis cannot be asked whether it is empty"),
    ],
)
def test_another_installation_than_the_backups_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, why: str
) -> None:
    """With what to set."""
    monkeypatch.setenv(setting, value)
    assert why in refused("restore", folder, NOBODY)


def test_who_was_erased_must_be_told(folder: Path, tmp_path: Path) -> None:
    """By the list, another list, or saying that nobody was."""
    assert "name it with --erased, or say --nobody-erased" in refused("restore", folder)
    (tmp_path / "other.jsonl").write_text('{"id": "era_1"}\n')
    assert "line 1 of" in refused("restore", folder, "--erased", tmp_path / "other.jsonl")
    ErasedList(tmp_path / "new/erased.jsonl").add(LINE)
    assert "2 erasures are done again" in samtale_says("restore", folder).output


def test_a_newer_schema_is_not_restored(folder: Path, tmp_path: Path) -> None:
    """An older version finds no way in it; nothing is left behind."""
    with sqlite3.connect(folder / "record.db") as newer:
        newer.execute("UPDATE schema_version_record SET version_num = 'record_9999'")
    newer.close()
    for extra in ("record.db-wal", "record.db-shm"):
        (folder / extra).unlink(missing_ok=True)
    note = json.loads((folder / "backup.json").read_text())
    note["sums"]["record.db"] = hashlib.sha256((folder / "record.db").read_bytes()).hexdigest()
    (folder / "backup.json").write_text(json.dumps(note))
    assert "belongs to a newer version" in refused("restore", folder, NOBODY)
    assert not (tmp_path / "new/record.db").exists()


def test_the_list_survives_a_writer_who_dies(tmp_path: Path) -> None:
    """Half a line is none, and is replaced by the whole one."""
    listed = ErasedList(tmp_path / "elsewhere/erased.jsonl")
    listed.add(LINE)
    whole = listed.path.read_bytes()
    listed.path.write_bytes(whole + whole[:20])
    assert listed.all() == [LINE]
    listed.add(LINE)
    listed.path.write_bytes(whole + whole[:20])
    other = Erased("era_2", "acc", "c00", 2, [], ["vis_2"])  # type: ignore[arg-type]
    listed.add(other)
    assert listed.all() == [LINE, other]
    listed.path.write_bytes(b"mine\n" + whole)
    with pytest.raises(UnreadableList, match="line 1 of"):
        listed.all()
