"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

from typing import IO, Any

import click

__all__ = ["Failure", "Refusal"]


class Failure(click.ClickException):
    """Ends the command with one line on stderr and exit code 1: the work failed."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"torch7py: {self.message}", file=file, err=file is None)


class Refusal(Failure):
    """A request that makes no sense here: exit code 2, as for a wrong option."""

    exit_code = 2
