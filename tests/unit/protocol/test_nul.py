"""U+0000, which PostgreSQL keeps in no text: nothing that holds it gets as far as a scribe."""

from typing import Any

import msgspec
import pytest

from protocol.bus.steps import address_in
from protocol.wire import client
from protocol.wire.codec import BadFrame, Codec
from protocol.wire.codes import Code
from protocol.wire.limits import SUBPROTOCOL_JSON
from tests.kit.hubs import says_hello

NUL = "a\x00b"
DEVICE = says_hello()["device"]
FRAMES: dict[str, dict[str, Any]] = {
    "tag": says_hello(NUL),
    "platform version": says_hello(device=DEVICE | {"app_version": NUL}),
    "locale": says_hello(device=DEVICE | {"locale": NUL}),
    "sdk": says_hello(device=DEVICE | {"sdk": NUL}),
    "comment": {"t": "survey", "n": 1, "id": "s1", "conversation": "cnv_1", "ask": 1, "action": "comment", "text": NUL},
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=list(FRAMES))
def test_a_frame_with_it_is_malformed(frame: dict[str, Any]) -> None:
    """Wherever the text would be kept beside the log."""
    codec = Codec(SUBPROTOCOL_JSON, client.Hello | client.Survey)
    with pytest.raises(BadFrame) as refused:
        codec.decode(msgspec.json.encode(frame).decode())
    assert refused.value.code is Code.MALFORMED
    cleaned = msgspec.json.encode(frame).decode().replace("\\u0000", "")
    assert codec.decode(cleaned)


def test_an_address_holds_none() -> None:
    """Neither before the @ nor behind it."""
    assert address_in("kari@fjord.example") == "kari@fjord.example"
    assert [address_in(f"k{NUL}@fjord.example"), address_in(f"kari@fj{NUL}.example")] == [None, None]
