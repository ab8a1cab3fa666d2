"""What a phone shows of the chatflow it is served: one view for everybody who reads the same language (SPEC 4.1, 4.8).

Invariant: the same version, locale and hour give the same view and the same etag on every machine; only the heading
differs between sessions. No agent's id is in it.
"""

import hashlib
from functools import lru_cache

import msgspec

from gateway.core import clock
from gateway.core.clock import Same
from gateway.core.gate import RuleRow
from protocol.bus import availability, catalogue, openings, steps
from protocol.bus.chatflow import Chatflow, Texts
from protocol.bus.config import AccountConfig, text_for
from protocol.bus.openings import Span
from protocol.bus.texts import chain
from protocol.ids import AgentId
from protocol.wire.server import (
    AvailabilityView,
    ChatflowView,
    CommunicateStep,
    ConsentStep,
    DisplayView,
    EmailStep,
    HeadingView,
    PersonView,
    StorageStep,
)

MAX_PEOPLE = 3
VIEWS = 512  # remembered: a hundred texts are found and hashed for each, and thousands of phones come back at once
SPANS: dict[str, Span] = {"minutes": "minutes", "hour": "hour", "day": "day"}
_encode = msgspec.msgpack.Encoder().encode


def chatflow_view(config: AccountConfig, flow: Chatflow, locale: str, *, away: bool) -> ChatflowView:
    """Return `flow` as phones show it, but for the heading."""
    return _view(Same(config), Same(flow), locale, away)


@lru_cache(maxsize=VIEWS)
def _view(kept: Same, published: Same, locale: str, away: bool) -> ChatflowView:
    config: AccountConfig = kept.it
    flow: Chatflow = published.it
    view = ChatflowView(
        id=flow.id,
        version=flow.version,
        name=flow.name,
        locale=shown_locale(config, flow, locale),
        heading=HeadingView(flow.heading.kind),
        welcome=text_for(flow.welcome, locale, flow.language),
        storage=_storage(config, flow, locale),
        consent=_consent(config, flow, locale),
        email=_email(config, flow, locale, away=away),
        close_button=flow.close_button,
        display=DisplayView(flow.display.small, flow.display.large, flow.display.accent, flow.display.on_accent),
        texts=catalogue.interface(config, flow, locale),
    )
    etag = hashlib.blake2b(_encode(view), digest_size=12).hexdigest()
    return msgspec.structs.replace(view, etag=etag)


def short(view: ChatflowView) -> ChatflowView:
    """Return what a client is sent that holds the rest of `view`."""
    return ChatflowView(view.id, view.version, view.name, view.locale, view.heading, etag=view.etag)


def shown_locale(config: AccountConfig, flow: Chatflow, locale: str) -> str:
    """Return the locale that the interface is shown in."""
    written: tuple[dict[str, Texts], ...] = (flow.texts, config.texts)
    known = {*catalogue.LOCALES, *(each for texts in written for each in texts)}
    return next(each for each in chain(locale, flow.language) if each in known)


def heading_view(
    config: AccountConfig, flow: Chatflow, session: str, agent: AgentId | None, owner: AgentId | None
) -> HeadingView:
    """Return who is on top: by chance, but for one session always the same. `agent`: who has the conversation."""
    heading = flow.heading
    match heading.kind:
        case "custom":
            return HeadingView("custom", heading.name, heading.image)
        case "users_and_teams":
            teams = (member for team in config.teams if team.id in heading.teams for member in team.members)
            drawn = sorted({*heading.agents, *teams}, key=lambda each: _lot(session, each))
            return HeadingView(heading.kind, people=_people(config, drawn[:MAX_PEOPLE]))
        case "assigned_agent" | "contact_owner":
            who = agent if heading.kind == "assigned_agent" else owner
            people = _people(config, [who] if who is not None else [])
            return HeadingView(heading.kind, "" if people else config.name, people=people)


def availability_view(
    config: AccountConfig, flow: Chatflow, row: RuleRow | None, locale: str, at_ms: int
) -> AvailabilityView:
    """Return whether somebody is there, with what is said about it. `row` None: nothing is known of who is ready."""
    return _availability(Same(config), Same(flow), row or RuleRow(), locale, at_ms // 1000)


@lru_cache(maxsize=VIEWS)
def _availability(kept: Same, published: Same, row: RuleRow, locale: str, at_s: int) -> AvailabilityView:
    config: AccountConfig = kept.it
    flow: Chatflow = published.it
    at_ms = at_s * 1000
    if not clock.is_away(config, flow, at_ms, ready=row.ready):
        span = SPANS.get(row.reply)
        text = openings.reply_text(config, flow, locale, span) if span else ""
        return AvailabilityView(True, text=text, reply=row.reply if span else "")
    opens_at = clock.opens_at_ms(config, flow, at_ms)
    said = [catalogue.said(config, flow, locale, "away", flow.availability.away_text)]
    if opens_at:
        said.append(openings.opening_text(config, flow, locale, opens_at, at_ms))
    return AvailabilityView(False, availability.may_start(flow, away=True), " ".join(said), opens_at)


def _people(config: AccountConfig, drawn: list[AgentId]) -> list[PersonView]:
    agents = {agent.id: agent for agent in config.agents}
    return [PersonView(agents[each].name, agents[each].picture) for each in drawn if each in agents]


def _lot(session: str, agent: AgentId) -> bytes:
    return hashlib.blake2b(f"{session}\x00{agent}".encode(), digest_size=8).digest()


def _storage(config: AccountConfig, flow: Chatflow, locale: str) -> StorageStep | None:
    ask = steps.storage_ask(config, flow)
    if ask == "never":
        return None
    text = steps.storage_text(config, flow, locale)
    return StorageStep(ask, text, steps.text_hash(text))


def _consent(config: AccountConfig, flow: Chatflow, locale: str) -> ConsentStep | None:
    mode = steps.process_mode(config, flow)
    if mode == "off":
        return None
    text, communicate = steps.consent_text(config, flow, locale), None
    if flow.communicate is not None:
        label = steps.communicate_label(config, flow, locale)
        communicate = CommunicateStep(flow.communicate.subscription, label, steps.text_hash(label))
    return ConsentStep(mode, text, steps.text_hash(text), communicate)


def _email(config: AccountConfig, flow: Chatflow, locale: str, *, away: bool) -> EmailStep | None:
    if steps.email_moment(flow, away) != "before_chat":
        return None
    return EmailStep(steps.email_text(config, flow, locale, away))
