"""A client that is not the SDK says one thing several times."""

import asyncio
import json
import secrets
from typing import Any
from urllib.parse import urljoin

import samtale

from app.demo.cast import Cast
from app.demo.facts import NotSo, require
from app.demo.pulse import PATIENCE_S
from app.demo.setting import Setting


async def repeat(cast: Cast) -> str:
    """The same frame, sent four times by a client that is not the SDK, gets the same seq each time."""
    line = await samtale.network(samtale.JSON)(_socket(cast.stage.gateways[0]))
    try:
        ready = await _ask(line, _hello(cast.setting), "ready")
        conversation = ready["conversation"]
        send = {"t": "send", "conversation": conversation, "n": 1, "id": secrets.token_hex(16), "text": "Only once"}
        cast.narrator.does("raw", json.dumps({name: send[name] for name in ("t", "n", "id", "text")}))
        acks = [await _ask(line, send, "ack") for _ in range(4)]
        cast.narrator.sees("raw", f"sent 4 times, acknowledged with seq {', '.join(str(ack['seq']) for ack in acks)}")
        require(len({(ack["seq"], ack["event"]) for ack in acks}) == 1, f"the acknowledgements differ: {acks}")
        asked = {"t": "history", "ref": "all", "conversation": conversation, "before": 1_000, "limit": 100}
        page = await _ask(line, asked, "history")
        said = [event["seq"] for event in page["events"] if event.get("body", {}).get("text") == "Only once"]
        require(said == [acks[0]["seq"]], f"the log holds it under {said}")
        await _ask(line, {"t": "close", "conversation": conversation, "n": 2, "id": secrets.token_hex(16)}, "ack")
    finally:
        await line.close()
    return f"4 times the same frame: seq {acks[0]['seq']} each time, and once in the log"


def _socket(gateway: str) -> str:
    return urljoin(gateway, "/v1/mobile").replace("http", "ws", 1)


def _hello(setting: Setting) -> dict[str, Any]:
    credential = {"kind": "anonymous", "device_key": secrets.token_hex(24)}
    device = {"platform": "other", "app_version": "1", "locale": "en"}
    return {
        "t": "hello",
        "v": 1,
        "app_key": setting.app_key,
        "tag": setting.tag,
        "credential": credential,
        "device": device,
    }


async def _ask(line: samtale.Line, frame: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Send `frame` and return the next frame of the wanted kind; NotSo that there was none, or a refusal."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await line.send(json.dumps(frame))
            while True:
                answer: dict[str, Any] = json.loads(await line.receive())
                if answer["t"] == wanted:
                    return answer
                require(answer["t"] != "refused", f"{frame['t']} was refused: {answer.get('code')}")
    except TimeoutError:
        raise NotSo(f"did not happen within {PATIENCE_S:g} s: {wanted} after {frame['t']}") from None
