"""The client for asyncio."""

from __future__ import annotations

import keyword
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from haas_console.core.client import Client as Connection
from haas_console.core.config import load_config
from haas_console.core.errors import ConsoleError, JobFailedError
from haas_console.core.paging import pages
from haas_console.core.target import find_daemon
from haas_schemas.event import InventoryEvent, JobEvent
from haas_schemas.job import FINAL_JOB_STATES, Job, Plan

T = TypeVar("T")

_WAIT = 60.0
"""Seconds that one ``job.wait`` takes; it is repeated until the job has ended."""


class AsyncClient:
    """A connection to the daemon. :meth:`connect` opens one; use it in ``async with``.

    Calls may overlap. Each raises RpcError if the daemon refuses, and LostDaemonError if it goes
    away or does not answer in time: the call may have been carried out then.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(
        cls,
        *,
        socket: str | None = None,
        url: str | None = None,
        context: str | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Connect to a daemon.

        ``socket`` is the path of its Unix socket, ``url`` its https:// address, ``context`` a name
        of console.toml. Without one of them the daemon is found as ``haas-console`` finds it:
        HAAS_SOCKET or HAAS_URL, console.toml, /run/haas/rpcd.sock.

        A URL needs a ``token``, else that of HAAS_TOKEN or of ``haas-console login URL``.
        ``ca_file``: a PEM file with the authority to trust. ``timeout``: seconds that an answer may
        take.

        Raises NoDaemonError, DeniedError if the daemon does not let the caller in, ConfigError.
        """
        settings = load_config()
        endpoint, token = find_daemon(
            settings, socket=socket, url=url, context=context, ca_file=ca_file, token=token
        )
        limit = timeout if timeout is not None else settings.timeout
        return cls(await Connection.connect(endpoint, token=token, timeout=limit))

    async def close(self) -> None:
        """Close the connection; calls that wait fail."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- calls ---

    async def call(self, method: str, /, **params: Any) -> Any:
        """Call a method; return its result as JSON values: dicts, lists, text, numbers.

        A param whose name is a word of Python ends in an underscore: ``with_="blue"``.
        """
        return await self._connection.call(method, _params(params))

    async def get(self, record: type[T], method: str, /, **params: Any) -> T:
        """Call a method; return its result as a record: ``await get(Node, "node.show", …)``."""
        return _record(record, await self.call(method, **params))

    async def list(self, record: type[T], method: str, /, **params: Any) -> AsyncIterator[T]:
        """Yield all records of a list, page by page: ``list(Node, "node.list", free=True)``.

        ``limit`` is the size of a page.
        """
        async for page in pages(self._connection.call, method, _params(params)):
            for item in page["items"]:
                yield _record(record, item)

    # --- plans and jobs ---

    async def plan(self, project: str | None = None, *, target: str | None = None) -> Plan:
        """Return what an apply of a project would do now; without one, of the site."""
        return await self.get(Plan, "plan.show", **_given(project=project, target=target))

    async def start(
        self,
        project: str | None = None,
        *,
        target: str | None = None,
        digest: str | None = None,
        confirm: float | None = None,
    ) -> int:
        """Start an apply; return its job's number. The params are those of ``apply.start``."""
        given = _given(project=project, target=target, digest=digest, confirm=confirm)
        return int((await self.call("apply.start", **given))["job"])

    async def wait(self, job: int) -> Job:
        """Wait until a job has ended; return it. Raises JobFailedError unless it succeeded."""
        while True:
            limit = self._connection.timeout + _WAIT
            params = {"job": job, "timeout": _WAIT}
            shown = await self._connection.call("job.wait", params, timeout=limit)
            if shown["state"] == "succeeded":
                return _record(Job, shown)
            if shown["state"] in FINAL_JOB_STATES:
                raise JobFailedError(shown)

    async def apply(
        self,
        project: str | None = None,
        *,
        target: str | None = None,
        digest: str | None = None,
        confirm: float | None = None,
    ) -> Job:
        """Apply a project, or the site, and wait for the end.

        With ``digest``, only the plan that has it; RpcError of the kind ``stale_plan`` otherwise.
        Raises JobFailedError unless the job succeeds.
        """
        job = await self.start(project, target=target, digest=digest, confirm=confirm)
        return await self.wait(job)

    # --- following ---

    async def events(self) -> AsyncIterator[InventoryEvent]:
        """Yield what happens from now on, as far as the caller may see it.

        An event names what was changed: fetch it to see how. It ends with LostDaemonError.
        """
        with self._connection.notifications() as inbox:
            await self._connection.call("events.subscribe")
            while True:
                method, params = await inbox.get()
                if method == "inventory.event":
                    yield _record(InventoryEvent, params)

    async def job_events(self, job: int) -> AsyncIterator[JobEvent]:
        """Yield a job's progress until its end; nothing if it has ended already."""
        with self._connection.notifications() as inbox:
            shown = await self._connection.call("job.subscribe", {"job": job})
            state = shown["state"]
            while state not in FINAL_JOB_STATES:
                method, params = await inbox.get()
                if method == "job.event" and params["job"] == job:
                    event = _record(JobEvent, params)
                    state = event.state
                    if event.seq > shown["seq"]:
                        yield event


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _params(params: dict[str, Any]) -> dict[str, Any]:
    """Take the underscore off names such as ``with_``."""
    return {
        name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name: value
        for name, value in params.items()
    }


def _record(record: type[T], value: Any) -> T:
    try:
        return msgspec.convert(value, record)
    except msgspec.ValidationError as error:
        raise ConsoleError(
            f"the daemon's answer is no {getattr(record, '__name__', record)}: {error}"
        ) from error
