"""How long reports take over many conversations (docs/reports.md)."""
