"""When it opens again and how soon replies come, in words (product §2, availability).

Invariant: the clock is that of the shop's wall; the same opening is said alike to everybody with the same locale.
"""

from datetime import UTC, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from protocol.bus.catalogue import said
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.texts import fill

Span = Literal["minutes", "hour", "day"]


def opening_text(config: AccountConfig, flow: Chatflow, locale: str, opens_ms: int, at_ms: int) -> str:
    """Return the flow's words for "open again at …", said at `at_ms`."""
    text = said(config, flow, locale, "opening", flow.availability.opening_text)
    return fill(text, opens=_opens(config, flow, locale, (opens_ms, at_ms)))


def reply_text(config: AccountConfig, flow: Chatflow, locale: str, span: Span) -> str:
    """Return the flow's words for "we usually reply within …"."""
    text = said(config, flow, locale, "reply", flow.availability.reply_text)
    return fill(text, time=said(config, flow, locale, f"reply_{span}"))


def _opens(config: AccountConfig, flow: Chatflow, locale: str, when: tuple[int, int]) -> str:
    zone = _zone(config, flow)
    opens, now = (datetime.fromtimestamp(at_ms / 1000, zone) for at_ms in when)
    days = (opens.date() - now.date()).days
    name = "today" if days == 0 else "tomorrow" if days == 1 else "weekday" if days < 7 else "date"
    return fill(
        said(config, flow, locale, f"opens_{name}"),
        clock=f"{opens:%H:%M}",
        weekday=said(config, flow, locale, f"weekday_{opens.isoweekday()}"),
        day=str(opens.day),
        month=said(config, flow, locale, f"month_{opens.month}"),
    )


def _zone(config: AccountConfig, flow: Chatflow) -> tzinfo:
    hours = next((one for one in config.hours if one.id == flow.availability.hours), None)
    return UTC if hours is None else ZoneInfo(hours.time_zone)
