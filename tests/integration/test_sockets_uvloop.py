"""The same sockets on uvloop, whose transports are not asyncio's in every detail."""

import inspect
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from tests.integration import test_sockets_abuse, test_sockets_handshake, test_sockets_limits

Story = Callable[[], Awaitable[None]]

STORIES: list[Story] = [
    story
    for module in (test_sockets_abuse, test_sockets_handshake, test_sockets_limits)
    for name, story in vars(module).items()
    if name.startswith("test_") and not inspect.signature(story).parameters
]


@pytest.mark.parametrize("story", STORIES)
def test_it_holds_on_uvloop_too(story: Story) -> None:
    """Every story of the other modules that takes no parameters."""

    async def told() -> None:
        await story()

    uvloop.run(told())
