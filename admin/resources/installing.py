"""Whether an app is connected: how to build Samtale into it, and which of its builds have said hello since.

Invariant: what is told of builds is no older than a minute, and says nothing of whoever uses them; whatever a phone
called itself is shown as text.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from html import escape
from importlib import resources
from string import Template

import msgspec

from admin.http.operations import Call, Operation, Parameter
from admin.http.paging import PAGING, page_schema, paged, sorting
from admin.http.replies import Reply
from admin.office import Office
from admin.resources.mobile import SERVER, TAG, app_of, first_tag, server_of
from admin.workspace.document import Document
from admin.workspace.readers import Schema
from protocol.bus.config import AccountConfig, App
from store.sql.queries import builds
from store.sql.queries.builds import Build, Heard

_PAGE_RULES = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web", "react_native": "React Native", "python": "Python",
              "other": "Another platform"}  # fmt: skip
_SHOWN = 20  # builds on the page
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_TEXT, _COUNT = {"type": "string"}, {"type": "integer"}
_TIME: Schema = {"type": ["integer", "null"], "description": "milliseconds since 1970; null: not seen yet"}
_BUILD: Schema = {
    "type": "object",
    "title": "Build",
    "properties": {
        **dict.fromkeys(("id", "platform", "app_version", "sdk", "tag"), _TEXT),
        "answered": {"type": "boolean", "description": "whether a chatflow has the tag, or had it"},
        **dict.fromkeys(("sessions", "first_seen_at_ms", "last_seen_at_ms"), _COUNT),
    },
    "required": ["id", "platform", "app_version", "sdk", "tag", "answered", "sessions", "first_seen_at_ms",
                 "last_seen_at_ms"],
}  # fmt: skip
_TOLD: Schema = {
    "app": _TEXT,
    "environment": _TEXT,
    "connected": {"type": "boolean"},
    "sessions": _COUNT,
    "sessions_of_others": {"type": "integer", "description": "of builds beyond those that are told apart"},
    "first_seen_at_ms": _TIME,
    "last_seen_at_ms": _TIME,
}
_PAGE = page_schema(_BUILD)
_CHECK = _PAGE | {"properties": _TOLD | _PAGE["properties"], "required": [*_TOLD, "items"]}
_SORTS = sorting("id", "platform", "app_version", "sessions", "first_seen_at_ms", "last_seen_at_ms")
_PLATFORM = Parameter("platform", {"type": "string", "enum": list(_PLATFORMS)}, "only builds for it")


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about an app that is being connected."""

    async def known_builds(config: AccountConfig, app: App) -> dict[Build, Heard]:
        return await office.record.read(partial(builds.of_app, account=config.account, app=app.key))

    async def check(call: Call) -> Reply:
        config = await office.present(call.caller.account)
        app = app_of(config, call)
        known = await known_builds(config, app)
        told = [_build(config, build, heard) for build, heard in known.items() if build.platform]
        page = paged(
            call, [each for each in told if call.query.get("platform", each["platform"]) == each["platform"]], "id"
        )
        return Reply({"app": app.key, "environment": app.environment, **_sums(known), **page.body})

    async def set_up(call: Call) -> Reply:
        config = await office.present(call.caller.account)
        app = app_of(config, call)
        known = await known_builds(config, app)
        seen = _seen(config, known, office.now_ms())
        page = _page(app, server_of(call), call.query.get("tag") or first_tag(config), seen)
        return Reply(page.encode(), headers={"Content-Security-Policy": _PAGE_RULES})

    one = "/apps/{key}"
    return [
        Operation("GET", f"{one}/install-check", "check_install", "Which builds of an app have said hello", check,
                  "settings.read", answer=_CHECK, problems=(404,), parameters=(*PAGING, _SORTS, _PLATFORM), tag="apps"),
        Operation("GET", f"{one}/set-up", "get_set_up", "A page that says how to build it into an app, and if it is",
                  set_up, "settings.read", answer={"type": "string"}, media="text/html; charset=utf-8",
                  problems=(404,), parameters=(SERVER, TAG), tag="apps"),
    ]  # fmt: skip


def _sums(known: Mapping[Build, Heard]) -> Document:
    return {
        "connected": bool(known),
        "sessions": sum(heard.sessions for heard in known.values()),
        "sessions_of_others": sum(heard.sessions for build, heard in known.items() if not build.platform),
        "first_seen_at_ms": min((heard.first_seen_at_ms for heard in known.values()), default=None),
        "last_seen_at_ms": max((heard.last_seen_at_ms for heard in known.values()), default=None),
    }


def _build(config: AccountConfig, build: Build, heard: Heard) -> Document:
    said = {name: getattr(build, name) for name in ("platform", "app_version", "sdk", "tag")}
    id_ = f"bld_{hashlib.blake2b(msgspec.json.encode(list(said.values())), digest_size=8).hexdigest()}"
    counted = {name: getattr(heard, name) for name in ("sessions", "first_seen_at_ms", "last_seen_at_ms")}
    return {"id": id_, **said, "answered": _is_answered(config, build.tag), **counted}


def _is_answered(config: AccountConfig, tag: str) -> bool:
    return any(tag in (*flow.tags, *flow.former_tags) for flow in config.chatflows)


def _page(app: App, server: str, tag: str, seen: str) -> str:
    """Return the page; whatever an admin, a caller or a phone named is escaped. `seen` is HTML."""
    told = {
        "name": app.name, "key": app.key, "environment": app.environment, "tag": tag, "server": server,
        "socket": server.replace("http", "ws", 1) + "/v1/mobile",
    }  # fmt: skip
    written = (resources.files("admin.pages") / "set_up.html").read_text(encoding="utf-8")
    return Template(written).substitute({name: escape(value) for name, value in told.items()} | {"seen": seen})


def _seen(config: AccountConfig, known: Mapping[Build, Heard], now_ms: int) -> str:
    """Return, as HTML, which builds were seen, the latest first."""
    latest = sorted(known.items(), key=lambda item: (-item[1].last_seen_at_ms, item[0]))[:_SHOWN]
    if not latest:
        return "<p><strong>Not seen yet.</strong> Start the app: within a minute its build stands here.</p>"
    first, heard = latest[0]
    says = f"<p><strong>Connected:</strong> {_named(first)}, {_ago(now_ms - heard.last_seen_at_ms)}.</p>"
    rows = "".join(_row(config, build, heard, now_ms) for build, heard in latest)
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("Build", "SDK", "Tag", "First seen", "Last seen", "Sessions")
    )
    return f"{says}\n<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(config: AccountConfig, build: Build, heard: Heard, now_ms: int) -> str:
    lost = "" if not build.platform or _is_answered(config, build.tag) else " (no chatflow has this tag)"
    first, last = (_ago(now_ms - at_ms) for at_ms in (heard.first_seen_at_ms, heard.last_seen_at_ms))
    cells = (_named(build), escape(build.sdk), escape(build.tag) + lost, first, last, heard.sessions)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _named(build: Build) -> str:
    return escape(f"{_PLATFORMS[build.platform]} {build.app_version}") if build.platform else "Other builds"


def _ago(ms: int) -> str:
    """Return how long ago that is, in the largest unit of which there is one."""
    for unit_s, unit in _UNITS:
        if (many := ms // 1000 // unit_s) >= 1:
            return f"{many} {unit}{'' if many == 1 else 's'} ago"
    return "just now"
