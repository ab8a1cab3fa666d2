"""The tables of figures: a row per conversation, and how often and how long things happened per day.

Invariant: nothing in them tells who the visitor was, or what was said; docs/reports.md says what each column counts.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from store.sql.sides import RECORD

TOLD_APART_BY = ("environment", "platform", "app_version", "chatflow", "inbox", "rule")


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _key(name: str) -> Column[Any]:
    return Column(name, Integer if name == "day" else Text, primary_key=True, autoincrement=False)


conversation_figure = Table(
    "conversation_figure",
    RECORD,
    Column("conversation", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("day", Integer, nullable=False),  # since 1970 (UTC), on which it began
    *map(_text, TOLD_APART_BY),
    Column("version", Integer, nullable=False),  # of its chatflow
    _text("origin"),
    *map(_text, ("storage", "process", "communicate", "email", "email_later")),  # "": not asked
    *map(_flag, ("entered", "spoke", "spoke_first")),
    Column("first_reply_ms", BigInteger),
    Column("replied_by", Text),
    Column("first_wait_ms", BigInteger),
    Column("first_wait", Text),
    _text("agent"),  # who had it last
    *map(_count, ("waits", "waits_over", "waited_ms", "assigned", "handed_on", "open_ms", "closes", "reopens")),
    _text("ended"),
    _text("stood"),
    Index("conversation_figure_by_day", "account", "environment", "day"),
)
routing_figure = Table(
    "routing_figure",
    RECORD,
    *map(_key, ("account", "day", *TOLD_APART_BY, "agent", "what", "how")),
    _count("count"),
    _count("total_ms"),
    Index("routing_figure_by_day", "account", "environment", "day"),
)
