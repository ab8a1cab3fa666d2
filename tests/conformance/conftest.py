"""Which server the conformance suite speaks to: the one at SAMTALE_TEST_URL, else one of its own.

Invariant: the suite knows a server by its address alone; it has the example workspace applied.
"""

import os

import pytest


@pytest.fixture
def server_url(request: pytest.FixtureRequest) -> str:
    given = os.environ.get("SAMTALE_TEST_URL")
    if given:
        return given.rstrip("/")
    url: str = request.getfixturevalue("samtale_server").url
    return url


@pytest.fixture
def app_key() -> str:
    return os.environ.get("SAMTALE_TEST_APP_KEY", "app_nordvik")
