"""Every dialogue of the vectors, black box, in both subprotocols, against a running server."""

import secrets
from typing import Any

import pytest

from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK
from tests.conformance.dialogue import Dialogue
from tests.conformance.test_vectors import load

pytestmark = pytest.mark.xdist_group("conformance")  # one server, and Node's libraries installed once


@pytest.mark.parametrize("subprotocol", [SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON])
@pytest.mark.parametrize("dialogue", load("dialogues"), ids=lambda dialogue: dialogue["name"])
async def test_the_server_keeps_to_spec(
    dialogue: dict[str, Any], subprotocol: str, server_url: str, known: dict[str, str]
) -> None:
    """Each step of the dialogue holds."""
    played = Dialogue(server_url, subprotocol, **known, key=secrets.token_urlsafe(24))
    await played.play(dialogue["steps"])
