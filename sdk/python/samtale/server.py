"""A company's own server, which may begin a conversation with one of its users (SPEC 3.8).

Invariant: the server key leaves this module only in the header of a request; it is not for phones.
"""

from dataclasses import dataclass
from urllib.parse import urljoin

from samtale.asked import RefusedError
from samtale.events import Refused
from samtale.http import post, to_http
from samtale.line import LineLost
from samtale.reading import read


@dataclass(frozen=True, slots=True)
class Begun:
    """The message stands in the visitor's conversation at `seq`."""

    conversation: str
    visitor: str
    seq: int
    event: str


class Server:
    """`server_key`: one of the app's, kept where the company keeps its secrets."""

    def __init__(self, url: str, server_key: str) -> None:
        self._address = urljoin(to_http(url), "/v1/server/conversations")
        self._key = server_key

    async def start_conversation(self, subject: str, text: str, *, tag: str, name: str = "", locale: str = "") -> Begun:
        """Say `text` to the visitor whose tokens have `sub` `subject`, in their open conversation or in a new one.

        `name`: who it is from. Raises RefusedError; LineLost if nobody answered, and then it may have been said.
        """
        content = {"subject": subject, "tag": tag, "text": text, "name": name, "locale": locale}
        try:
            status, answer = await post(self._address, content, {"Authorization": f"Bearer {self._key}"})
        except (OSError, TimeoutError, ValueError) as error:
            raise LineLost(1006, str(error)) from None
        if status == 201:
            return read(Begun, answer)
        if "code" not in answer:
            raise LineLost(1006, f"no answer of a Samtale server: {status}")
        refused = {"text": "", **answer, "retryable": status in (429, 503)}
        raise RefusedError(read(Refused, refused))
