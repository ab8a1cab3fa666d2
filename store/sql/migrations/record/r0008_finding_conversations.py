"""When and where each conversation began, and its tags: gleaned from the logs that there are.

Invariant: what is found of a log here is what the scribe would have gleaned from it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "record_0008"
down_revision = "record_0007"
branch_labels = None
depends_on = None

_AT_ONCE = 1_000


def upgrade() -> None:
    start = op.create_table(
        "conversation_start",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("chatflow", sa.Text(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("conversation"),
    )
    op.create_index("conversation_start_by_time", "conversation_start", ["account", "opened_at_ms", "conversation"])
    tag = op.create_table(
        "conversation_tag",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "tag"),
    )
    op.create_index("conversation_tag_by_tag", "conversation_tag", ["account", "tag"])
    for rows in _in_parts(_starts()):
        op.bulk_insert(start, rows)
    for rows in _in_parts(_tags()):
        op.bulk_insert(tag, rows)


def downgrade() -> None:
    op.drop_table("conversation_tag")
    op.drop_table("conversation_start")


def _entries(kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (conversation, account, event) of each entry of a kind, log by log."""
    query = sa.text(
        "SELECT event.conversation, conversation.account, event.frame FROM event"
        " JOIN conversation ON conversation.id = event.conversation"
        " WHERE event.kind = :kind ORDER BY event.conversation, event.seq"
    )
    for conversation, account, frame in op.get_bind().execute(query, {"kind": kind}).fetchall():
        yield conversation, account, msgspec.msgpack.decode(bytes(frame))


def _starts() -> Iterator[dict[str, Any]]:
    entered = {conversation for kind in ("queued", "unrouted") for conversation, _, _ in _entries(kind)}
    for conversation, account, event in _entries("started"):
        body = event["body"]
        yield {
            "conversation": conversation,
            "account": account,
            "environment": body.get("environment", "production"),
            "chatflow": body["chatflow"],
            "opened_at_ms": event["at"],
            "entered": conversation in entered,
        }


def _tags() -> Iterator[dict[str, Any]]:
    kept: dict[str, tuple[str, dict[str, None]]] = {}
    for conversation, account, event in _entries("tags"):
        _, tags = kept.setdefault(conversation, (account, {}))
        for tag in event["body"]["removed"]:
            tags.pop(tag, None)
        tags.update(dict.fromkeys(event["body"]["added"]))
    for conversation, (account, tags) in kept.items():
        yield from ({"conversation": conversation, "tag": tag, "account": account} for tag in tags)


def _in_parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part
