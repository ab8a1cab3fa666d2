"""A run as one page that can be mailed, kept and opened anywhere."""

from pathlib import Path

from loadtests.load.results import Run

FILE = "report.html"


def write(run: Run, folder: Path) -> Path:
    """Write the page of `run` into `folder`, which is made; return the file."""
    from loadtests.load.report.page import page  # matplotlib takes a second to load

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(page(run), encoding="utf-8", errors="replace")
    return file
