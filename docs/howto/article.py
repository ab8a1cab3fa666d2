"""A mobile chatflow with everything that can be set, built over REST alone; nothing but Python's standard library.

    samtale key create builder --installation
    python docs/howto/article.py http://127.0.0.1:8080 samk_…

It makes an account with its owner, logs in as the owner, and builds: a help desk in Norwegian, two users with a seat
and a team, a routing rule, a survey, a brand with an image, consents, e-mail capture; it begins a preview of that,
publishes it, puts it before another chatflow of the same tag, enables it, goes back to the default text of the consent,
takes that back, and takes that back, too. With `--wait` it stops at each step that a phone sees, until you press Enter:

    samtale visitor --app app_nordlys --tag sykkel

It may be run once per account name (`--account`).
"""

import argparse
import base64
import json
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

EDITED = "Vi tar vare på samtalen i tolv måneder. Er det greit?"
LOGO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGPgztuHFTEMLQmSEQYAYNNXwUNxtbUAAAAASUVORK5CYII="
)
TAG, NEW, OLD = "sykkel", "sykkelhjelp", "gammel"


class Rest:
    """Requests to one server: with an API key, or after `log_in` with the cookie and its token."""

    def __init__(self, server: str, key: str = "") -> None:
        self.root = f"{server.rstrip('/')}/api/v1"
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request and return what it answers; a problem ends the program."""
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
        except urllib.error.URLError as nobody:
            raise SystemExit(f"{self.root} does not answer: {nobody.reason}") from None

    def log_in(self, email: str, password: str) -> None:
        """Log in as a browser does: a cookie, and a token that every write carries."""
        begun = self.ask("POST", "/session", {"email": email, "password": password})
        self.headers = {"X-CSRF-Token": begun["csrf_token"]}

    def change(self, path: str, body: Any) -> Any:
        """Change fields of what is there, whatever it is now."""
        return self.ask("PATCH", path, body, If_Match="*")


def found(server: str, installation_key: str, account: str) -> Rest:
    """Make the account and its owner; return what the owner asks with."""
    owner = {"id": "kari", "name": "Kari Moen", "email": f"kari@{account}.example", "password": f"kari-of-{account}"}
    Rest(server, installation_key).ask("POST", "/accounts", {"id": account, "name": "Nordlys Sykkel", "owner": owner})
    rest = Rest(server)
    rest.log_in(owner["email"], owner["password"])
    return rest


def furnish(rest: Rest, account: str) -> None:
    """Make everything that a chatflow names: users with a seat, a team, an app, a help desk, a rule, a survey."""
    for user, name in (("ingrid", "Ingrid Lie"), ("jonas", "Jonas Berg"), ("amira", "Amira Haddad")):
        rest.ask("POST", "/users", {
            "id": user, "name": name, "email": f"{user}@{account}.example", "password": f"{user}-of-{account}",
            "seat": True,
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
        "id": "fjes", "name": "Etter praten", "delivery": "chat", "scale": "faces",
        "question": {"nb": "Hvordan var det?"},
    })  # fmt: skip


def make(rest: Rest, chatflow: str, name: str, **more: str) -> None:
    """Make a chatflow of the tag: of live agents, without a knowledge base, unpublished, disabled, served last."""
    rest.ask("POST", "/chatflows", {
        "id": chatflow, "name": name, "inbox": "kundesenter", "language": "nb", "tag": TAG, "kind": "live_agent",
        "knowledge_base": False,
    }, **more)  # fmt: skip


def draft(rest: Rest) -> None:
    """Set everything that a chatflow can be set to."""
    image = rest.ask("POST", "/images", LOGO, Content_Type="image/png")["address"]
    rest.change(f"/chatflows/{NEW}/draft", {
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
    checked = rest.ask("POST", f"/chatflows/{NEW}/check")
    print("valid:", checked["valid"], *checked["cautions"], sep="\n  ")


def build(server: str, installation_key: str, account: str, stop: Callable[[], object]) -> None:
    """Build all of it, step by step."""

    def served(after: str) -> None:
        """Say which chatflow a phone gets now."""
        now = rest.ask("POST", "/chatflows/explain", {"tag": TAG, "locale": "nb-NO"})
        print(f"{after}: phones get {now['chatflow']}, version {now['version']}", flush=True)
        stop()  # a phone that is open shows it by now, or in a moment

    rest = found(server, installation_key, account)
    furnish(rest, account)

    make(rest, OLD, "Gamle sykkelhjelp")  # the one that is there already, and answers to the same tag
    rest.ask("POST", f"/chatflows/{OLD}/publish")
    rest.change(f"/chatflows/{OLD}", {"enabled": True})
    served("before")

    make(rest, NEW, "Sykkelhjelp", Idempotency_Key=f"{account}-{NEW}")  # asked twice, it would be made once
    draft(rest)
    print("preview:", rest.ask("POST", f"/chatflows/{NEW}/preview")["address"])
    served("drafted")

    rest.ask("POST", f"/chatflows/{NEW}/publish")
    rest.ask("PUT", "/chatflows/order", {"chatflows": [NEW, OLD]}, If_Match="*")
    served("published")
    rest.change(f"/chatflows/{NEW}", {"enabled": True})
    served("enabled")

    rest.change(f"/chatflows/{NEW}/draft", {"consent": {"text": None}})  # back to the default text
    rest.ask("POST", f"/chatflows/{NEW}/publish")
    served("default text")
    rest.ask("POST", f"/chatflows/{NEW}/roll-back")
    served("taken back")
    rest.ask("POST", f"/chatflows/{NEW}/roll-back", {"version": 2})
    served("and that, too")


def wait() -> None:
    """Wait until Enter is pressed."""
    print("  (Enter goes on)", flush=True)
    input()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Build a mobile chatflow over REST.")
    asked.add_argument("server")
    asked.add_argument("key", help="a key of the installation: samtale key create NAME --installation")
    asked.add_argument("--account", default="nordlys")
    asked.add_argument("--wait", action="store_true", help="stop at each step that a phone sees, until Enter")
    given = asked.parse_args()
    build(given.server, given.key, given.account, wait if given.wait else lambda: None)
