"""Whether the visitors of an agent's conversations are online, from frames that may be lost.

Invariant: what the agent was told last becomes true again within two checks, however many frames were lost.
"""

from gateway.core.session import encode
from protocol.ids import ConversationId
from protocol.wire.server import Presence


class Watch:
    """The visitors whom one session watches."""

    def __init__(self) -> None:
        self._online: dict[ConversationId, bool] = {}
        self._silent: set[ConversationId] = set()  # asked, and not heard of since

    def heard(self, conversation: ConversationId, frame: bytes) -> bool | None:
        """Take a staff frame; return None if it is not about presence, else whether it tells something new."""
        online = frame == encode(Presence(conversation, True))
        if not online and frame != encode(Presence(conversation, False)):
            return None
        self._silent.discard(conversation)
        new = self._online.get(conversation, False) != online
        self._online[conversation] = online
        return new

    def check(self, conversations: list[ConversationId]) -> list[ConversationId]:
        """Return those believed online that stayed silent since they were asked last; ask all `conversations` now."""
        gone = [each for each in conversations if each in self._silent and self._online.get(each)]
        self._online = {each: self._online[each] for each in conversations if each in self._online and each not in gone}
        self._silent = set(conversations)
        return gone
