"""Random secrets that are given out once: API keys, what a browser holds, previews.

Invariant: 256 random bit each; only the SHA-256 hash is kept, and a prefix says what a leaked one is.
"""

import base64
import hashlib
from collections.abc import Callable

from protocol.ids import secret_hash

KEY_PREFIX = "samk_"
SESSION_PREFIX = "sams_"
CSRF_PREFIX = "samc_"
PREVIEW_PREFIX = "samp_"


def new_secret(prefix: str, entropy: Callable[[int], bytes]) -> str:
    """Return a new secret."""
    return prefix + base64.urlsafe_b64encode(entropy(32)).rstrip(b"=").decode()


def hash_of(secret: str) -> bytes:
    """Return what is kept of it."""
    return secret_hash(secret)


def keeping_key(secret: str) -> bytes:
    """Return what answers to whoever holds `secret` are kept by: 64 bytes that its hash does not give away."""
    return hashlib.blake2b(secret.encode(), digest_size=64, person=b"samtale answers").digest()
