"""Every vector, in process: the server's codecs, the SDK's, and the generated schemas."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
import samtale
from samtale import line as sdk
from samtale.body import read_body

from protocol import schema
from protocol.wire import client, content, kinds, server
from protocol.wire.codec import AGENT, MOBILE, BadFrame, Codec, msgpack_to_json
from protocol.wire.codes import BY_WIRE
from protocol.wire.limits import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

VECTORS = Path(schema.__file__).parent / "vectors"
SERVER = {"mobile": server.MobileServerFrame, "agent": server.AgentServerFrame}
CLIENT = {"mobile": client.MobileFrame, "agent": client.AgentFrame}


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["vectors"]
    return vectors


def spread(name: str) -> list[Any]:
    """Return one test per vector and socket."""
    return [pytest.param(v, s, id=f"{v['name']}, {s}") for v in load(name) for s in v["sockets"]]


def codec(socket: str, subprotocol: str) -> Codec[Any]:
    return {"mobile": MOBILE, "agent": AGENT}[socket][subprotocol]


@pytest.mark.parametrize(("vector", "socket"), [p for p in spread("frames") if p.values[0]["from"] == "client"])
def test_a_clients_frame_means_the_same_in_both_subprotocols(vector: dict[str, Any], socket: str) -> None:
    """Both decode to the same value, which holds all that the vector says and we know."""
    from_json = codec(socket, SUBPROTOCOL_JSON).decode(json.dumps(vector["json"]))
    from_msgpack = codec(socket, SUBPROTOCOL_MSGPACK).decode(bytes.fromhex(vector["msgpack"]))
    assert from_json == from_msgpack
    again = json.loads(codec(socket, SUBPROTOCOL_JSON).encode(from_json))
    assert codec(socket, SUBPROTOCOL_JSON).decode(json.dumps(again)) == from_json
    said = {name: value for name, value in vector["json"].items() if value and name not in ("mood", "credential")}
    assert {**again, **said} == again


@pytest.mark.parametrize(("vector", "socket"), [p for p in spread("frames") if p.values[0]["from"] == "server"])
def test_a_servers_frame_has_exactly_these_bytes(vector: dict[str, Any], socket: str) -> None:
    """The type encodes to the vector, in MessagePack byte for byte; transcoding gives the same JSON."""
    frame = msgspec.convert(vector["json"], SERVER[socket])
    packed = codec(socket, SUBPROTOCOL_MSGPACK).encode(frame)
    assert packed.hex() == vector["msgpack"]
    assert json.loads(codec(socket, SUBPROTOCOL_JSON).encode(frame)) == vector["json"]
    assert json.loads(msgpack_to_json(packed)) == vector["json"]


@pytest.mark.parametrize("vector", load("frames"), ids=lambda v: v["name"])
def test_the_sdk_reads_and_writes_every_frame(vector: dict[str, Any]) -> None:
    """Its two codecs agree with the vectors; what clients send is written as shown."""
    assert sdk.decode(bytes.fromhex(vector["msgpack"])) == vector["json"]
    assert sdk.decode(json.dumps(vector["json"])) == vector["json"]
    if vector["from"] == "client":
        assert sdk.encode(vector["json"], sdk.MSGPACK) == bytes.fromhex(vector["msgpack"])


def test_no_body_and_no_content_is_without_a_vector() -> None:
    """Whoever adds a kind of event or content adds an example."""
    bodies = [v["json"]["body"] for v in load("frames") if v["json"]["t"] == "event"]
    assert {body["kind"] for body in bodies} == {kind.__struct_config__.tag for kind in get_args(content.AnyBody)}
    held = {body["content"]["kind"] for body in bodies if "content" in body}
    assert held == {kind.__struct_config__.tag for kind in get_args(kinds.AnyContent)}


@pytest.mark.parametrize("vector", [v for v in load("frames") if v["json"]["t"] == "event"], ids=lambda v: v["name"])
def test_the_sdk_has_a_type_for_every_body_and_content(vector: dict[str, Any]) -> None:
    """None of what SPEC 7.2 names is unknown to it, and every field that it has is the vector's."""
    body = read_body(vector["json"]["body"])
    assert not isinstance(body, samtale.Unknown)
    assert not isinstance(getattr(body, "content", None), samtale.UnknownContent)
    held = {name: value for name, value in asdict(body).items() if name in vector["json"]["body"]}
    shown = {name: vector["json"]["body"][name] for name in held}
    assert contains(held, shown)


def contains(held: Any, shown: Any) -> bool:
    """Return whether `held` has all that `shown` has; kinds are types there."""
    if isinstance(shown, dict):
        fields = {name: value for name, value in shown.items() if name != "kind"}
        return all(name in held and contains(held[name], value) for name, value in fields.items())
    if isinstance(shown, list):
        return len(held) == len(shown) and all(contains(*pair) for pair in zip(held, shown, strict=True))
    return bool(held == shown)


@pytest.mark.parametrize(("vector", "socket"), spread("malformed"))
def test_what_is_no_frame_is_refused_as_the_vector_says(vector: dict[str, Any], socket: str) -> None:
    """With the code, and with as much of what it was about as could be read."""
    name, raw = (SUBPROTOCOL_JSON, vector["json"]) if "json" in vector else (SUBPROTOCOL_MSGPACK, None)
    with pytest.raises(BadFrame) as bad:
        codec(socket, name).decode(raw if raw is not None else bytes.fromhex(vector["msgpack"]))
    about = {key: value for key, value in msgspec.to_builtins(bad.value.about).items() if value}
    assert {"code": bad.value.code.wire, **about} == vector["refused"]


@pytest.mark.parametrize("subprotocol", [SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK])
def test_a_message_of_the_other_kind_is_malformed(subprotocol: str) -> None:
    """Text on the MessagePack subprotocol, binary on the JSON one."""
    raw: Any = b"{}" if subprotocol == SUBPROTOCOL_JSON else "{}"
    with pytest.raises(BadFrame, match="only"):
        MOBILE[subprotocol].decode(raw)


@pytest.mark.parametrize("socket", ["mobile", "agent"])
@pytest.mark.parametrize(("sender", "frames"), [("client", CLIENT), ("server", SERVER)])
def test_no_frame_is_without_a_vector(socket: str, sender: str, frames: dict[str, Any]) -> None:
    """Whoever adds a frame adds an example."""
    shown = {v["json"]["t"] for v in load("frames") if v["from"] == sender and socket in v["sockets"]}
    assert shown == {kind.__struct_config__.tag for kind in get_args(frames[socket])}


def test_the_schemas_are_current() -> None:
    """`python -m protocol.schema` was run after the last change of a frame."""
    assert {p.name: p.read_text(encoding="utf-8") for p in schema.HERE.glob("*.json")} == schema.documents()


@pytest.mark.parametrize(("vector", "socket"), spread("frames"))
def test_every_frame_satisfies_its_schema(vector: dict[str, Any], socket: str) -> None:
    """The schemas accept what the vectors show."""
    document = json.loads((schema.HERE / f"{socket}-{vector['from']}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(document).validate(vector["json"])


def test_spec_and_code_know_the_same_codes() -> None:
    """Every refusal code has its row in SPEC 10, with the same `retryable`."""
    spec = (VECTORS.parent / "SPEC.md").read_text(encoding="utf-8")
    table = spec.split("## 10. Refusals")[1].split("## 11.")[0]
    rows = {cells[1].strip("` "): cells[2].strip() for line in table.splitlines() if (cells := line.split("|"))[2:]}
    told = {name: row == "yes" for name, row in rows.items() if row in ("yes", "no")}
    assert told == {name: code.retryable for name, code in BY_WIRE.items()}
