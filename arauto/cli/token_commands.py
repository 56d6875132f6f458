"""``arauto token create | list | revoke``, also as ``flask --app app token``."""

import os
from collections.abc import Callable
from time import time
from typing import TypeVar

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from arauto.auth.api_tokens import DAY, MAX_NAME, Tokens, TokensError, is_valid_name
from arauto.auth.audit import Actor
from arauto.services import services_of

T = TypeVar("T")

token = AppGroup("token", help="Create, list and revoke API tokens.")


def init_token_commands(app: Flask) -> None:
    """Add the commands to those of ``flask``."""
    app.cli.add_command(token)


def _tokens() -> Tokens:
    found = services_of(current_app).tokens
    if found is None:
        raise click.ClickException("Name the file that keeps them: ARAUTO_TOKENS=tokens.json, or redis.")
    return found


@token.command("create")
@click.argument("name")
@click.option(
    "--read",
    "reads",
    multiple=True,
    metavar="GLOB",
    help="Channels that it may subscribe to, such as news.*.",
)
@click.option(
    "--publish", "publishes", multiple=True, metavar="GLOB", help="Channels that it may publish to."
)
@click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long it works."
)
def _create(name: str, reads: tuple[str, ...], publishes: tuple[str, ...], days: int) -> None:
    """Create a token and print it once."""
    if not reads and not publishes:
        raise click.ClickException("Say what it may: --read 'news.*', --publish 'alerts.*', or both.")
    if not is_valid_name(name):
        raise click.ClickException(f"A name has 1 to {MAX_NAME} bytes and no control characters.")
    made = _do(lambda: _tokens().create(name, reads, publishes, time() + days * DAY))
    _note("token made", name)
    click.echo(made)


@token.command("list")
def _list() -> None:
    """List the tokens. Token values are not stored."""
    for one in _do(lambda: _tokens().list()):
        until = one.ends.strftime("%Y-%m-%d")
        over = " (over)" if one.is_over else ""
        click.echo(
            f"{one.name}  reads: {' '.join(one.reads) or '-'}  "
            f"publishes: {' '.join(one.publishes) or '-'}  until {until}{over}"
            + (f"  …{one.end}" if one.end else "")
        )


@token.command("revoke")
@click.argument("name")
def _revoke(name: str) -> None:
    """Revoke a token; its open sockets close within seconds."""
    _do(lambda: _tokens().revoke(name))
    _note("token revoked", name)


def _note(event: str, name: str) -> None:
    audit = services_of(current_app).audit
    audit.note(event, Actor(os.environ.get("USER", ""), "command"), token=name)
    audit.flush()


def _do(act: Callable[[], T]) -> T:
    try:
        return act()
    except TokensError as error:
        raise click.ClickException(str(error)) from None
