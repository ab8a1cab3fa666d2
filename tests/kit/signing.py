"""A company that signs its visitors' tokens: keys of every algorithm, made once.

Invariant: written with the same library a company might use, from nothing but docs/howto/identity.md.
"""

import functools
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from protocol.bus.config import App, IdentityKey
from protocol.ids import AppKey

NOW_S = 1_800_000_000
SECRET = "a shared secret of 32 characters"
ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")


@functools.cache
def private_pem(algorithm: str) -> str:
    """Return the company's private key for `algorithm`; the shared secret for HS256."""
    keys: dict[str, Any] = {
        "RS256": lambda: rsa.generate_private_key(65_537, 2_048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }
    if algorithm == "HS256":
        return SECRET
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(keys[algorithm]().private_bytes(*form), "ascii")


@functools.cache
def public_pem(algorithm: str) -> str:
    """Return what the company registers for `algorithm`."""
    if algorithm == "HS256":
        return SECRET
    private = serialization.load_pem_private_key(private_pem(algorithm).encode(), None)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return str(private.public_key().public_bytes(*form), "ascii")


def app(*keys: IdentityKey, audience: str = "") -> App:
    """Return an app with `keys`; by default one per algorithm, each under its algorithm's name."""
    own = [IdentityKey(name, name, public_pem(name)) for name in ALGORITHMS]
    return App(AppKey("app_shop"), "Shop", identity_keys=list(keys) or own, audience=audience)


def claims(**changed: Any) -> dict[str, Any]:
    """Return good claims, with some changed; None leaves one out."""
    good = {"sub": "user-17", "aud": "app_shop", "iat": NOW_S, "exp": NOW_S + 900}
    return {name: value for name, value in (good | changed).items() if value is not None}


def sign(payload: dict[str, Any], algorithm: str = "HS256", *, key: str | None = None, **head: Any) -> str:
    """Return a token signed with the company's key for `algorithm`, or with `key`."""
    importers: dict[str, Any] = {"HS256": OctKey, "RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.algorithms = {algorithm: JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]}
    material = importers[algorithm].import_key(key or private_pem(algorithm))
    return jwt.encode({"alg": algorithm, "kid": algorithm} | head, payload, material, registry=registry)
