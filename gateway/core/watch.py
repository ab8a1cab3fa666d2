"""Who else is at an agent's conversations, visitor and colleagues, from frames that may be lost.

Invariant: what the agent was told last becomes true again within two checks, however many frames were lost.
"""

import msgspec
from msgspec import Struct

from protocol.ids import ConversationId
from protocol.wire.server import Looking, Presence

VISITOR = ""  # in the place of a colleague's id


class _Seen(Struct, frozen=True):
    """As much of a staff frame as says who is there."""

    t: str
    online: bool = False
    on: bool = False
    agent: str = VISITOR
    name: str = ""


_SEEN = msgspec.msgpack.Decoder(_Seen)
_Who = tuple[ConversationId, str]


class Watch:
    """Those whom one session watches, the agent's own other consoles aside."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._there: dict[_Who, str] = {}  # by name
        self._silent: set[_Who] = set()  # asked, and not heard of since

    def heard(self, conversation: ConversationId, frame: bytes) -> bool | None:
        """Take a staff frame; return None if it is not about who is there, else whether it tells something new."""
        seen = _SEEN.decode(frame)
        if seen.t not in ("presence", "looking"):
            return None
        if seen.agent == self._me:
            return False
        who = (conversation, seen.agent)
        is_there = seen.online or seen.on
        self._silent.discard(who)
        new = (who in self._there) != is_there
        if is_there:
            self._there[who] = seen.name
        else:
            self._there.pop(who, None)
        return new

    def check(self, conversations: list[ConversationId]) -> list[Presence | Looking]:
        """Return what is true no longer: who stayed silent since they were asked last. Ask `conversations` now."""
        gone = [who for who in self._there if who[0] in conversations and who in self._silent]
        told = [self._gone(who) for who in gone]
        self._there = {who: name for who, name in self._there.items() if who[0] in conversations and who not in gone}
        self._silent = set(self._there)
        return told

    def _gone(self, who: _Who) -> Presence | Looking:
        conversation, agent = who
        return (
            Presence(conversation, False) if agent == VISITOR else Looking(conversation, agent, self._there[who], False)
        )
