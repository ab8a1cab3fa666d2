"""One network and one visitor in it."""

from collections.abc import AsyncIterator

import pytest
import samtale
from samtale import journal

from tests.unit.sdk.memory_line import Network
from tests.unit.sdk.phones import client


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def facts() -> list[journal.Fact]:
    return []


@pytest.fixture
async def visitor(network: Network, facts: list[journal.Fact]) -> AsyncIterator[samtale.VisitorClient]:
    async with client(network, facts) as entered:
        yield entered
