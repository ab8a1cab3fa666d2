"""Which server the conformance suite speaks to: the one at SAMTALE_TEST_URL, else one of its own.

Invariant: the suite knows a server by its address alone; it has the example workspace applied.
"""

import itertools
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


AGENTS = os.environ.get("SAMTALE_TEST_AGENTS", "siri@fjord.example:siri-siri per@fjord.example:per-per-per")
_next = itertools.cycle(AGENTS.split())  # one person may log in only so often


@pytest.fixture
def known(app_key: str) -> dict[str, str]:
    """Return the names that dialogues use without binding them: the two apps, and somebody of the help desk."""
    email, _, password = next(_next).partition(":")
    desk_app_key = os.environ.get("SAMTALE_TEST_DESK_APP_KEY", "app_fjord")
    return {"app_key": app_key, "desk_app_key": desk_app_key, "email": email, "password": password}
