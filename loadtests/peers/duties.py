"""What each contender does for a message and what it does not, said plainly for both sides.

Invariant: what is said of a contender is true of how it runs here, by its settings; docs/peers.md carries this table (a
test compares).
"""

DUTIES: tuple[tuple[str, str, str, str], ...] = (
    ("", "socket.io", "minimum", "Samtale"),
    ("an ack means", "it is in the stream", "it is in the inbox", "it is decided and committed"),
    ("sent a second time", "carried again", "carried again", "taken once"),
    ("order of a sender", "as it came", "as it came", "numbered and checked"),
    ("a line that was cut", "what was missed is gone (1)", "what was missed is gone", "resumes where it was"),
    ("a server that died", "what it held is gone", "there is one engine", "another takes over, fenced"),
    ("history", "the newest 10,000 or so", "the newest 10,000 or so", "a log each, and all in SQL"),
    ("who it is", "not asked", "not asked", "app key, device, token, ticket"),
    ("consent and steps", "no", "no", "checked at every word"),
    ("who reads it", "who joined the room", "who named it", "routed by rules and capacity"),
    ("receipts", "no", "no", "delivered and read"),
    ("the sender's own copy", "left out", "no", "sent, with its place"),
    ("slow readers", "buffered without bound", "bounded by the sockets", "bounded, cut, resumed"),
    ("floods", "not limited", "limited by the sockets", "limited by session, socket, address"),
    ("where sockets fail", "long-polling (2)", "nothing", "nothing"),
    ("any event, any room", "yes", "no", "no: conversations only"),
    ("clients", "in a dozen languages", "none", "Python; SPEC for others"),
)
NOTES = (
    "(1) connection state recovery is an option of its adapter, off as it comes",
    "(2) off, as everybody connects by WebSocket here",
)


def rendered() -> str:
    """Return the table for a terminal."""
    widths = [max(len(row[column]) for row in DUTIES) + 2 for column in range(4)]
    lines = ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in DUTIES]
    return "\n".join(f"  {line}".rstrip() for line in (*lines, *NOTES))


def markdown() -> str:
    """Return the table for a page."""
    lines = ["| " + " | ".join(row) + " |" for row in DUTIES]
    return "\n".join([lines[0], "|---" * 4 + "|", *lines[1:], "", *(f"{note}." for note in NOTES)])
