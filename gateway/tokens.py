"""Visitors' tokens: JWTs that a company signed with a key it registered (SPEC 3.4).

Invariant: the registered key alone says which algorithm is allowed; a token says only which key, by `kid`. Whatever is
wrong short of having expired is one and the same refusal, and nothing of a token is ever kept or quoted.
"""

import base64
import copy
import functools
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

from gateway.ports import Claims
from protocol.bus import minting
from protocol.bus.config import App, IdentityKey
from protocol.bus.decisions import Refusal
from protocol.bus.records import Profile
from protocol.bus.steps import address_in
from protocol.ids import AgentId, is_id
from protocol.wire.codes import Code

MAX_NAME_CHARS = 100
LEEWAY_S = 30  # clocks of companies' servers differ from ours
MAX_LIFE_S = 3_600

_INVALID = Refusal(Code.TOKEN_INVALID)
_EXPIRED = Refusal(Code.TOKEN_EXPIRED)


class _Head(msgspec.Struct):
    kid: str


class _Payload(msgspec.Struct):
    """The claims that SPEC 3.4 requires, `nbf`, which is honoured, and those that say who it is; others are ignored.

    The last are of any type: a company may mean something else by them, and loses no user by that.
    """

    exp: float
    iat: float
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    aud: str | list[str]
    nbf: float = 0
    name: Any = None
    email: Any = None
    email_verified: Any = None
    owner: Any = None


def verify(app: App, keys: Sequence[IdentityKey], token: str, now_s: int) -> Claims | Refusal:
    """Return whom `token` names by one of `keys`, or why it proves nothing.

    TOKEN_EXPIRED only if all else about it is right.
    """
    registered = _registered(keys, token)
    payload = _signed_payload(registered, token) if registered is not None else None
    if (
        registered is None
        or payload is None
        or not _is_for(app, payload)
        or not _lives_rightly(registered, payload, now_s)
    ):
        return _INVALID
    if payload.exp + LEEWAY_S <= now_s:
        return _EXPIRED
    return Claims(payload.sub, int(payload.exp), registered, _profile(payload))


def _profile(payload: _Payload) -> Profile:
    """Return what the company vouches for. An address that it has not verified proves nothing."""
    name = payload.name.replace("\x00", "") if isinstance(payload.name, str) else ""
    email = payload.email if isinstance(payload.email, str) and payload.email_verified is True else ""
    owner = payload.owner if isinstance(payload.owner, str) and is_id(payload.owner) else None
    known = AgentId(owner) if owner is not None else None
    return Profile(name.strip()[:MAX_NAME_CHARS], address_in(email) or "", known, payload.sub)


def _registered(keys: Sequence[IdentityKey], token: str) -> IdentityKey | None:
    """Return the key that the token names, if it is one of `keys`."""
    try:
        kid = _unverified_kid(token)
    except (ValueError, RecursionError):
        return None
    return next((key for key in keys if key.kid == kid), None)


def _signed_payload(registered: IdentityKey, token: str) -> _Payload | None:
    try:
        signed = deserialize_compact(token, _key(registered), registry=_registry(registered.algorithm))
        return msgspec.json.decode(signed.payload or b"", type=_Payload)
    except (JoseError, ValueError, RecursionError):  # msgspec's, base64's and unicode's errors are ValueErrors
        return None


def _is_for(app: App, payload: _Payload) -> bool:
    audience = app.audience or app.key
    return audience == payload.aud if isinstance(payload.aud, str) else audience in payload.aud


def _lives_rightly(registered: IdentityKey, payload: _Payload, now_s: int) -> bool:
    """Whether it has begun, and does not live for longer than it may."""
    longest_s = minting.MAX_LIFE_S if registered.kid == minting.KID else MAX_LIFE_S
    begun = max(payload.iat, payload.nbf) <= now_s + LEEWAY_S
    return begun and 0 < payload.exp - payload.iat <= longest_s


def _unverified_kid(token: str) -> str:
    head = token.split(".", 1)[0]
    return msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=_Head).kid


@functools.lru_cache(maxsize=256)
def _key(registered: IdentityKey) -> Key:
    """Return the key ready for use: reading a PEM costs more than checking a signature with it."""
    match registered.algorithm:
        case "HS256":
            return OctKey.import_key(registered.material)
        case "RS256":
            return RSAKey.import_key(registered.material)
        case "ES256":
            return ECKey.import_key(registered.material)
        case "EdDSA":
            return OKPKey.import_key(registered.material)


@functools.lru_cache(maxsize=8)
def _registry(algorithm: str) -> JWSRegistry:
    """Return a registry of exactly one algorithm; unknown header fields are ignored unless `crit` (RFC 7515 §4)."""
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    model = copy.copy(JWSRegistry.algorithms[algorithm])
    model.security_warning = None  # joserfc 1.8 warns of the name EdDSA (RFC 9864), which others still write
    registry.algorithms = {algorithm: model}
    return registry
