"""The forms that single values of a workspace file have: addresses, colours, app versions, secrets.

Invariant: a secret is never repeated in a mistake, and a server's secret is kept as its hash only.
"""

import hashlib
import re

from admin.workspace.places import Place, Wrong
from admin.workspace.readers import matching, reads, text

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
_HTTPS = re.compile(r"https://[^\s/]+\.[^\s]{1,1980}")
_IMAGE = re.compile(rf"{_HTTPS.pattern}|/v1/images/img_[a-z2-7]{{26}}\.[a-z]{{3,4}}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_APP_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}(-[0-9A-Za-z.-]{1,20})?")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
MIN_PASSWORD_CHARS = 8
MIN_SERVER_KEY_CHARS = 24

email = matching(_EMAIL, "an e-mail address")
origin = matching(_ORIGIN, "an exact origin such as https://www.example.com")
image = matching(_IMAGE, "an https address, or the path of an image that was put here")
colour = matching(_COLOUR, "a colour such as #1f5eff, in quotes")
app_version = matching(_APP_VERSION, "an app version such as 2.10, in quotes")
tag = text(64)


@reads({"type": "string", "minLength": MIN_PASSWORD_CHARS, "writeOnly": True})
def password(here: Place) -> str:
    """Read a password, or an argon2 hash of one."""
    return _secret(here, MIN_PASSWORD_CHARS)


@reads({"type": "string", "minLength": MIN_SERVER_KEY_CHARS, "description": "a secret, or sha256: and its hash"})
def server_key(here: Place) -> str:
    """Read a secret of the company's servers, or `sha256:` and its hash; returns the hash in hex."""
    found = _secret(here, MIN_SERVER_KEY_CHARS)
    if not found.startswith("sha256:"):
        return hashlib.sha256(found.encode()).hexdigest()
    if not _HASH.fullmatch(found):
        raise Wrong("must be sha256: and 64 digits of 0–9 a–f")
    return found.removeprefix("sha256:")


def _secret(here: Place, least: int) -> str:
    found = here.scalar("str")
    if found is None:
        quotes = " (put it in quotes)" if here.scalar("int") or here.scalar("bool") else ""
        raise Wrong(f"must be text{quotes}, not {here.found}")
    if len(found) < least:
        raise Wrong(f"needs at least {least} characters")
    return found
