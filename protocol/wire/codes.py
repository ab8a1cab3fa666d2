"""Why a frame is refused, and why a socket is closed (SPEC 10, 11).

Invariant: a code, once published, keeps its meaning and its `retryable` for the life of protocol v1.
"""

from enum import Enum, IntEnum


class Code(Enum):
    """A refusal code: (wire name, retryable, text for a developer)."""

    # about the frame
    MALFORMED = ("malformed", False, "The frame does not have the form that SPEC gives it.")
    UNKNOWN_FRAME = ("unknown_frame", False, "No frame of that name exists on this socket.")
    TOO_LARGE = ("too_large", False, "The frame or its text is longer than allowed.")
    EMPTY_TEXT = ("empty_text", False, "A message needs at least one visible character.")
    # about numbering
    OUT_OF_ORDER = ("out_of_order", True, "This n is above the expected one: renumber from `expected`, keep the ids.")
    N_CONFLICT = ("n_conflict", True, "This n was used by another id: renumber from `expected`, keep the ids.")
    TOO_MANY_UNRESOLVED = ("too_many_unresolved", True, "At most 32 frames may await their outcome.")
    # about the conversation
    CONSENT_REQUIRED = ("consent_required", True, "Nothing is accepted before the visitor consents to processing.")
    CONVERSATION_CLOSED = ("conversation_closed", False, "The conversation is closed.")
    CONTINUED = ("continued", True, "This conversation is over for good: send to the one named in `instead`.")
    NO_CHATFLOW = ("no_chatflow", False, "No enabled chatflow serves this tag: nothing new can be started.")
    NOT_FOUND = ("not_found", False, "There is no such thing here.")
    PARKED = ("parked", True, "The conversation is set aside because of a fault; an operator has been told.")
    NOT_OUTSTANDING = ("not_outstanding", False, "No such step awaits an answer.")
    STORAGE_REQUIRED = ("storage_required", True, "The question about keeping data on the phone comes first.")
    EMAIL_REQUIRED = ("email_required", True, "An e-mail address is asked for before the chat.")
    BAD_ANSWER = ("bad_answer", False, "The answer is not one that this step takes.")
    BAD_CONTENT = ("bad_content", False, "The message's content does not have the form that SPEC gives it.")
    BAD_ATTACHMENT = ("bad_attachment", False, "No upload that this sender may send here, or not any more.")
    BAD_FILE = ("bad_file", False, "The file is not what it was said to be, or is of a kind that is not taken.")
    BLOCKED = ("blocked", False, "This visitor may not write here.")
    TOO_MANY_OPEN = ("too_many_open", False, "The visitor has as many open conversations as allowed.")
    NOBODY_THERE = ("nobody_there", False, "Nobody is there to start a conversation with: see `opens_at`.")
    SURVEY_OVER = ("survey_over", False, "No such survey awaits that: it was answered, or has expired.")
    # about agents
    NOT_PERMITTED = ("not_permitted", False, "This needs a supervisor.")
    NOT_ASSIGNED = ("not_assigned", False, "The conversation is not yours.")
    ALREADY_ASSIGNED = ("already_assigned", False, "Another agent has the conversation.")
    AT_CAPACITY = ("at_capacity", False, "The agent has as many conversations as allowed.")
    OFFER_GONE = ("offer_gone", False, "The offer was accepted, declined, withdrawn or has expired.")
    SEAT_REQUIRED = ("seat_required", False, "The agent holds no seat.")
    NOT_AVAILABLE = ("not_available", False, "The agent is not connected, or not in this inbox.")
    # about load and faults
    RATE_LIMITED = ("rate_limited", True, "Too many frames: wait `retry_after_ms`.")
    OVERLOADED = ("overloaded", True, "The server is behind: wait `retry_after_ms`.")
    UNAVAILABLE = ("unavailable", True, "A part of the server is away: try again after `retry_after_ms`.")
    # about credentials
    VISITOR_UNKNOWN = ("visitor_unknown", False, "No such visitor, or no valid secret: start anew.")
    TOKEN_INVALID = ("token_invalid", False, "The token's form, signature, key or claims are wrong.")
    TOKEN_EXPIRED = ("token_expired", True, "The token has expired: get a new one.")
    SUBJECT_CHANGED = ("subject_changed", False, "A refresh must name the same subject.")
    TICKET_INVALID = ("ticket_invalid", False, "The ticket is unknown, used or older than 30 s: log in again.")
    APP_UNKNOWN = ("app_unknown", False, "No app has this key.")
    VERSION_UNSUPPORTED = ("version_unsupported", False, "This protocol version is not spoken here.")
    UNAUTHENTICATED = ("unauthenticated", False, "The first frame must be a valid hello.")

    def __init__(self, wire: str, retryable: bool, text: str) -> None:
        self.wire = wire
        self.retryable = retryable
        self.text = text


BY_WIRE: dict[str, Code] = {code.wire: code for code in Code}


class CloseCode(IntEnum):
    """Why the socket closes: 4000–4499 mean come back, 4500–4999 do not (SPEC 11)."""

    GOING_AWAY = 4000  # drain: reconnect as told
    SLOW_READER = 4001  # did not read fast enough: reconnect and resume
    RESTARTED = 4002  # the gateway lost its lease: reconnect and resume at once
    OVERLOADED = 4003  # back off longer
    IDLE = 4004  # no sign of life
    REPLACED = 4005  # the same device connected again: come back only if the user asks
    TOKEN_EXPIRED = 4401  # reconnect with a new token
    HELLO_TIMEOUT = 4408  # no valid hello within 5 s
    RATE_LIMITED = 4429  # flooding: back off at least 10 s
    BAD_FRAME = 4500  # repeated or unreadable garbage: a bug in the client
    UNAUTHENTICATED = 4501  # the credential is wrong and stays wrong
    VERSION_UNSUPPORTED = 4502
    ORIGIN_REFUSED = 4503
    REVOKED = 4504  # logged out, seat removed or visitor blocked
    TOO_LARGE = 4509

    @property
    def come_back(self) -> bool:
        """Whether a client should connect again by itself."""
        return self < 4500
