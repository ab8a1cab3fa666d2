"""What administrators keep of people, beside what scribes write; and the erasures, which outlive what they erased.

Invariant: nothing of a person stands in a table of the configuration's side but ids, counts and times.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from store.sql.sides import CONFIG, RECORD

contact_property = Table(
    "contact_property",
    CONFIG,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("type", Text, nullable=False),  # string, number, bool, date, choice
    Column("choices", Text, nullable=False),  # JSON list, empty but for choice
)
retention = Table(
    "retention",  # a row: closed conversations of the account are erased after so many days
    CONFIG,
    Column("account", Text, primary_key=True),
    Column("days", Integer, nullable=False),
)
erasure = Table(
    "erasure",
    CONFIG,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Column("why", Text, nullable=False),  # asked, retention
    Column("contact", Text, nullable=False),  # "": of visitors who are known as nobody
    Column("visitor", Text, nullable=False),  # "": of all that are known as `contact`
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("done_at_ms", BigInteger),  # when no store and no file of ours held anything any more
    Column("visitors", Integer, nullable=False),
    Column("conversations", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("consents", Integer, nullable=False),
    Column("comments", Integer, nullable=False),
    Column("attachments", Integer, nullable=False),
    Index("erasure_by_time", "account", "asked_at_ms"),
)

property_value = Table(
    "property_value",
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("value", Text, nullable=False),  # in the one form that its type has
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("property_value_by_value", "account", "name", "value"),
)
subscription_change = Table(
    "subscription_change",  # the history of `subscription`: every answer, taken or not
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("subscription", Text, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("wants", Boolean, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("source", Text, nullable=False),  # visitor, admin, merge
)
contact_merged = Table(
    "contact_merged",  # whoever is named `contact` is `survivor` from now on
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("survivor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("contact_merged_into", "account", "survivor"),
)
company = Table(
    "company",
    RECORD,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("company_by_name", "account", "name"),
)
company_contact = Table(
    "company_contact",  # a contact belongs to zero or one company
    RECORD,
    Column("contact", Text, primary_key=True),
    Column("company", Text, nullable=False, index=True),
    Column("account", Text, nullable=False),
)
segment = Table(
    "segment",
    RECORD,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("rule", Text, nullable=False),  # JSON: all conditions on properties must hold; "": members by name only
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Index("segment_by_name", "account", "name"),
)
segment_contact = Table(
    "segment_contact",
    RECORD,
    Column("segment", Text, primary_key=True),
    Column("contact", Text, primary_key=True, index=True),
    Column("account", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
