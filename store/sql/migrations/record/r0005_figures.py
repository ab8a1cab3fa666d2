"""Figures: a row per conversation, and how often and how long things happened per day.

Invariant: conversations from before this step have no row, and count for nothing in reports.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0005"
down_revision = "record_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation_figure",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("app_version", sa.Text(), nullable=False),
        sa.Column("chatflow", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("communicate", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_later", sa.Text(), nullable=False),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.Column("spoke", sa.Boolean(), nullable=False),
        sa.Column("spoke_first", sa.Boolean(), nullable=False),
        sa.Column("first_reply_ms", sa.BigInteger(), nullable=True),
        sa.Column("replied_by", sa.Text(), nullable=True),
        sa.Column("first_wait_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_wait", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("waits", sa.BigInteger(), nullable=False),
        sa.Column("waits_over", sa.BigInteger(), nullable=False),
        sa.Column("waited_ms", sa.BigInteger(), nullable=False),
        sa.Column("assigned", sa.BigInteger(), nullable=False),
        sa.Column("handed_on", sa.BigInteger(), nullable=False),
        sa.Column("open_ms", sa.BigInteger(), nullable=False),
        sa.Column("closes", sa.BigInteger(), nullable=False),
        sa.Column("reopens", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("stood", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("conversation"),
    )
    op.create_index("conversation_figure_by_day", "conversation_figure", ["account", "environment", "day"])
    op.create_table(
        "routing_figure",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("app_version", sa.Text(), nullable=False),
        sa.Column("chatflow", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account",
            "day",
            "environment",
            "platform",
            "app_version",
            "chatflow",
            "inbox",
            "rule",
            "agent",
            "what",
            "how",
        ),
    )
    op.create_index("routing_figure_by_day", "routing_figure", ["account", "environment", "day"])


def downgrade() -> None:
    op.drop_table("routing_figure")
    op.drop_table("conversation_figure")
