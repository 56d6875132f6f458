"""The command ``arauto``: starts the server, manages tokens."""

import os
import sys
from importlib import import_module

import click
from flask import Flask
from flask.cli import ScriptInfo

from arauto import __version__
from arauto.cli.token_commands import token
from arauto.settings import SETTINGS
from arauto.system.paths import APPLICATION, HOME, IS_INSTALLED


class _Settings(click.Group):
    """Adds the environment variables to the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (setting.name, f"{setting.help} Default: {setting.default}" if setting.default else setting.help)
            for setting in SETTINGS
        ]
        with formatter.section("Environment variables"):
            formatter.write_dl(rows)


@click.group(
    cls=_Settings, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="arauto")
@click.pass_context
def arauto(context: click.Context) -> None:
    """A live web window on Redis Pub/Sub.

    Without a command the server starts, at http://127.0.0.1:8000 unless PORT or HOST say otherwise.
    """
    if context.invoked_subcommand is None:
        config = str(HOME / "gunicorn.conf.py")
        program = [sys.executable, "-m", "gunicorn", "--config", config, f"{APPLICATION}:app"]
        # A file in the current directory, such as redis.py, must not be imported instead of a library.
        safe = {"PYTHONSAFEPATH": "1"} if IS_INSTALLED else {}
        os.execve(sys.executable, program, os.environ | safe)  # noqa: S606 - no shell is wanted


arauto.add_command(token)


def main() -> None:
    """Run the command."""
    arauto(prog_name="arauto", obj=ScriptInfo(create_app=_create_app))


def _create_app() -> Flask:
    app: Flask = import_module(APPLICATION).create_app()
    return app
