"""Answers kept for a day, for whoever asks again under the same Idempotency-Key.

Invariant: an answer is found and read by nobody but whoever was given it. What it is called and what it is sealed with
come of the caller's own credential, of which the server keeps only a hash; so a secret in it is as safe as that.
"""

import hashlib

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from admin.http.operations import Call
from admin.http.problems import CONFLICT, Problem
from admin.http.replies import Reply
from store.sql.queries.answers import KeptAnswer

REPLAYED = {"Idempotency-Replayed": "true"}
_HALF = 32  # of what comes of a credential: one to name answers by, one to seal them with


def name_of(call: Call) -> str | None:
    """Return what the call's answer is called; None: it is not asked to be kept."""
    if call.idempotency_key is None:
        return None
    return hashlib.blake2b(call.idempotency_key.encode(), digest_size=32, key=call.caller.keeping[:_HALF]).hexdigest()


def asked(call: Call) -> bytes:
    """Return a hash of what was asked: under one key that is always the same."""
    said = [call.request.method, call.request.url.path, call.plain]
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()


def sealed(call: Call, reply: Reply) -> KeptAnswer:
    """Return `reply` as it is kept."""
    told = msgspec.json.encode([reply.body, reply.etag, dict(reply.headers)])
    return KeptAnswer(asked(call), reply.status, AESSIV(call.caller.keeping[_HALF:]).encrypt(told, None))


def kept_of(call: Call, reply: Reply) -> tuple[str, KeptAnswer] | None:
    """Return under which name `reply` is kept, and as what; None: it is not."""
    name = name_of(call)
    return None if name is None else (name, sealed(call, reply))


def checked(call: Call, kept: KeptAnswer) -> KeptAnswer:
    """Return `kept` if it answers the same request. Raises Problem."""
    if kept.request != asked(call):
        raise Problem(CONFLICT, "this Idempotency-Key was used for another request")
    return kept


def again(call: Call, kept: KeptAnswer) -> Reply:
    """Return the reply that was given before. Raises Problem if that was to another request."""
    told = AESSIV(call.caller.keeping[_HALF:]).decrypt(checked(call, kept).answer, None)
    body, etag, headers = msgspec.json.decode(told)
    return Reply(body, kept.status, etag, headers | REPLAYED)
