"""The subcommand ``haas-rpcd doctor``: its arguments, its user, and what it prints."""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
from pathlib import Path

import msgspec

from haas_rpcd import config, configfiles
from haas_rpcd.config import ConfigError
from haas_rpcd.doctor.finding import LEVELS, Finding, World, fault, worst

DESCRIPTION = """\
Check this master, and say how to mend what is wrong: the configuration, credentials and
TLS files, the state directory, the trunk nic, the kernel, the clock, libvirt and the base
images, and the login of each registered switch. Nothing is changed. Run as root, it checks
with the rights of the daemon's user.
"""

EPILOG = "exit codes: 0 no faults (there may be warnings), 1 faults, 2 usage"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,  # the one before the subcommand counts as well
        help=f"default: {config.DEFAULT_PATH}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--user",
        default="haas",
        help="as root: the user whose rights count, the daemon's; default: haas",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run all checks, print what they found, and return the exit code."""
    from haas_rpcd.doctor.checks import examine  # the daemon itself needs no check

    path = Path(arguments.config or config.DEFAULT_PATH)
    findings = _become(arguments.user)
    try:
        settings = configfiles.load(path)
    except ConfigError as error:
        mend = "correct the file; docs/configuration.md explains every setting."
        findings.append(msgspec.structs.replace(fault(str(error), mend), check="configuration"))
    else:
        findings += asyncio.run(examine(World(settings, path)))
    print(_as_json(findings) if arguments.json else as_text(findings))  # noqa: T201
    return 1 if worst(findings) == "fault" else 0


def _become(user: str) -> list[Finding]:
    """Take the daemon's rights if we are root, so that what it may not do is found."""
    if os.geteuid() != 0:
        return []
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return [
            Finding(
                "warning",
                f"There is no user {user}: these checks had the rights of root.",
                f"name the daemon's user:  haas-rpcd doctor --user {user}",
                "user",
            )
        ]
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    return []


def as_text(findings: list[Finding]) -> str:
    """Return the findings for people, grouped by level, the worst last."""
    lines = []
    for level in LEVELS:
        group = [one for one in findings if one.level == level]
        if group:
            lines += [f"{level}: {len(group)}"]
        for one in group:
            lines.append(f"  {one.check:17}{one.text}")
            if one.mend:
                lines.append(f"  {'':17}-> {one.mend}")
    return "\n".join(lines)


def _as_json(findings: list[Finding]) -> str:
    return msgspec.json.encode({"level": worst(findings), "findings": findings}).decode()
