"""What administrators keep of people: values, subscriptions' history, companies, segments, merges.

Invariant: a step that was released is never edited; the next one changes what it made.
"""

import sqlalchemy as sa
from alembic import op

revision = "record_0004"
down_revision = "record_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "property_value",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact", "name"),
    )
    op.create_index("property_value_by_value", "property_value", ["account", "name", "value"])
    op.create_table(
        "subscription_change",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("wants", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("contact", "subscription", "at_ms"),
    )
    op.create_table(
        "contact_merged",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("survivor", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact"),
    )
    op.create_index("contact_merged_into", "contact_merged", ["account", "survivor"])
    op.create_table(
        "company",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "id"),
    )
    op.create_index("company_by_name", "company", ["account", "name"])
    op.create_table(
        "company_contact",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("contact"),
    )
    op.create_index("ix_company_contact_company", "company_contact", ["company"])
    op.create_table(
        "segment",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "id"),
    )
    op.create_index("segment_by_name", "segment", ["account", "name"])
    op.create_table(
        "segment_contact",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "contact"),
    )
    op.create_index("ix_segment_contact_contact", "segment_contact", ["contact"])


def downgrade() -> None:
    op.drop_table("segment_contact")
    op.drop_table("segment")
    op.drop_table("company_contact")
    op.drop_table("company")
    op.drop_table("contact_merged")
    op.drop_table("subscription_change")
    op.drop_table("property_value")
