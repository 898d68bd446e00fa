"""How a vendor's command in the shell talks to the simulated device.

The client, a small program that the shell finds under the command's name, sends the session's
number, ``1`` under sudo (else ``0``), its directory and the words of the command, each followed by
NUL, then a line feed. The device answers with frames: one letter, the length of the data in four
bytes, and the data. ``o`` and ``e`` carry output for stdout and stderr. ``q`` carries a question;
the client prints it and sends back one line of stdin (an empty one at the end of the file). ``x``
carries the exit status and ends the command.
"""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass

CLIENT = """\
import _socket, os, sys  # not socket: its imports would take most of the run time
folder, program = os.path.split(sys.argv.pop(0))
if program == "sudo":
    os.environ["HAAS_SIM_ROOT"] = "1"
    while sys.argv and sys.argv[0][:1] == "-":
        del sys.argv[0]
    if not sys.argv or not os.path.exists(os.path.join(folder, sys.argv[0])):
        os.execvp((sys.argv or ["true"])[0], sys.argv or ["true"])
    program = sys.argv.pop(0)  # run it in this process: starting another one doubles the time
end = _socket.socket(_socket.AF_UNIX)
end.connect(os.environ["HAAS_SIM_SOCKET"])
words = [os.environ["HAAS_SIM_SESSION"], os.environ.get("HAAS_SIM_ROOT", "0"), os.getcwd()]
words += [program, *sys.argv]
end.sendall(b"".join(os.fsencode(word) + b"\\0" for word in words) + b"\\n")
stream = os.fdopen(end.detach(), "r+b", 0)
got = b""
def take(count):
    global got
    while len(got) < count:
        got += stream.read(65536) or sys.exit(1)
    data, got = got[:count], got[count:]
    return data
while True:
    head = take(5)
    data = take(int.from_bytes(head[1:], "big"))
    if head[:1] == b"x":
        sys.exit(int(data))
    out = sys.stderr if head[:1] == b"e" else sys.stdout
    out.buffer.write(data)
    out.flush()
    if head[:1] == b"q":
        stream.write(sys.stdin.buffer.readline().rstrip(b"\\n") + b"\\n")
"""


@dataclass
class Call:
    """A command that the shell has parsed."""

    session: int
    root: bool
    directory: str
    words: list[str]
    """The program's name and its arguments, without quotes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def read(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call:
        """Read the request of a client."""
        text = (await reader.readuntil(b"\0\n"))[:-2].decode("utf-8", "replace")
        session, root, directory, *words = text.split("\0")
        return cls(int(session), root == "1", directory, words, reader, writer)

    @property
    def text(self) -> str:
        """The command line, quoted where necessary."""
        return shlex.join(self.words)

    def print(self, *lines: str) -> None:
        """Write lines to stdout."""
        self._frame(b"o", "".join(f"{line}\n" for line in lines))

    def error(self, *lines: str) -> None:
        """Write lines to stderr."""
        self._frame(b"e", "".join(f"{line}\n" for line in lines))

    async def ask(self, question: str) -> str:
        """Print a question and return the line typed; "" at the end of the input."""
        self._frame(b"q", question)
        return (await self.reader.readline()).decode("utf-8", "replace").rstrip("\n")

    async def finish(self, status: int) -> None:
        """End the command."""
        self._frame(b"x", str(status))
        await self.writer.drain()

    def _frame(self, kind: bytes, text: str) -> None:
        data = text.encode()
        self.writer.write(kind + len(data).to_bytes(4, "big") + data)
