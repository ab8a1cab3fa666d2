"""What people do in a chaos run beside writing: everything that the whole conversation knows, each now and then.

Invariant: chance decides, nothing waits for anything; what is asked may be refused, and that is an outcome too.
"""

import random

import samtale

from loadtests.chaos.workspace import TEAM, Team

AMONG_COLLEAGUES = "never-before-a-visitor"
_ADDRESSES = ("ola@example.org", "KARI@example.org", "no address at all")
_SCORES = {"faces": 2, "stars": 5, "thumbs": 1, "ten": 10}
_PRIORITIES = ("low", "normal", "high", "urgent")
_TICKETS = ("new", "waiting_us", "waiting_visitor", "closed")
_OPTIONS = [samtale.Option("yes", "Yes"), samtale.Option("no", "No")]
_EMAIL, _SURVEY, _CHOICE, _WITHDRAW, _CONTEXT = 0.5, 0.7, 0.6, 0.003, 0.05


class Visiting:
    """A visitor who answers what they are asked, if they feel like it. `email`, `survey`: the share of times."""

    def __init__(
        self, chance: random.Random, client: samtale.VisitorClient, email: float = _EMAIL, survey: float = _SURVEY
    ) -> None:
        self._chance, self._client = chance, client
        self._email, self._survey = email, survey

    def saw(self, event: samtale.LogEvent) -> None:
        """Take the next entry of a log; one that was seen before, after a loss, is answered again like a new one."""
        match event.body:
            case samtale.EmailAsked() if self._chance.random() < self._email:
                self._client.answer_email(self._chance.choice(_ADDRESSES))
            case samtale.SurveyAsked() if self._chance.random() < self._survey:
                self._rate(event.conversation, event.body)
            case samtale.Message(content=samtale.QuickReplies()) if self._chance.random() < _CHOICE:
                self._client.choose(event, self._chance.choice(("yes", "no", "perhaps")))

    def _rate(self, conversation: str, asked: samtale.SurveyAsked) -> None:
        if self._chance.random() < 0.2:
            self._client.dismiss_survey(conversation, asked.ask)
            return
        self._client.see_survey(conversation, asked.ask)
        for _ in range(self._chance.choice((1, 1, 2))):  # a thumb that trembles
            self._client.answer_survey(conversation, asked.ask, self._chance.randint(0, _SCORES[asked.scale]))
        if self._chance.random() < 0.5:
            self._client.comment_survey(conversation, asked.ask, "thank you")


def tell_or_take_back(chance: random.Random, client: samtale.VisitorClient, team: Team, count: int) -> None:
    """Tell where in the app the visitor is; seldom take the consent back, and give it again."""
    what = chance.random()
    if what < _CONTEXT:
        client.set_context(screen=f"screen {count}", properties={"cart": str(count)})
    elif what < 2 * _CONTEXT:
        client.breadcrumb(f"tapped {count}")
    elif what < 2 * _CONTEXT + _WITHDRAW and team.consent == "explicit":
        client.withdraw("process")
        client.answer_consent(True, communicate=chance.random() < 0.5)


def act(chance: random.Random, client: samtale.AgentClient, conversation: str, others: list[str], answer: str) -> None:
    """Do what agents do with a conversation of theirs: mostly nothing, often answer, now and then all the rest."""
    what = chance.random()
    if what < 0.15:
        client.send(conversation, answer)
    elif what < 0.155 and others:
        client.transfer(conversation, chance.choice(others), "please take over")
    elif what < 0.16:
        client.close(conversation, close_ticket=chance.random() < 0.5)
    elif what < 0.19:
        _aside(chance, client, conversation)


def _aside(chance: random.Random, client: samtale.AgentClient, conversation: str) -> None:
    match chance.randrange(9):
        case 0:
            client.note(conversation, f"{AMONG_COLLEAGUES}: a difficult one", mentions=["agent1"])
        case 1:
            client.tag(conversation, add=[f"{AMONG_COLLEAGUES}-{chance.randrange(9)}"])
        case 2:
            client.set_priority(conversation, chance.choice(_PRIORITIES))  # type: ignore[arg-type]
        case 3:
            client.set_ticket(conversation, chance.choice(_TICKETS))  # type: ignore[arg-type]
        case 4:
            client.snooze(conversation, 4_102_444_800_000)  # until the visitor speaks
        case 5:
            client.send(conversation, "yes or no?", content=samtale.QuickReplies(list(_OPTIONS)))
        case 6:
            client.redact(conversation, chance.randrange(1, 12))
        case 7:
            client.transfer(conversation, team=TEAM, note=AMONG_COLLEAGUES)
        case _:
            client.set_fields(conversation, {"order": AMONG_COLLEAGUES})
