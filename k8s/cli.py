"""The commands that talk to a cluster; `job.cli` finds them by their entry point."""

import click

commands: list[click.Command] = []
