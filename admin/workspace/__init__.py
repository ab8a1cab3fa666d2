"""The workspace file: what an installation should be, as a person writes it (docs/howto/workspace.md)."""

import os
import time

from admin.workspace.apply import Applied, Means, apply, read
from admin.workspace.places import BadWorkspace, Mistake
from store.sql.database import DirectDatabase

__all__ = ["Applied", "BadWorkspace", "Means", "Mistake", "apply", "apply_text", "read"]


def apply_text(config_url: str, text: str, *, cells: int, dry: bool = False) -> list[Applied]:
    """Apply `text` to the configuration at `config_url`, unless `dry`; raises BadWorkspace, or StoreAway."""
    database = DirectDatabase(config_url)
    try:
        return apply(text, database, Means(cells, os.urandom, lambda: time.time_ns() // 1_000_000), dry=dry)
    finally:
        database.engine.dispose()
