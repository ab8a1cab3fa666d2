"""What an agent's numbered frames ask for, and what is wrong with them that can be seen without the conversation.

Invariant: pure. Who may do what to a conversation is the deciders' to judge, who would refuse what is refused here too.
"""

from msgspec.structs import replace

from gateway.core.session import Identity
from gateway.core.words import nfc
from protocol.bus import commands
from protocol.bus.config import Agent
from protocol.bus.tombstones import emptied_entry
from protocol.ids import AccountId, AgentId, ConversationId, OfferId, TeamId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.limits import MAX_TEXT_CHARS

Numbered = (
    client.AgentSend
    | client.AgentClose
    | client.AddNote
    | client.Tag
    | client.SetFields
    | client.SetPriority
    | client.Snooze
    | client.Redact
    | client.Block
    | client.SetTicket
    | client.SetState
    | client.Accept
    | client.Decline
    | client.Claim
    | client.Transfer
)


class Desk(Identity, frozen=True):
    """Who speaks."""

    agent: AgentId


def why_not(frame: Numbered, agent: Agent | None) -> Code | None:
    """Return why the frame may not pass, or None."""
    if needs_supervisor(frame) and (agent is None or not agent.supervisor):
        return Code.NOT_PERMITTED
    text = getattr(frame, "text", "")
    if len(nfc(text)) > MAX_TEXT_CHARS:
        return Code.TOO_LARGE
    silent = isinstance(frame, client.AgentSend) and not (frame.content or frame.canned or frame.attachments)
    if (silent or isinstance(frame, client.AddNote)) and not text.strip():
        return Code.EMPTY_TEXT
    if isinstance(frame, client.Transfer) and bool(frame.to) == bool(frame.team):
        return Code.MALFORMED
    return None


def needs_supervisor(frame: Numbered) -> bool:
    """Whether only a supervisor may say this: a whisper, force, another agent's state."""
    match frame:
        case client.AddNote(whisper=True) | client.Claim(force=True) | client.Transfer(force=True):
            return True
        case client.SetState(agent=of):
            return of is not None
        case _:
            return False


def command_of(frame: Numbered, desk: Desk) -> commands.AnyCommand:
    """Return what the frame asks of the cell; of Redact without the entry, which is yet to be read."""
    about = desk.account, desk.origin(frame.n, frame.id)
    me = desk.agent
    match frame:
        case client.SetState(state=state, agent=of):
            return commands.SetAgentState(*about, me, state, AgentId(of) if of is not None else None)
        case client.Accept(offer=offer):
            return commands.AcceptOffer(*about, me, OfferId(offer))
        case client.Decline(offer=offer):
            return commands.DeclineOffer(*about, me, OfferId(offer))
        case client.Claim(conversation=which, force=force):
            return commands.ClaimConversation(*about, me, ConversationId(which), force)
        case client.Transfer(conversation=which, to=to, note=note, team=team, force=force):
            whom, words, team_id = AgentId(to), nfc(note), TeamId(team) if team else None
            return commands.TransferConversation(*about, me, ConversationId(which), whom, words, team_id, force)
        case _:
            return _at_conversation(frame, about, (ConversationId(frame.conversation), me))


def _at_conversation(
    frame: client.AgentSend
    | client.AgentClose
    | client.AddNote
    | client.Tag
    | client.SetFields
    | client.SetPriority
    | client.Snooze
    | client.Redact
    | client.Block
    | client.SetTicket,
    about: tuple[AccountId, commands.Origin],
    where: tuple[ConversationId, AgentId],
) -> commands.AnyCommand:
    match frame:
        case client.AgentSend(text=text, content=content, canned=canned):
            return commands.AgentSends(*about, *where, nfc(text), content, canned)
        case client.AgentClose(spam=spam, close_ticket=close_ticket):
            return commands.AgentCloses(*about, *where, spam, close_ticket)
        case client.AddNote(text=text, mentions=mentions, whisper=whisper):
            named = [AgentId(each) for each in mentions]
            return commands.AddNote(*about, *where, nfc(text), named, whisper)
        case client.Tag(add=add, remove=remove):
            return commands.ChangeTags(*about, *where, [nfc(each) for each in add], [nfc(each) for each in remove])
        case client.SetFields(fields=fields):
            return commands.SetFields(*about, *where, {name: nfc(value) for name, value in fields.items()})
        case client.SetPriority(priority=priority):
            return commands.SetPriority(*about, *where, priority)
        case client.Snooze(until_ms=until_ms):
            return commands.SnoozeConversation(*about, *where, until_ms)
        case client.Redact(seq=seq):
            return commands.RedactMessage(*about, *where, seq)
        case client.Block(on=on):
            return commands.BlockVisitor(*about, *where, on)
        case client.SetTicket(status=status):
            return commands.SetTicket(*about, *where, status)


class Waiting:
    """Commands that leave in the order they were asked, though one of them waits for what must be read first."""

    def __init__(self) -> None:
        self._line: dict[tuple[int, str], commands.AnyCommand] = {}
        self._incomplete: set[tuple[int, str]] = set()

    def put(self, key: tuple[int, str], command: commands.AnyCommand) -> list[commands.AnyCommand]:
        """Take the command of frame `key` (n, id); return what may leave now."""
        self._line[key] = command
        if isinstance(command, commands.RedactMessage):
            self._incomplete.add(key)
        return self._leaving()

    def complete(self, key: tuple[int, str], frame: bytes | None) -> list[commands.AnyCommand]:
        """The entry was read (None: in vain, and the command is dropped); return what may leave now."""
        command = self._line.get(key)
        self._incomplete.discard(key)
        if frame is None:
            self._line.pop(key, None)
        elif isinstance(command, commands.RedactMessage):
            self._line[key] = replace(command, frame=emptied_entry(frame))
        return self._leaving()

    def _leaving(self) -> list[commands.AnyCommand]:
        leaving: list[commands.AnyCommand] = []
        while self._line and (first := next(iter(self._line))) not in self._incomplete:
            leaving.append(self._line.pop(first))
        return leaving
