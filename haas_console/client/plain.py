"""The client without asyncio: the same calls, from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from haas_console.client.asynchronous import AsyncClient
from haas_schemas.event import InventoryEvent, JobEvent
from haas_schemas.job import Job, Plan

T = TypeVar("T")


class Client:
    """A connection to the daemon; see :class:`AsyncClient` for the arguments and the methods.

    A thread of its own keeps the connection alive between calls. Several threads may call at the
    same time. Use it in ``with``, or call :meth:`close`.
    """

    def __init__(
        self,
        *,
        socket: str | None = None,
        url: str | None = None,
        context: str | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="haas", daemon=True)
        self._thread.start()
        try:
            self._client = self._run(
                AsyncClient.connect(
                    socket=socket,
                    url=url,
                    context=context,
                    token=token,
                    ca_file=ca_file,
                    timeout=timeout,
                )
            )
        except BaseException:
            self._stop()
            raise

    def close(self) -> None:
        """Close the connection; calls that wait in other threads fail."""
        if not self._loop.is_closed():
            try:
                self._run(self._client.close())
            finally:
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- the same as AsyncClient's ---

    def call(self, method: str, /, **params: Any) -> Any:
        """Call a method; return its result as JSON values."""
        return self._run(self._client.call(method, **params))

    def get(self, record: type[T], method: str, /, **params: Any) -> T:
        """Call a method; return its result as a record: ``get(Node, "node.show", …)``."""
        return self._run(self._client.get(record, method, **params))

    def list(self, record: type[T], method: str, /, **params: Any) -> Iterator[T]:
        """Yield all records of a list: ``list(Node, "node.list", free=True)``."""
        return self._each(self._client.list(record, method, **params))

    def plan(self, project: str | None = None, *, target: str | None = None) -> Plan:
        """Return what an apply of a project would do now; without one, of the site."""
        return self._run(self._client.plan(project, target=target))

    def start(
        self,
        project: str | None = None,
        *,
        target: str | None = None,
        digest: str | None = None,
        confirm: float | None = None,
    ) -> int:
        """Start an apply; return its job's number."""
        return self._run(self._client.start(project, target=target, digest=digest, confirm=confirm))

    def wait(self, job: int) -> Job:
        """Wait until a job has ended; return it. Raises JobFailedError unless it succeeded."""
        return self._run(self._client.wait(job))

    def apply(
        self,
        project: str | None = None,
        *,
        target: str | None = None,
        digest: str | None = None,
        confirm: float | None = None,
    ) -> Job:
        """Apply a project, or the site, and wait for the end. Raises JobFailedError."""
        return self._run(self._client.apply(project, target=target, digest=digest, confirm=confirm))

    def events(self) -> Iterator[InventoryEvent]:
        """Yield what happens from now on; it waits for each event."""
        return self._each(self._client.events())

    def job_events(self, job: int) -> Iterator[JobEvent]:
        """Yield a job's progress until its end."""
        return self._each(self._client.job_events(job))

    # --- the thread ---

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise RuntimeError("this client is closed")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # ^C in this thread; no effect on what has ended
            raise

    def _each(self, items: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> tuple[T, ...]:
            try:
                return (await anext(items),)
            except StopAsyncIteration:
                return ()

        async def close() -> None:
            await items.aclose()  # type: ignore[attr-defined]  # all of them are generators

        try:
            while found := self._run(following()):
                yield found[0]
        finally:
            if not self._loop.is_closed():
                self._run(close())

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
