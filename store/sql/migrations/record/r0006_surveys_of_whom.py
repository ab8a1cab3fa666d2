"""In whose inbox, and of which agent's conversation, a survey was asked.

Invariant: what was asked before this step says neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0006"
down_revision = "record_0005"
branch_labels = None
depends_on = None

COLUMNS = ("inbox", "agent")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("survey_ask", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("survey_ask", name)
