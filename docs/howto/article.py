"""A mobile chatflow with everything that can be set, built over REST alone; nothing but Python's standard library.

    samtale key create builder --installation
    python docs/howto/article.py http://127.0.0.1:8080 samk_…

It makes an account with its owner, logs in as the owner, and builds: a help desk in Norwegian, two users with a seat
and a team, a routing rule, a survey, a brand with an image, consents, e-mail capture; then it publishes, enables, and
puts the chatflow before another one of the same tag. It may be run once per account name (`--account`).
"""

import argparse
import base64
import json
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

EDITED = "Vi tar vare på samtalen i tolv måneder. Er det greit?"
LOGO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGPgztuHFTEMLQmSEQYAYNNXwUNxtbUAAAAASUVORK5CYII="
)


class Rest:
    """Requests to one server: with an API key, or after `log_in` with the cookie and its token."""

    def __init__(self, server: str, key: str = "") -> None:
        self.root = f"{server.rstrip('/')}/api/v1"
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request and return what it answers; a problem is an exception."""
        said = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            said = {"Content-Type": "application/json"} | said
        request = urllib.request.Request(self.root + path, content, said, method=method)  # noqa: S310 - the reader's server
        try:
            with self._opener.open(request) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as problem:
            raise SystemExit(f"{method} {path}: {problem.read().decode()}") from None

    def log_in(self, email: str, password: str) -> None:
        """Log in as a browser does: a cookie, and a token that every write carries."""
        begun = self.ask("POST", "/session", {"email": email, "password": password})
        self.headers = {"X-CSRF-Token": begun["csrf_token"]}

    def change(self, path: str, body: Any) -> Any:
        """Change fields of what is there, whatever it is now."""
        return self.ask("PATCH", path, body, If_Match="*")


def build(server: str, installation_key: str, account: str) -> None:
    """Build all of it, step by step."""
    mail = f"{account}.example"
    owner = {"id": "kari", "name": "Kari Moen", "email": f"kari@{mail}", "password": f"kari-of-{account}"}
    Rest(server, installation_key).ask("POST", "/accounts", {"id": account, "name": "Nordlys Sykkel", "owner": owner})
    rest = Rest(server)
    rest.log_in(owner["email"], owner["password"])

    for user, name in (("ingrid", "Ingrid Lie"), ("jonas", "Jonas Berg"), ("amira", "Amira Haddad")):
        rest.ask("POST", "/users", {
            "id": user, "name": name, "email": f"{user}@{mail}", "password": f"{user}-of-{account}", "seat": True,
        })  # fmt: skip
    rest.ask("POST", "/teams", {"id": "verkstedet", "name": "Verkstedet", "members": ["amira"]})
    rest.ask("POST", "/apps", {"key": f"app_{account}", "name": "Nordlys for telefonen"})
    staff = ["ingrid", "jonas", "amira", "kari"]
    rest.ask("POST", "/inboxes", {"id": "kundesenter", "name": "Kundesenteret", "kind": "help_desk", "agents": staff})
    rest.ask("POST", "/rules", {
        "id": "skranken", "inbox": "kundesenter", "name": "Etter tur", "agents": ["ingrid", "jonas"],
        "teams": ["verkstedet"], "auto_accept": True,
    })  # fmt: skip
    rest.ask("POST", "/subscriptions", {"id": "sykkelnytt", "name": "tips om turer og tilbud"})
    rest.ask("POST", "/surveys", {
        "id": "fjes", "name": "Etter praten", "scale": "faces", "question": {"nb": "Hvordan var det?"},
    })  # fmt: skip

    # The one that is there already, and answers to the same tag.
    old = {"id": "gammel", "name": "Gamle sykkelhjelp", "inbox": "kundesenter", "language": "nb", "tag": "sykkel"}
    rest.ask("POST", "/chatflows", old)
    rest.ask("POST", "/chatflows/gammel/publish")
    rest.change("/chatflows/gammel", {"enabled": True})

    new = {"id": "sykkelhjelp", "name": "Sykkelhjelp", "inbox": "kundesenter", "language": "nb", "tag": "sykkel"}
    rest.ask("POST", "/chatflows", new, Idempotency_Key=f"{account}-sykkelhjelp")
    image = rest.ask("POST", "/images", LOGO, Content_Type="image/png")["address"]
    rest.change("/chatflows/sykkelhjelp/draft", {
        "rule": "skranken",
        "heading": {"kind": "custom", "name": "Nordlys Sykkel", "image": image},
        "welcome": {"nb": "Hei og velkommen! Hva kan vi hjelpe deg med?"},
        "email": {"open": "after_delay", "delay_s": 1, "text": {"nb": "Hvor kan vi skrive til deg?"}},
        "storage": {"ask": "before_chat"},
        "consent": {"mode": "explicit", "text": {"nb": EDITED}},
        "communicate": {"subscription": "sykkelnytt", "label": {"nb": "Ja, send meg {subscription}."}},
        "display": {"small": "launcher", "large": "welcome_prompt", "accent": "#0b6e4f"},
        "close_button": True,
        "marketing": True,
        "survey": "fjes",
    })  # fmt: skip
    rest.change("/chatflows/sykkelhjelp/draft", {"consent": {"text": None}})  # back to the default text
    checked = rest.ask("POST", "/chatflows/sykkelhjelp/check")
    print("cautions:", *checked["cautions"], sep="\n  ")
    print("published:", rest.ask("POST", "/chatflows/sykkelhjelp/publish")["published"])
    rest.change("/chatflows/sykkelhjelp", {"enabled": True})
    rest.ask("PUT", "/chatflows/order", {"chatflows": ["sykkelhjelp", "gammel"]})
    print("served:", rest.ask("POST", "/chatflows/explain", {"tag": "sykkel", "locale": "nb-NO"})["chatflow"])


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Build a mobile chatflow over REST.")
    asked.add_argument("server")
    asked.add_argument("key", help="a key of the installation: samtale key create NAME --installation")
    asked.add_argument("--account", default="nordlys")
    given = asked.parse_args()
    build(given.server, given.key, given.account)
