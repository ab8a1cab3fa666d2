"""The builds of apps that were heard of: the install check.

Invariant: a step that was released is never edited; the next one changes what it made.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0007"
down_revision = "record_0006"
branch_labels = None
depends_on = None

TOLD_APART_BY = ("account", "app", "platform", "app_version", "sdk", "tag")
COUNTED = ("sessions", "first_seen_at_ms", "last_seen_at_ms")


def upgrade() -> None:
    op.create_table(
        "app_build",
        *(sa.Column(name, sa.Text(), nullable=False) for name in TOLD_APART_BY),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTED),
        sa.PrimaryKeyConstraint(*TOLD_APART_BY),
    )


def downgrade() -> None:
    op.drop_table("app_build")
