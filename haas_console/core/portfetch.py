"""Fetches the ports of a switch when somebody looks at it; from then on the news keep them."""

from __future__ import annotations

from haas_console.core.errors import ConsoleError
from haas_console.core.inventory import records
from haas_console.core.session import Session
from haas_schemas.switch import Port


async def fetch_ports(session: Session, switch: str) -> None:
    """Fetch a switch's ports into the inventory; raises ConsoleError."""
    found: list[Port] = []
    try:
        async for page in session.sync.pages("port.list", {"switch": switch}, quiet=True):
            found += records(Port, page)
    except ValueError as error:  # msgspec's; not imported here for the sake of the first paint
        raise ConsoleError(f"The daemon's answer is not understood: {error}") from error
    session.inventory.ports[switch] = found
    session.sync.notify("switch")
