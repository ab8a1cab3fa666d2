"""What a visitor's client says on the mobile socket.

Invariant: a credential is in `hello` and `refresh` alone.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from protocol.wire.client.both import Position
from protocol.wire.client.frame import NO_NUL, Frame, Id, Numbered, Receipts, Secret, Short
from protocol.wire.kinds import VisitorContent


class Anonymous(Struct, frozen=True, tag_field="kind", tag="anonymous"):
    """No proof of who: a device and, after the first time, the visitor and the secrets it was given (newest first)."""

    device_key: Secret
    visitor: Id | None = None
    secrets: Annotated[list[Secret], Meta(max_length=2)] = []


class Identified(Struct, frozen=True, tag_field="kind", tag="identified"):
    """A JWT signed by the company (SPEC 3.4), and who its user was on this device before they logged in (SPEC 3.9)."""

    device_key: Secret
    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    visitor: Id | None = None
    secrets: Annotated[list[Secret], Meta(max_length=2)] = []


class Device(Struct, frozen=True, omit_defaults=True):
    platform: Literal["ios", "android", "web", "react_native", "python", "other"]
    app_version: Short
    locale: Annotated[str, Meta(min_length=1, max_length=35, pattern=NO_NUL)]
    sdk: Short = ""


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame on the mobile socket (SPEC 3.1). `view`: the etag of the chatflow view held (SPEC 4.1).

    `preview`: a preview token, which stands for app and tag.
    """

    v: int
    app_key: Id
    tag: Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL)]
    credential: Anonymous | Identified
    device: Device
    positions: Annotated[list[Position], Meta(max_length=32)] = []
    view: Annotated[str, Meta(max_length=64)] = ""
    preview: Annotated[str, Meta(max_length=128)] = ""


class Send(Numbered, frozen=True, tag="send"):
    """Say something. Text: 1–10,000 characters after NFC (SPEC 5.4). `content`: a choice or a form's values.

    `attachments`: the receipts of uploads (SPEC 5.9); then the text may be left out, which is no message otherwise.
    """

    conversation: Id
    text: Annotated[str, Meta(min_length=1, max_length=10_000)] = ""
    content: VisitorContent | None = None
    attachments: Receipts = []


class Answer(Numbered, frozen=True, tag="answer"):
    """Answer a step (SPEC 5.5): granted or declined, or for `email` the address.

    `communicate`: the box on the card of the consent to process; absent if it was not shown.
    """

    conversation: Id
    step: Literal["storage_consent", "consent_to_process", "consent_to_communicate", "email"]
    value: Annotated[str, Meta(min_length=1, max_length=254)]
    communicate: bool | None = None


class Survey(Numbered, frozen=True, tag="survey"):
    """What became of the survey `ask` (SPEC 5.7): it was seen, dismissed, scored, or a comment is added."""

    conversation: Id
    ask: Annotated[int, Meta(ge=1, le=2**31)]
    action: Literal["seen", "dismiss", "answer", "comment"]
    score: Annotated[int, Meta(ge=0, le=10)] | None = None
    text: Annotated[str, Meta(max_length=2_000, pattern=NO_NUL)] = ""


class Close(Numbered, frozen=True, tag="close"):
    """End the conversation (SPEC 5.6)."""

    conversation: Id


class SetContext(Frame, frozen=True, tag="set_context"):
    """What the app knows of the visitor now (SPEC 9.5): merged into what was set, "" removes a property.

    Held back in the session while the consent to process is outstanding; at most 8 KiB. `device` properties are kept
    only with analytics consent.
    """

    screen: Annotated[str, Meta(max_length=200)] | None = None
    properties: Annotated[dict[Id, Annotated[str, Meta(max_length=500)]], Meta(max_length=50)] = {}
    device: Annotated[dict[Id, Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = {}
    breadcrumb: Annotated[str, Meta(max_length=200)] = ""


class SetAnalyticsConsent(Frame, frozen=True, tag="set_analytics_consent"):
    """The app's own answer about optional device properties (SPEC 4.6); answered by `done`."""

    ref: Id
    granted: bool


class Withdraw(Frame, frozen=True, tag="withdraw"):
    """Take a consent back (SPEC 4.7): of `process`, it closes what is open; answered by `done`."""

    ref: Id
    purpose: Literal["storage", "process", "communicate", "analytics"]


class Refresh(Frame, frozen=True, tag="refresh"):
    """A new token for the same subject on the same socket (SPEC 3.5)."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Logout(Frame, frozen=True, tag="logout"):
    """Revoke this device on the server (SPEC 3.7)."""
