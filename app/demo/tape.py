"""Every byte that a phone is sent, as it came off the line.

Invariant: nothing is left out, and nothing is changed on its way.
"""

import samtale


class Tape:
    """`heard`: the messages of all lines, one after the other."""

    def __init__(self) -> None:
        self.heard = bytearray()

    async def dial(self, url: str) -> samtale.Line:
        """Return a line that is recorded."""
        return _Recorded(await samtale.network()(url), self)

    def holds(self, text: str) -> bool:
        """Whether `text` came, in whatever case."""
        return text.lower().encode() in bytes(self.heard).lower()


class _Recorded:
    def __init__(self, line: samtale.Line, tape: Tape) -> None:
        self._line, self._tape = line, tape

    async def send(self, raw: bytes | str) -> None:
        await self._line.send(raw)

    async def receive(self) -> bytes | str:
        message = await self._line.receive()
        self._tape.heard += message.encode() if isinstance(message, str) else message
        return message

    async def close(self, code: int = 1000) -> None:
        await self._line.close(code)
