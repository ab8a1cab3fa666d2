"""What a phone asks beside its conversations, without n: consents, context, and what its token vouches for.

Invariant: at most 32 such questions are under way; what is told of the visitor leaves only through the gate.
"""

from msgspec.structs import replace

from gateway.core.actions import Action, Say, Submit, Wake
from gateway.core.context import Context, Telling
from gateway.core.flow import No
from gateway.core.gate import Gate
from gateway.core.limits import Bucket
from gateway.core.reading import refused
from gateway.core.saying import Visitor
from protocol.bus.commands import LogOut, NoteContext, SetAnalytics, VisitorWithdraws
from protocol.bus.records import Profile
from protocol.ids import ChatflowId
from protocol.wire import client
from protocol.wire.codes import Code
from protocol.wire.limits import MAX_UNRESOLVED

# Ids of what the session asks by itself: no client can choose one with a space in it.
LOGOUT, CONTEXT, PROFILE = "the logout", "the context", "the profile"


class Asides:
    """All of one session's. `allowed`: the phone's allowance of messages, which these share."""

    def __init__(self, me: Visitor, gate: Gate, allowed: Bucket) -> None:
        self._me, self._gate, self._allowed = me, gate, allowed
        self._refs: set[str] = set()
        self._context = Context()
        self._profile = me.profile
        self._vouched = me.admit.profile if me.admit is not None else None  # what the cell has
        self.leaving = False

    def log_out(self) -> list[Action]:
        """Ask to revoke the device, once."""
        if self.leaving:
            return []  # its outcome will come
        me, self.leaving = self._me, True
        return [Submit(LogOut(me.account, me.origin(0, LOGOUT), me.visitor, me.device))]

    def consent(
        self, frame: client.SetAnalyticsConsent | client.Withdraw, at_ms: int, trouble: No | None
    ) -> list[Action]:
        """Ask to note an answer that stands in no conversation."""
        me, ref = self._me, frame.ref
        if ref in self._refs:
            return []  # its outcome will come
        if len(self._refs) >= MAX_UNRESOLVED:
            return [Say(refused(Code.TOO_MANY_UNRESOLVED, ref=ref))]
        if trouble is not None:
            return [Say(refused(trouble.code, ref=ref, retry_after_ms=trouble.retry_after_ms))]
        if wait_ms := self._allowed.wait_ms(at_ms):
            return [Say(refused(Code.RATE_LIMITED, ref=ref, retry_after_ms=wait_ms))]
        self._refs.add(ref)
        origin, locale = me.origin(0, ref), me.phone.locale
        if isinstance(frame, client.Withdraw):
            return [Submit(VisitorWithdraws(me.account, origin, me.visitor, frame.purpose, me.device, locale))]
        return [Submit(SetAnalytics(me.account, origin, me.visitor, frame.granted, me.device, locale))]

    def answered(self, ref: str) -> None:
        """What `ref` asked has its outcome."""
        self._refs.discard(ref)

    def note(self, frame: client.SetContext) -> bool:
        """Keep what the app tells until it may be told on; False if it is too much."""
        return self._context.take(frame)

    def vouch(self, profile: Profile | None) -> None:
        """A newer token vouches for this."""
        self._profile = profile

    def told(self) -> None:
        """What was told on last has its outcome."""
        self._context.told()

    def due(self, chatflow: ChatflowId | None, version: int, at_ms: int) -> list[Action]:
        """Tell on what may be told now, under the chatflow that is shown."""
        me = self._me
        if self.leaving or not self._gate.may_process(chatflow, at_ms):
            return []
        actions: list[Action] = []
        if me.admit is not None and self._profile not in (None, self._vouched):
            self._vouched = self._profile
            shown = {"chatflow": chatflow, "version": version}
            actions.append(Submit(replace(me.admit, origin=me.origin(0, PROFILE), profile=self._profile, **shown)))
        telling = self._context.due(at_ms, analytics=self._gate.analytics)
        match telling:
            case Telling(screen=screen, properties=properties, device=device, breadcrumbs=crumbs):
                told = (screen, properties, device, crumbs, chatflow, version)
                actions.append(Submit(NoteContext(me.account, me.origin(0, CONTEXT), me.visitor, *told)))
            case int(later_ms):
                actions.append(Wake(later_ms))
        return actions
