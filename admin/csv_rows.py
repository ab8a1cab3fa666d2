"""Rows as CSV, for a spreadsheet.

Invariant: the values are as they are: shares 0–1, times in the unit of their name, nothing where there is none; and no
text that somebody chose is a formula.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

Rows = list[dict[str, Any]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


def as_csv(rows: Rows) -> str:
    """Return `rows` as CSV with a heading (RFC 4180, but lines end in a line feed); nothing where there is nothing."""
    if not rows:
        return ""
    out = StringIO()
    written = csv.writer(out, lineterminator="\n")
    written.writerow(rows[0])
    written.writerows([_plain(value) for value in row.values()] for row in rows)
    return out.getvalue().removesuffix("\n")


def as_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return `columns` of `rows` as CSV, as RFC 4180 has it, with a heading also over nothing."""
    out = StringIO()
    written = csv.writer(out, lineterminator="\r\n")
    written.writerow(columns)
    written.writerows([_plain(row[name]) for name in columns] for row in rows)
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return " ".join(f"{name}:{count}" for name, count in value.items())
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
