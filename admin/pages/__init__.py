"""Pages that are served as they are."""
