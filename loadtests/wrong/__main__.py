"""`samtale` with a fault planted; with --table, the report of which suite catches which fault."""

import sys

from loadtests.wrong import plant_asked


def main() -> None:
    """Run the command as the wrong build that SAMTALE_WRONG names."""
    if sys.argv[1:2] == ["--table"]:
        from loadtests.wrong.table import main as table

        table(sys.argv[2:])
        return
    from app.cli import main as samtale

    plant_asked()
    samtale()


if __name__ == "__main__":
    main()
