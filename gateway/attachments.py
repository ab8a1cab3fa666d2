"""Attachments of one gateway process: what is allowed, and where files lie.

Invariant: an address holds no name of a file and works for five minutes; which file it is about is random and ours.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.core.actions import AllowDownload, AllowUpload
from gateway.core.reading import refused
from gateway.core.seals import DownloadGrant, Receipt, Seals, UploadGrant
from gateway.presence import random_id
from protocol.ids import AccountId, AttachmentId, CellName, ConversationId, DeviceId
from protocol.wire.codes import Code
from protocol.wire.kinds import File
from protocol.wire.limits import URL_S
from protocol.wire.server import DownloadAllowed, ServerFrame, UploadAllowed
from store.files.bucket import Bucket
from store.files.pictures import Pictures
from store.files.sniffing import kind_of, plain_type

PATH = "/v1/attachments/"
MAX_NAME_CHARS = 120
_LEFT_FOR_S = 3_600  # what lies in the scratch directory longer was left by a process that was killed
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, and what turns the direction of text


@dataclass(frozen=True, slots=True)
class Whose:
    """On whose behalf a session asks."""

    cell: CellName
    account: AccountId
    device: DeviceId


class Attachments:
    """`scratch`: a directory of ours alone, for what is still on its way."""

    def __init__(
        self, seals: Seals, bucket: Bucket, scratch: Path, entropy: Callable[[int], bytes], now_ms: Callable[[], int]
    ) -> None:
        self.bucket, self.scratch, self.entropy, self.now_ms = bucket, scratch, entropy, now_ms
        self.pictures = Pictures()
        self._seals = seals

    def allow_upload(self, whose: Whose, asked: AllowUpload) -> UploadAllowed:
        """Return where one file may be put."""
        frame, until_ms = asked.frame, self.now_ms() + URL_S * 1000
        id_ = AttachmentId(random_id("att_", self.entropy))
        type_ = plain_type(frame.type)
        file = File(id_, kind_of(type_), clean_name(frame.name), type_, frame.size)
        where = (whose.account, asked.visitor, ConversationId(frame.conversation), asked.sender)
        sealed = self._seals.seal(UploadGrant(*where, whose.device, whose.cell, file, until_ms))
        return UploadAllowed(frame.ref, frame.conversation, id_, PATH + sealed, until_ms)

    def allow_download(self, whose: Whose, asked: AllowDownload) -> DownloadAllowed:
        """Return where an attachment can be had; whether it is there is found out there."""
        frame, until_ms = asked.frame, self.now_ms() + URL_S * 1000
        grant = DownloadGrant(whose.account, asked.visitor, AttachmentId(frame.attachment), until_ms)
        return DownloadAllowed(
            frame.ref, frame.conversation, frame.attachment, PATH + self._seals.seal(grant), until_ms
        )

    def may_upload(self, sealed: str) -> UploadGrant | None:
        """Return what may be put at this address now; None if it is none of ours, or too old."""
        grant = self._seals.open(UploadGrant, sealed)
        return grant if grant is not None and self.now_ms() <= grant.until_ms else None

    def may_download(self, sealed: str) -> DownloadGrant | None:
        """Return what can be had at this address now; None if it is none of ours, or too old."""
        grant = self._seals.open(DownloadGrant, sealed)
        return grant if grant is not None and self.now_ms() <= grant.until_ms else None

    def receipt(self, grant: UploadGrant, file: File) -> str:
        """Return what a `send` says of an upload that is there."""
        return self._seals.seal(Receipt(grant.account, grant.conversation, grant.sender, file, self.now_ms()))

    def opens(self, receipt: str) -> Receipt | None:
        """Return what a receipt says; None if it is none of ours."""
        return self._seals.open(Receipt, receipt)

    def tidy(self) -> None:
        """Make the scratch directory, and remove what a process that was killed left in it. Blocks."""
        self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self.scratch.iterdir():
            if path.stat().st_mtime < self.now_ms() / 1000 - _LEFT_FOR_S:
                path.unlink(missing_ok=True)


def allowed(files: Attachments | None, whose: Whose, asked: AllowUpload | AllowDownload) -> ServerFrame:
    """Return the answer to what a session allows; a refusal where no files are taken."""
    if files is None:
        about = {"ref": asked.frame.ref, "conversation": asked.frame.conversation}
        return refused(Code.UNAVAILABLE, **about)
    return files.allow_upload(whose, asked) if isinstance(asked, AllowUpload) else files.allow_download(whose, asked)


def clean_name(name: str) -> str:
    """Return what is shown of a name: no path, nothing that is not seen, and no more than a line."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in last)
    stem, dot, ending = " ".join(seen.split()).strip(". ").rpartition(".")
    most = MAX_NAME_CHARS - len(dot + ending)
    return (stem[:most] + dot + ending if most > 0 else (stem + dot + ending)[:MAX_NAME_CHARS]) or "file"
