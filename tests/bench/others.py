"""The same changes with other tools, in the same run and on the same kind of simulated switch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from netmiko import ConnectHandler

from tests.bench.switchyard import CREDENTIAL

Lines = Sequence[str]


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that a function takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def netmiko_set(port: int, lines: Lines) -> float:
    """Return the seconds for one config set, with login and save."""

    def work() -> None:
        with ConnectHandler(
            device_type="cisco_ios_telnet",
            host="127.0.0.1",
            port=port,
            username=CREDENTIAL["username"],
            password=CREDENTIAL["password"],
            secret=CREDENTIAL["enable"],
            fast_cli=True,
        ) as connection:
            connection.enable()
            connection.send_config_set(list(lines), cmd_verify=False)
            connection.save_config()

    return timed(work)


def one_change_a_session(port: int, changes: Sequence[Lines]) -> float:
    """Return the seconds for all changes, line by line, each with a login, a save and a logout."""
    return timed(lambda: asyncio.run(_changes(port, changes)))


async def _changes(port: int, changes: Sequence[Lines]) -> None:
    for lines in changes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        dialogue = [
            (b"sername: ", CREDENTIAL["username"]),
            (b"assword: ", CREDENTIAL["password"]),
            (b">", "enable"),
            (b"assword: ", CREDENTIAL["enable"]),
            (b"#", "terminal length 0"),
            (b"#", "configure terminal"),
            *((b"#", line) for line in lines),
            (b"#", "end"),
            (b"#", "write memory"),
            (b"#", "exit"),
        ]
        for prompt, line in dialogue:
            await reader.readuntil(prompt)
            writer.write(line.encode() + b"\r\n")
        writer.close()
