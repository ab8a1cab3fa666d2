"""What a session asks and says of attachments (SPEC 5.9, 6.7).

Invariant: an address is given only for a conversation that the session may write or read; a receipt counts only for
whoever uploaded.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from gateway.core.actions import Action, AllowDownload, AllowUpload, Say
from gateway.core.limits import Bucket
from gateway.core.reading import refused
from gateway.core.seals import Receipt
from protocol.bus.commands import AgentSends, AnyCommand, Uploaded, VisitorSends
from protocol.ids import AccountId, VisitorId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.limits import MAX_FILE_BYTES

PER_MINUTE, BURST = 60, 20  # addresses to upload to, per session: two messages full of files at once
Opens = Callable[[str], Receipt | None]


def opens_none(_: str) -> Receipt | None:
    """Open nothing: this gateway takes no attachments."""
    return None


class Attaching:
    """One session's. `opens` is put in by who drives the session."""

    __slots__ = ("_account", "_allowed", "opens")

    def __init__(self, account: AccountId) -> None:
        self.opens: Opens = opens_none
        self._account = account
        self._allowed: Bucket | None = None  # most sessions send no file

    def upload(
        self, frame: client.Upload, visitor: VisitorId, sender: str, why_not: Code | None, at_ms: int
    ) -> list[Action]:
        """Allow one upload. `why_not`: why nothing may be said in the conversation."""
        ref, conversation = frame.ref, frame.conversation
        code = why_not or (Code.TOO_LARGE if frame.size > MAX_FILE_BYTES else None)
        if code is not None:
            return [Say(refused(code, ref=ref, conversation=conversation))]
        self._allowed = self._allowed or Bucket(PER_MINUTE, BURST)
        if wait_ms := self._allowed.wait_ms(at_ms):
            return [Say(refused(Code.RATE_LIMITED, ref=ref, conversation=conversation, retry_after_ms=wait_ms))]
        return [AllowUpload(frame, visitor, sender)]

    def download(self, frame: client.Download, visitor: VisitorId | None) -> list[Action]:
        """Allow one download, from the conversation of `visitor`; None: it is not read here."""
        if visitor is None:
            return [Say(refused(Code.NOT_FOUND, ref=frame.ref, conversation=frame.conversation))]
        return [AllowDownload(frame, visitor)]

    def why_not(self, frame: client.Numbered) -> Code | None:
        """Return why what a `send` names may not be sent, or None."""
        if not getattr(frame, "attachments", None):
            return None
        return None if all(each is not None for each in self._opened(frame)) else Code.BAD_ATTACHMENT

    def complete(self, frame: client.Numbered, command: AnyCommand) -> AnyCommand:
        """Return the command of a `send` with all that its receipts say."""
        if not getattr(frame, "attachments", None):
            return command
        opened = [each for each in self._opened(frame) if each is not None]
        uploads = [Uploaded(each.conversation, each.sender, each.at_ms, each.file) for each in opened]
        assert isinstance(command, VisitorSends | AgentSends), "a send asks for one of these"
        return replace(command, uploads=uploads)

    def _opened(self, frame: client.Numbered) -> Iterator[Receipt | None]:
        assert isinstance(frame, client.Send | client.AgentSend), "no other frame names attachments"
        for receipt in map(self.opens, frame.attachments):
            yield receipt if receipt is not None and receipt.account == self._account else None
