"""Whom a visitor's credential names (SPEC 3.2, 3.4).

Invariant: a token proves who somebody is or is refused, and is never taken as anonymous; a secret is the decider's to
judge, so that its hash is all that leaves.
"""

import base64

from msgspec import Struct
from msgspec.structs import replace

from gateway.doors import Turned
from gateway.ports import Claims
from gateway.presence import random_id
from gateway.services import Services
from protocol.bus.config import AccountConfig, App
from protocol.bus.decisions import Refusal
from protocol.ids import DeviceId, VisitorId, device_id, identified_visitor_id, secret_hash
from protocol.wire import client
from protocol.wire.codes import Code


class Proven(Struct, frozen=True):
    """Whom a credential names. `fresh`: the secret to hand out, "" for identified visitors; `claims`: theirs.

    `began_as`, `began_on`: who an identified visitor was before, and which device, to which `presented` belongs.
    """

    visitor: VisitorId
    device: DeviceId
    presented: list[bytes]
    fresh: str
    is_new: bool
    claims: Claims | None = None
    began_as: VisitorId | None = None
    began_on: DeviceId | None = None

    @property
    def token_until_ms(self) -> int | None:
        return self.claims.expires_at_s * 1000 if self.claims is not None else None


def prove(services: Services, config: AccountConfig, app: App, hello: client.Hello) -> Proven:
    """Return whom the credential names, or raise Turned. Tokens are judged here, secrets by the decider."""
    outside, credential = services.outside, hello.credential
    if isinstance(credential, client.Identified):
        claims = outside.credentials.verify_token(config, app, credential.token, outside.now_ms() // 1000)
        if isinstance(claims, Refusal):
            raise Turned(claims.code)
        visitor = visitor_of(config, app, claims)
        device = device_id(config.id_key, visitor, credential.device_key)
        named = Proven(visitor, device, [], "", is_new=False, claims=claims)
        return _having_begun(config, credential, named)
    is_new = credential.visitor is None
    if not is_new and not credential.secrets:
        raise Turned(Code.VISITOR_UNKNOWN)
    visitor = VisitorId(credential.visitor or random_id("vis_", outside.entropy))
    device = device_id(config.id_key, visitor, credential.device_key)
    presented = [] if is_new else [secret_hash(secret) for secret in credential.secrets]
    fresh = base64.urlsafe_b64encode(outside.entropy(32)).decode().rstrip("=")
    return Proven(visitor, device, presented, fresh, is_new)


def _having_begun(config: AccountConfig, credential: client.Identified, named: Proven) -> Proven:
    """Return `named` with who they say they were on this phone before they logged in."""
    if credential.visitor is None:
        return named
    if not credential.secrets:
        raise Turned(Code.VISITOR_UNKNOWN)
    began_as = VisitorId(credential.visitor)
    began_on = device_id(config.id_key, began_as, credential.device_key)
    presented = [secret_hash(secret) for secret in credential.secrets]
    return replace(named, presented=presented, began_as=began_as, began_on=began_on)


def visitor_of(config: AccountConfig, app: App, claims: Claims) -> VisitorId:
    """Return the visitor whom a valid token names."""
    return identified_visitor_id(config.id_key, app.key, claims.subject)
