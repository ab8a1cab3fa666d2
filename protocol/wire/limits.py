"""The limits of protocol v1 (SPEC 2.5). Each is stated to clients in `ready`."""

PROTOCOL_VERSION = 1
SUBPROTOCOL_MSGPACK = "samtale.v1.msgpack"
SUBPROTOCOL_JSON = "samtale.v1.json"

MAX_FRAME_BYTES = 65_536
MAX_HELLO_BYTES = 8_192
HELLO_TIMEOUT_S = 5.0
MAX_TEXT_CHARS = 10_000
MAX_UNRESOLVED = 32  # frames awaiting an outcome, per sender
REMEMBERED_OUTCOMES = 32  # outcomes kept per sender, for retries
HEARTBEAT_S = 25
MAX_FILES = 10  # attachments of a message
MAX_FILE_BYTES = 20 * 1024 * 1024
URL_S = 300  # for which an address to upload to, or to download from, is good
MESSAGES_PER_MINUTE = 30
MESSAGE_BURST = 10
FEED_LENGTH = 1_000
HISTORY_PAGE = 50
TOKEN_WARNING_S = 60
