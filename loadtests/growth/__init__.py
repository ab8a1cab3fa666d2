"""Growth: what a message, a decision, a session and a resume cost as an installation grows (docs/scaling.md)."""
