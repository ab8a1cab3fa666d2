"""What the supervisor says of its children, with children that are not ours."""

import asyncio
from pathlib import Path

from app.supervisor import Job, Supervisor


async def test_a_child_that_falls_with_a_group_of_exceptions_is_quoted(tmp_path: Path) -> None:
    """Its last words are the reason, not the frame that Python draws around it."""
    (tmp_path / "falling.py").write_text("raise ExceptionGroup('tasks', [ValueError('the reason')])")
    said: asyncio.Queue[str] = asyncio.Queue()
    supervisor = Supervisor(tmp_path, said.put_nowait, pauses_s=(60.0,))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        supervisor.start(tasks, Job("part", (), lambda: {"PYTHONPATH": str(tmp_path)}, module="falling"))
        assert await said.get() == "part ended (exit status 1: ValueError: the reason); starting it again in 60 s"
        await supervisor.stop()
