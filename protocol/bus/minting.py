"""The key that signs visitors' tokens which a company asks for over REST, instead of signing them itself (SPEC 3.4).

Invariant: derived from what never leaves the servers, for each app another; nobody registers a key of its name.
"""

import hashlib

from protocol.bus.config import AccountConfig, App, IdentityKey

KID = "samtale"
MAX_LIFE_S = 43_200


def minting_key(config: AccountConfig, app: App) -> IdentityKey:
    """Return the key with which tokens of `app` are minted."""
    digest = hashlib.blake2b(app.key.encode(), digest_size=32, key=config.id_key[:64], person=b"visitor tokens")
    return IdentityKey(KID, "HS256", digest.hexdigest())


def keys_of(config: AccountConfig, app: App) -> list[IdentityKey]:
    """Return every key by which a token of `app` may be proved."""
    return [*app.identity_keys, minting_key(config, app)]
