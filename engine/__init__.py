"""The owners of cells: `core` decides, without any machinery; `runtime` reads, commits, recovers."""
