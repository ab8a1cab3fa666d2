"""The REST API: every operation that there is, as routes, with its description and a page to read it.

Invariant: what is served is what is described.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.access.callers import Callers
from admin.conversations.acting import Actor, Put
from admin.http.openapi import description
from admin.http.operations import Operation
from admin.http.serving import ROOT, routes
from admin.office import Office
from admin.resources import (
    account,
    accounts,
    acts,
    audit,
    belonging,
    chatflows,
    consents,
    contacts,
    conversations,
    images,
    installing,
    keys,
    mobile,
    people,
    previews,
    properties,
    publishing,
    reports,
    retention,
    segments,
    session,
    tags,
    things,
    tickets,
)
from admin.resources.companies import COMPANIES
from admin.resources.kinds import KINDS
from admin.resources.segments import SEGMENTS
from admin.resources.session import Prove
from store.files.brand import BrandImages
from store.files.bucket import Bucket

_PAGE_RULES = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Ports:
    """What the API is handed by whoever runs it. `prove` tells whose e-mail and password these are.

    `put` puts a command into a cell, and returns its outcome.

    `images` keeps those of brands, and `bucket` has the files that people sent; None: there is nowhere to keep them.
    """

    prove: Prove
    put: Put
    images: BrandImages | None = None
    bucket: Bucket | None = None


def operations(office: Office, ports: Ports) -> list[Operation]:
    """Return everything that can be asked."""
    return [
        *session.operations(office, ports.prove),
        *account.operations(office),
        *chatflows.operations(office),
        *publishing.operations(office),
        *previews.operations(office),
        *(operation for kind in KINDS for operation in things.operations(office, kind)),
        *(images.operations(office, ports.images) if ports.images is not None else ()),
        *contacts.operations(office),
        *people.operations(office, ports.bucket),
        *consents.operations(office),
        *conversations.operations(office),
        *acts.operations(Actor(office, ports.put)),
        *tickets.operations(office),
        *tags.operations(office),
        *belonging.operations(office, COMPANIES),
        *belonging.operations(office, SEGMENTS),
        *segments.operations(office),
        *properties.operations(office),
        *retention.operations(office),
        *mobile.operations(office),
        *installing.operations(office),
        *keys.operations(office),
        *reports.operations(office),
        *audit.operations(office),
        *accounts.operations(office),
    ]


def api_routes(office: Office, ports: Ports) -> list[Route]:
    """Return the routes of the API and of its pages."""
    served = operations(office, ports)
    document = orjson.dumps(description(served))

    async def openapi(_: Request) -> Response:
        return Response(document, 200, {"Cache-Control": "no-store"}, "application/json")

    return [
        Route(f"{ROOT}/openapi.json", openapi, methods=["GET"]),
        Route(f"{ROOT}/docs", _page, methods=["GET"]),
        Route(f"{ROOT}/docs/page.js", _script, methods=["GET"]),
        *routes(served, Callers(office.config, office.now_ms)),
    ]


async def _page(_: Request) -> Response:
    headers = {"Content-Security-Policy": _PAGE_RULES, "X-Content-Type-Options": "nosniff"}
    return Response(_file("docs.html"), 200, headers, "text/html; charset=utf-8")


async def _script(_: Request) -> Response:
    return Response(_file("docs.js"), 200, {"X-Content-Type-Options": "nosniff"}, "text/javascript; charset=utf-8")


@cache
def _file(name: str) -> bytes:
    return (resources.files("admin.pages") / name).read_bytes()
