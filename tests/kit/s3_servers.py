"""A server of S3's protocol for tests: rclone's, in a process of its own, over a folder that tests look into.

Invariant: it listens on a free port of 127.0.0.1, lets in one key alone, and does not outlive the run.
"""

import ctypes
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from threading import Thread, Timer

import pytest

BUCKET = "samtale-files"
KEY, SECRET = "samtale-tests", "a-secret-of-the-tests"
_STARTS_WITHIN_S = 120
_SAYS = "Starting s3 server on [http://127.0.0.1:"
_LIBC = ctypes.CDLL(None)


def _die_with_us() -> None:
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class S3Server:
    """A server with one bucket. `folder` is where its objects lie, each a file under its key."""

    def __init__(self, root: Path) -> None:
        self.folder = root / BUCKET
        self.folder.mkdir()
        program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or "rclone"
        said = ("--config=", "--addr=127.0.0.1:0", f"--auth-key={KEY},{SECRET}", str(root))
        self._process = Popen(
            [program, "serve", "s3", *said], env={}, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, text=True,
            preexec_fn=_die_with_us,  # noqa: PLW1509 - it loads nothing and takes no lock
        )  # fmt: skip
        self._heard = Thread(target=self._hear_out, daemon=True)  # a full pipe would stop it
        self._port = self._listens_on()

    def _listens_on(self) -> int:
        assert self._process.stderr is not None
        late = Timer(_STARTS_WITHIN_S, self._process.kill)
        late.start()
        try:
            lines = []
            for line in self._process.stderr:
                lines.append(line)
                _, found, rest = line.partition(_SAYS)
                if found:
                    self._heard.start()
                    return int(rest.partition("/")[0])
        finally:
            late.cancel()
        raise AssertionError(f"rclone did not start: {''.join(lines)}")

    def _hear_out(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as said:
            said.read()

    def url(self, prefix: str) -> str:
        """Return where an installation may keep its files here, apart from those of other tests."""
        return f"s3://{BUCKET}/{prefix}"

    def environment(self, **changes: str) -> Mapping[str, str]:
        """Return what a process of an installation has in its environment to be let in, with `changes`."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "eu-north-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ALLOW_HTTP": "true",
            **changes,
        }

    def kept(self, prefix: str) -> dict[str, bytes]:
        """Return every object below `prefix` by its key."""
        files = [path for path in (self.folder / prefix).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder / prefix)): path.read_bytes() for path in files}

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(timeout=60)
        self._heard.join()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server of S3's protocol for this run."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()
