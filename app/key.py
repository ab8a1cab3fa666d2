"""`samtale key`: the first API key of an account, and of the installation; every further one can be made over REST.

Invariant: options only; what they do is in `app.keys`.
"""

import click

_ACCOUNT = click.option("--account", help="Whose.  [default: the only account there is]")
_INSTALLATION = click.option("--installation", is_flag=True, help="A key that makes accounts, and nothing else.")


@click.group()
def key() -> None:
    """Make, list and revoke API keys. They go with every REST request as Authorization: Bearer KEY."""


@key.command()
@click.argument("name")
@_ACCOUNT
@_INSTALLATION
@click.option("--scope", "scopes", multiple=True, help="What it may do; several times.  [default: all]")
@click.option("--days", type=click.IntRange(0, 3650), default=365, show_default=True, help="0: until it is revoked.")
def create(name: str, account: str | None, installation: bool, scopes: tuple[str, ...], days: int) -> None:
    """Make a key called NAME, and print it. It is shown this once."""
    from app.keys import create_key

    create_key(name, account, installation, scopes, days)


@key.command("list")
@_ACCOUNT
@_INSTALLATION
def list_(account: str | None, installation: bool) -> None:
    """List the keys, revoked and expired ones too."""
    from app.keys import list_keys

    list_keys(account, installation)


@key.command()
@click.argument("key_id", metavar="ID")
@_ACCOUNT
@_INSTALLATION
def revoke(key_id: str, account: str | None, installation: bool) -> None:
    """Let nobody in with the key ID any more."""
    from app.keys import revoke_key

    revoke_key(key_id, account, installation)
