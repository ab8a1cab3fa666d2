"""How much one socket, or one address, may cost this process.

Invariant: every number here bounds memory or time that a peer controls; the comments name what chose it
(docs/guarantees.md has the measurements).
"""

from dataclasses import dataclass

from protocol.wire.limits import HEARTBEAT_S, HELLO_TIMEOUT_S, MAX_FRAME_BYTES, MAX_HELLO_BYTES


@dataclass(frozen=True, slots=True)
class SocketRules:
    """The bounds of every socket; times in seconds."""

    hello_timeout_s: float = HELLO_TIMEOUT_S  # also for the HTTP head that asks for the socket
    admission_timeout_s: float = 15.0  # for the answer to a hello: a cell may be changing hands (G8: 12 s)
    max_hello_bytes: int = MAX_HELLO_BYTES
    max_frame_bytes: int = MAX_FRAME_BYTES
    max_head_bytes: int = 16_384  # an HTTP head; httptools itself has no limit
    heartbeat_s: float = HEARTBEAT_S
    silent_beats: int = 2  # unanswered pings before 4004: a phone in a tunnel keeps its line for 50–75 s
    queue_frames: int = 256
    queue_bytes: int = 262_144
    high_water_bytes: int = 65_536  # asyncio's own default: beyond it frames wait in our queue, where they are counted
    abort_bytes: int = 262_144  # twice in a row: a ping flood took other servers from 28 to 298 MB in 12 s
    watch_every_s: float = 1.0
    send_deadline_s: float = 10.0  # every byte leaves within it: never-reading peers outlived 90 s of pings elsewhere
    close_timeout_s: float = 2.0  # for the peer to answer a close frame
    frames_per_minute: int = 6_000  # beyond what a session refuses politely (gateway.core.limits): 4429
    frames_burst: int = 1_000
    pings_per_minute: int = 60
    pings_burst: int = 20
    handshakes_per_minute: int = 12_000  # per address; phones share addresses, so this stops floods only
    handshakes_burst: int = 2_000
    logins_per_minute: int = 5  # per address and e-mail
    logins_burst: int = 5
    address_logins_per_minute: int = 60  # an office shares an address; each attempt costs 170 ms of a core
    address_logins_burst: int = 60
    company_messages_per_minute: int = 600  # per app; one user is written to by whoever writes to all
    company_messages_burst: int = 100
    key_guesses_per_minute: int = 10  # per address: wrong server keys
    key_guesses_burst: int = 10
    max_connections: int = 18_000  # what 20,000 open files leave room for
