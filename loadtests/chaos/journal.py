"""The SDK's journal as the checker's facts.

Invariant: only outcomes and first sends become facts: a frame sent again, or told to renumber, has not happened twice.
"""

import samtale.journal as told

from loadtests.chaos.waits import Waits
from loadtests.checker.history import Acked, Audience, ClientFact, Misserved, Refused, Resynced, Seen, Sent, Was

NOT_YET = frozenset({"out_of_order", "n_conflict", "rate_limited", "overloaded", "unavailable", "too_many_unresolved"})
"""With `expected`, these ask for the same frame again (SPEC 5.2); every other refusal is what became of it."""


class Notebook:
    """What all clients of a run did and saw, in one order."""

    def __init__(self) -> None:
        self.facts: list[ClientFact] = []
        self.misserved: list[Misserved] = []
        self.resumed = 0
        self.acked = 0
        self.closed = 0
        self.waits = Waits()
        self.last_code: dict[str, int] = {}
        self.visitors: set[str] = set()  # the clients who are visitors
        self._sent: set[str] = set()

    def broke(self, client: str, conversation: str, why: str, rule: str) -> None:
        """Note that a line of `client` carried a log otherwise than SPEC 6 says, or what is not for it."""
        self.misserved.append(Misserved(client, conversation, why, rule))

    def for_client(self, client: str, account: str) -> told.Journal:
        """Return the journal of one client."""

        def note(fact: told.Fact) -> None:
            self._note(client, account, fact)

        return note

    def _note(self, client: str, account: str, fact: told.Fact) -> None:
        match fact:
            case told.Asked(t, id_):
                self.waits.asked(client, id_, t)
            case told.Sent(t, conversation, device, n, id_, kind, digest):
                if id_ not in self._sent:
                    self._sent.add(id_)
                    self.facts.append(Sent(t, client, account, conversation, device, n, id_, digest, kind))
            case told.Acked(t, conversation, device, n, id_, seq, event):
                self.acked += 1
                self.waits.settled(id_, t)
                self.facts.append(Acked(t, client, account, conversation, device, n, id_, seq, event))
            case told.Refused(code="continued"):
                pass  # it goes on under another conversation: that is not what became of it
            case told.Refused(t, conversation, device, n, id_, code, expected) if not expected or code not in NOT_YET:
                self.waits.settled(id_, t)
                self.facts.append(Refused(t, client, account, conversation, device, n, id_, code))
            case told.Seen(t, conversation, seq, event, kind, digest, hidden_to):
                audience: Audience = "visitor" if client in self.visitors else "staff"
                self.facts.append(Seen(t, client, account, conversation, seq, event, kind, digest, hidden_to, audience))
            case told.Resynced(t, conversation, from_seq):
                self.facts.append(Resynced(t, client, account, conversation, from_seq))
            case told.Opened(t, who):
                self.waits.let_in(client, t)
                if client in self.visitors:
                    self.facts.append(Was(t, client, account, "", who))
            case told.Resumed():
                self.resumed += 1
            case told.Closed(t, code):
                self.closed += 1
                self.waits.lost(client, t)
                self.last_code[client] = code
            case _:
                pass
