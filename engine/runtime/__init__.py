"""The shell that owns cells: reads their inboxes, lets the core decide, commits, and survives."""
