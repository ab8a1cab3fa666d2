"""What Alembic runs: the steps of one side, on the connection and in the transaction that `migrate` opened."""

from alembic import context

side = context.config.attributes["side"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    version_table=f"schema_version_{side}",  # on PostgreSQL both sides share one database
    transactional_ddl=True,  # SQLite can, with a BEGIN of ours
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
