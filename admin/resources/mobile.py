"""What an app developer takes from here: the configuration file of an app, and visitors' tokens.

Invariant: a configuration file holds nothing secret. A minted token is kept nowhere, but sealed for a day where a key
asks for it twice.
"""

import plistlib
from typing import Annotated

import orjson
from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec import Meta, Struct

from admin.http.operations import Call, Operation, Parameter
from admin.http.problems import NOT_FOUND, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.once import once
from admin.workspace.readers import Schema
from protocol.bus.config import AccountConfig, App
from protocol.bus.minting import KID, MAX_LIFE_S, minting_key
from protocol.wire.limits import PROTOCOL_VERSION


class NewToken(Struct, forbid_unknown_fields=True):
    """Whom it names. `email` counts as verified: the company vouches for it."""

    subject: Annotated[str, Meta(min_length=1, max_length=128)]
    name: Annotated[str, Meta(max_length=100)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    life_s: Annotated[int, Meta(ge=60, le=MAX_LIFE_S)] = MAX_LIFE_S


_TOKEN: Schema = {
    "type": "object",
    "properties": {"token": {"type": "string"}, "expires_at_ms": {"type": "integer"}},
    "required": ["token", "expires_at_ms"],
}
SERVER = Parameter("server", {"type": "string", "pattern": "^https?://[^\\s/]{1,200}$"}, "how phones reach Samtale")
TAG = Parameter("tag", {"type": "string", "maxLength": 64}, "the default tag")
_FORM = Parameter("form", {"type": "string", "enum": ["json", "plist"], "default": "json"}, "Android's or iOS's")


def operations(office: Office) -> list[Operation]:
    """Return what app developers can ask."""

    async def mint(call: Call) -> Reply:
        config = await office.present(call.caller.account)
        app, now_s = app_of(config, call), office.now_ms() // 1000
        wanted: NewToken = call.body
        said = {"name": wanted.name} | ({"email": wanted.email, "email_verified": True} if wanted.email else {})
        ends_s, audience = now_s + wanted.life_s, app.audience or app.key
        claims = {"sub": wanted.subject, "aud": audience, "iat": now_s, "exp": ends_s}
        key = OctKey.import_key(minting_key(config, app).material)
        token = jwt.encode({"alg": "HS256", "kid": KID}, claims | said, key, algorithms=["HS256"])
        reply = Reply({"token": token, "expires_at_ms": ends_s * 1000}, 201)
        return reply if call.idempotency_key is None else await once(office, call, lambda _: reply)

    async def configuration(call: Call) -> Reply:
        config = await office.present(call.caller.account)
        said = _configuration(config, app_of(config, call), server_of(call), call.query.get("tag"))
        is_plist = call.query.get("form") == "plist"
        written = plistlib.dumps(said) if is_plist else orjson.dumps(said, option=orjson.OPT_INDENT_2)
        name = "Samtale.plist" if is_plist else "samtale.json"
        return Reply(written, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    one = "/apps/{key}"
    return [
        Operation("POST", f"{one}/visitor-tokens", "mint_visitor_token", "Sign a token that identifies a visitor", mint,
                  "settings.edit", NewToken, _TOKEN, 201, problems=(404,), once=True, tag="apps"),
        Operation("GET", f"{one}/configuration", "get_configuration", "The file that an app is built with",
                  configuration, "settings.read", answer={"type": "string"}, media="application/octet-stream",
                  problems=(404,), parameters=(_FORM, SERVER, TAG), tag="apps"),
    ]  # fmt: skip


def app_of(config: AccountConfig, call: Call) -> App:
    """Return the app that the path names. Raises Problem."""
    app = next((app for app in config.apps if app.key == call.path["key"]), None)
    if app is None:
        raise Problem(NOT_FOUND, "there is no app of that key")
    return app


def server_of(call: Call) -> str:
    """Return how phones reach Samtale: as was said, or as the caller did."""
    return call.query.get("server") or f"{call.request.url.scheme}://{call.request.url.netloc}"


def first_tag(config: AccountConfig) -> str:
    """Return the tag of the chatflow that is served first; "" if none is enabled."""
    enabled = sorted((flow for flow in config.chatflows if flow.enabled), key=lambda flow: flow.priority)
    return enabled[0].tags[0] if enabled else ""


def _configuration(config: AccountConfig, app: App, server: str, tag: str | None) -> dict[str, str | int]:
    return {
        "server": server, "account": config.account, "app_key": app.key, "environment": app.environment,
        "default_tag": tag or first_tag(config), "protocol": PROTOCOL_VERSION,
    }  # fmt: skip
