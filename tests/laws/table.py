"""The table of product §3: what a visitor must have answered, by what they answered so far.

Invariant: written from the product alone; what was answered is noted by whoever puts it in, never read from the engine.
"""

from engine.core.result import StepResult
from protocol.bus.chatflow import Chatflow
from protocol.bus.commands import AnyCommand
from protocol.ids import ChatflowId, ConversationId, HoursId, SubscriptionId, VisitorId
from protocol.wire import content
from tests.kit.visits import Visit
from tests.kit.workplace import ACCOUNT, KARI, OLA, OPEN
from tests.kit.world import World
from tests.laws.asks import by_visitor

YEAR_MS = 365 * 86_400_000
NEVER, ALWAYS = HoursId("hrs_never"), HoursId("hrs_always")
NEWS = SubscriptionId("sub_news")


class Punctual(World):
    """A cell in which every timer that is due fires before anything else happens."""

    def do(self, command: AnyCommand, after_ms: int = 1) -> StepResult:
        """Let the time pass, and decide the command at its end."""
        self.pass_time(after_ms)
        return super().do(command, 0)


class Table:
    """Kari, anonymous, and Ola, whom the company vouches for: what each has answered, and what each still must."""

    def __init__(self) -> None:
        self.world = Punctual()
        self.visits: dict[VisitorId, Visit] = {}
        self.known: dict[VisitorId, dict[str, tuple[str, int, ChatflowId, int]]] = {KARI: {}, OLA: {}}
        self.lines = 0  # of the ledger, as many as there should be

    def outstanding(self, who: VisitorId, flow: ChatflowId, now_ms: int) -> list[str]:
        """What must be answered before a word under `flow` is taken, in the order of the screen."""
        visit, plan = self.at(who, flow), self.flow(flow)
        spoken = any(by_visitor(event.body) for event in self.log(visit.where))
        mode, given = self.mode(flow), self.standing(who, "process", flow, now_ms)
        moment = plan.email.away if self.away(plan) else plan.email.open
        due = {
            "storage": who == KARI and self.storage(flow) == "before_chat"
            and self.standing(who, "storage", flow, now_ms) not in ("granted", "declined"),
            "process": (mode == "explicit" and given != "granted")
            or (mode == "legitimate_interest" and given == "withdrawn"),
            "email": moment == "before_chat" and not spoken and not self.known_ms(who),
        }  # fmt: skip
        return [step for step, is_due in due.items() if is_due]

    def standing(self, who: VisitorId, purpose: str, flow: ChatflowId, now_ms: int) -> str:
        """Return what the visitor's answer for `purpose` still counts as under `flow`; "" if nothing."""
        answer, at_ms, under, version = self.known[who].get(purpose, ("", 0, OPEN, 0))
        if answer == "withdrawn":
            return answer
        again = purpose == "process" and under == flow and version < self.flow(flow).consent.ask_again_from
        return "" if again or now_ms >= at_ms + YEAR_MS else answer

    def mode(self, flow: ChatflowId) -> str:
        """Return how the consent to process is asked now."""
        return self.flow(flow).consent.mode if self.world.configs[ACCOUNT].data_privacy else "off"

    def storage(self, flow: ChatflowId) -> str:
        """Return when the storage consent is asked now."""
        return self.flow(flow).storage.ask if self.world.configs[ACCOUNT].storage_consent else "never"

    def away(self, flow: Chatflow) -> bool:
        """Whether nobody is there now."""
        if flow.availability.kind == "agents_available":
            roster = self.world.rosters.get(ACCOUNT)
            return roster is None or not self.world.port.ready(roster, flow.rule, flow.inbox)
        return flow.availability.hours == NEVER

    def known_ms(self, who: VisitorId) -> int:
        """When the first address of the visitor's was noted; 0: none was."""
        logs = [self.world.log(where) for where in list(self.world.logs)]
        theirs = [log for log in logs if log[0].body.visitor == who]  # type: ignore[union-attr]
        given = (event.at for log in theirs for event in log if isinstance(event.body, content.EmailGiven))
        return min(given, default=0)

    def log(self, where: ConversationId) -> list[content.Event]:
        """Return a log, empty if there is none."""
        return self.world.log(where) if where in self.world.logs else []

    def at(self, who: VisitorId, flow: ChatflowId) -> Visit:
        """Return the visitor, before that chatflow."""
        visit = self.visits[who]
        visit.flow = flow
        return visit

    def flow(self, flow: ChatflowId) -> Chatflow:
        """Return the chatflow in its newest version."""
        return next(kept for kept in self.world.configs[ACCOUNT].chatflows if kept.id == flow)

    def note(self, who: VisitorId, purpose: str, answer: str, flow: ChatflowId) -> None:
        """Note an answer that was taken; what was taken back, a refusal does not cover up."""
        self.lines += 1
        if (self.known[who].get(purpose, ("",))[0], answer) != ("withdrawn", "declined"):
            self.known[who][purpose] = (answer, self.world.now_ms, flow, self.flow(flow).version)

    def boxed(self, who: VisitorId, answer: str, flow: ChatflowId, now_ms: int) -> None:
        """Note an answer to the box, if it says something new."""
        purpose = f"communicate:{NEWS}"
        if self.standing(who, purpose, flow, now_ms) != answer:
            self.note(who, purpose, answer, flow)
