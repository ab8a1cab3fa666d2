"""In which inbox each tag is: so that tags are counted from an index alone.

Invariant: the inbox of a tag is that of its conversation, which never changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0010"
down_revision = "record_0009"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "conversation_tag_by_tag", "conversation_tag"


def upgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    op.add_column(_TABLE, sa.Column("inbox", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE conversation_tag SET inbox = conversation.inbox"
        " FROM conversation WHERE conversation.id = conversation_tag.conversation"
    )
    op.create_index(_INDEX, _TABLE, ["account", "tag", "inbox"])


def downgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    op.drop_column(_TABLE, "inbox")
    op.create_index(_INDEX, _TABLE, ["account", "tag"])
