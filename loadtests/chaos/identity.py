"""The users whom a chaos run's companies know: tokens, signed as docs/howto/identity.md says.

Invariant: a user is one on every phone; whoever logs in stays who they are until the run is over.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

from samtale.phone import TokenHook

KID, SECRET = "chaos", "a secret of companies in a chaos run"
VALID_S = 3_600
KEY = {"kid": KID, "algorithm": "HS256", "material": SECRET}


def user_of(account: str, app_key: str, subject: str, now_s: Callable[[], float]) -> TokenHook:
    """Return the hook that gives tokens of `subject`, whom the account's company knows."""

    async def token() -> str:
        now = int(now_s())
        claims = {"sub": subject, "aud": app_key, "iat": now, "exp": now + VALID_S, "name": subject}
        head = _part({"alg": "HS256", "kid": f"{KID}-{account}"}) + "." + _part(claims)
        return f"{head}.{_text(hmac.new(SECRET.encode(), head.encode(), hashlib.sha256).digest())}"

    return token


def _part(fields: dict[str, object]) -> str:
    return _text(json.dumps(fields).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
