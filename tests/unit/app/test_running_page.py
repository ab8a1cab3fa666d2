"""docs/howto/running.md against what it describes."""

import re
from pathlib import Path

from app.settings import Settings

PAGE = Path(__file__).parents[3] / "docs/howto/running.md"


def test_the_settings_table_is_what_the_settings_are() -> None:
    """Every setting, in order, with its default and its meaning."""
    rows = re.findall(r"^\| `SAMTALE_(\w+)` \| (.*) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    fields = Settings.model_fields.items()
    assert rows == [
        (name.upper(), f"`{field.default}`" if field.default not in (None, "") else "", field.description)
        for name, field in fields
    ]
