"""What processes used, told of those that are gone too."""

import os
import subprocess
import sys

from loadtests.load.processes import Watched

_WORKS = "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True)\ninput()"


def test_a_process_that_is_gone_keeps_what_it_used() -> None:
    """Of each role that it was of: Valkey's child that rewrites its file is the driver's descendant, too."""
    child = subprocess.Popen([sys.executable, "-c", _WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"done\n"
    watched = Watched({"valkey": [os.getpid()], "driver": [os.getpid()]})
    before = watched.used()
    child.communicate(b"\n")
    watched.look_anew()
    after = watched.used()
    assert [after[role].cpu_s >= before[role].cpu_s for role in before] == [True, True]
    assert [after[role].processes < before[role].processes for role in before] == [True, True]
