"""What the user of a command can mend.

Invariant: said in one line on standard error, with exit status 2; never a trace.
"""

from typing import Any

import click


class Trouble(click.ClickException):
    """Something the user can mend: what it is and why, in one line."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        click.echo(f"samtale: {self.format_message()}", err=True)
