"""The schema, one step at a time; run by `store.sql.migrate`."""
