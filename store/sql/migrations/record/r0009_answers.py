"""What was made of people's things under an Idempotency-Key.

Invariant: a step that was released is never edited; the next one changes what it made.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0009"
down_revision = "record_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "record_answer",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "key"),
    )
    op.create_index("ix_record_answer_at_ms", "record_answer", ["at_ms"])


def downgrade() -> None:
    op.drop_table("record_answer")
