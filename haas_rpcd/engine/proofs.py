"""Proves the cabling of a node: opens its ports one at a time, and reads where addresses appear.

The node is nobody's meanwhile, and so is the VLAN. All lines go through the planner, the journal
and the workers, as in any job. Whatever happens, the ports are parked again: by the job itself, by
the same job after a restart of the daemon, or by another job if it was ended by force.

It saves nothing while a port is open, so a switch that loses its power meanwhile comes back with
the port parked.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable

from haas_rpcd.clock import Clock
from haas_rpcd.engine.cabling import CablingWatch
from haas_rpcd.engine.freed import publish
from haas_rpcd.engine.journal import Verdict
from haas_rpcd.engine.planning import Planning
from haas_rpcd.engine.run import CarryOut
from haas_rpcd.errors import ConflictError, HaasError
from haas_rpcd.events import Events
from haas_rpcd.model import Phase, PortRef
from haas_rpcd.store import applied, nodes, proofs
from haas_rpcd.store.applied import Freed
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.jobs import JobRow
from haas_rpcd.store.proofs import ProofNicRow, ProvingRow
from haas_rpcd.store.scope import Scope
from haas_schemas.bmc import BootDevice, PowerAction, PowerState
from haas_schemas.cabling import NicProof
from haas_schemas.common import timestamp
from haas_schemas.job import JobState

log = logging.getLogger(__name__)

_POLL = 2.0
"""Seconds between two reads of a switch's tables."""

Act = Callable[[str, PowerAction, BootDevice | None], Awaitable[PowerState]]
"""Carries out a power action on a node. Raises HaasError."""

_WHILE_OPEN = (Phase.REMOVE, Phase.SAVE)
"""What is not sent before the last port is parked: the VLAN is needed, and nothing is saved."""


class Proofs:
    """Carries out the jobs that prove cabling.

    ``patience``: seconds for which something must be heard on a port that was opened. ``act``: see
    :class:`~haas_rpcd.engine.power.Power`.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        planning: Planning,
        cabling: CablingWatch,
        act: Act | None,
        clock: Clock,
        *,
        patience: float,
    ) -> None:
        self._store = store
        self._events = events
        self._planning = planning
        self._cabling = cabling
        self._act = act
        self._clock = clock
        self._patience = patience

    async def run(
        self, job: JobRow, carry_out: CarryOut, cancelled: Callable[[], bool]
    ) -> tuple[JobState, str | None]:
        """Run a job; return its final state and, unless it succeeded, a sentence.

        A job that an earlier daemon began starts anew, once the ports are parked.
        """
        proving = await self._store.read(proofs.of_job, job.id)
        if proving is None:
            return await self._park_left_over(job, carry_out)
        proof = _Proof(self, proving, carry_out, cancelled)
        try:
            await proof.begin()
            await proof.go_through()
        except HaasError as error:
            proof.trouble = proof.trouble or error.message
        left_open = await proof.end()
        await self._store.write(self._record, job.id, proof)
        if left_open is not None:
            return "failed", left_open
        if cancelled():
            return "cancelled", "Cancelled; the ports of the node are parked again."
        why = proof.why()
        return ("succeeded", None) if why is None else ("failed", why)

    def _record(self, tx: Tx, job_id: int, proof: _Proof) -> None:
        if proof.cancelled():
            return
        node = proof.proving.node
        proofs.record(
            tx,
            proof.proving.node_id,
            job_id,
            now=self._clock.wall(),
            why=proof.why(),
            nics=proof.found,
            notes=proof.notes,
        )
        tx.after_commit.append(lambda: self._events.publish_inventory("node", "changed", node))

    # --- steps ------------------------------------------------------------------------------------

    async def set_open(
        self, proving: ProvingRow, port_id: int | None, carry_out: CarryOut, *, last: bool
    ) -> None:
        """Let one port of a node be open, or none; return when the switches have confirmed that.

        ``last``: the VLAN goes as well, and the switches save. Raises HaasError.
        """
        await self._store.write(proofs.open_port, proving.job_id, port_id)
        await self.send(proving.node_id, carry_out, must=port_id is None, last=last)

    async def send(self, node_id: int, carry_out: CarryOut, *, must: bool, last: bool) -> None:
        """Send the changes that a node's ports still need for its proof. Raises HaasError."""
        plan = await self._store.read(self._planning.plan, Scope(proof=node_id))
        steps = [step for step in plan.steps if last or step.phase not in _WHILE_OPEN]
        if steps:
            _check(await carry_out(steps, must))

    # --- afterwards -------------------------------------------------------------------------------

    async def ended(self, job: JobRow) -> int | None:
        """Give back what a proof took; return the job that parks what it left open, if any."""

        def write(tx: Tx) -> tuple[Freed, int | None]:
            freed = applied.release_freed(tx)
            again = None
            if not job.parks_only and proofs.left_open(tx, job.proves or ""):
                again = proofs.begin_parking(
                    tx, job.proves or "", user=job.user, now=self._clock.wall()
                )
            return freed, again

        freed, again = await self._store.write(write)
        publish(self._events, freed)
        self._events.publish_inventory("node", "changed", job.proves or "")
        return again

    async def _park_left_over(
        self, job: JobRow, carry_out: CarryOut
    ) -> tuple[JobState, str | None]:
        node = await self._store.read(nodes.find, job.proves or "")
        if node is None or node.project_id is not None:
            return "succeeded", None  # its ports are in somebody else's plan
        try:
            await self.send(node.id, carry_out, must=True, last=True)
        except HaasError as error:
            return "failed", error.message
        return "succeeded", None

    # --- for one proof ----------------------------------------------------------------------------

    async def nics(self, node_id: int) -> list[ProofNicRow]:
        """Return the nics to be proved."""
        return await self._store.read(proofs.nics_of, node_id)

    async def power(
        self, node: str, action: PowerAction, boot: BootDevice | None = None
    ) -> PowerState:
        """Carry out a power action. Raises HaasError."""
        if self._act is None:
            raise ConflictError("This daemon switches no nodes.")
        return await self._act(node, action, boot)

    async def listen(
        self,
        proving: ProvingRow,
        nic: ProofNicRow,
        boot_again: Callable[[], Awaitable[None]],
        cancelled: Callable[[], bool],
    ) -> NicProof:
        """Read the switch's tables until they decide where the nic is, or the patience ends."""
        known = await self._cabling.known()
        hear = functools.partial(
            self._cabling.hear,
            known,
            f"{proving.node}:{nic.nic}",
            PortRef(nic.switch, nic.port),
            vlan=proving.vlan,
        )
        loop = asyncio.get_running_loop()
        end, again = loop.time() + self._patience, loop.time() + self._patience / 2
        while True:
            heard = await hear()
            if heard.row.state in ("right", "swapped") or cancelled():
                break
            if loop.time() >= end:
                heard = await hear(everywhere=True)
                break
            if loop.time() >= again:
                again = end
                await boot_again()
            await asyncio.sleep(min(_POLL, self._patience / 10))
        return NicProof(
            nic=nic.nic,
            switch=nic.switch,
            port=nic.port,
            state=heard.row.state,
            why=heard.row.why,
            said=heard.said,
            at=timestamp(self._clock.wall()) or "",
        )


class _Proof:
    """One proof, while it is carried out."""

    def __init__(
        self,
        proofs: Proofs,
        proving: ProvingRow,
        carry_out: CarryOut,
        cancelled: Callable[[], bool],
    ) -> None:
        self._proofs = proofs
        self.proving = proving
        self._carry_out = carry_out
        self.cancelled = cancelled
        self.found: list[NicProof] = []
        self.notes: list[str] = []
        self.trouble: str | None = None
        """Why it could not be gone through."""

        self._was_off = False
        self._has_power = False

    async def begin(self) -> None:
        """Park what an interrupted proof left open. Raises HaasError."""
        await self._set_open(None)

    async def go_through(self) -> None:
        """Prove one nic after another. Raises HaasError."""
        for nic in await self._proofs.nics(self.proving.node_id):
            if self.cancelled():
                return
            await self._set_open(nic.port_id)
            if self.cancelled():
                return
            if not self.found:
                await self._switch_on()
            self.found.append(
                await self._proofs.listen(self.proving, nic, self._boot_again, self.cancelled)
            )
            await self._set_open(None)

    async def end(self) -> str | None:
        """Park all, remove the VLAN, save, and switch the node off if it was off before.

        Returns why a port may still be open, or the VLAN still there; None if neither can be.
        """
        left_open = None
        try:
            await self._set_open(None, last=True)
        except HaasError as error:
            left_open = error.message
        if self._was_off:
            try:
                await self._proofs.power(self.proving.node, "off")
            except HaasError as error:
                self.notes.append(f"The node is not off again: {error.message}")
        return left_open

    async def _set_open(self, port_id: int | None, *, last: bool = False) -> None:
        await self._proofs.set_open(self.proving, port_id, self._carry_out, last=last)

    async def _switch_on(self) -> None:
        """Let the node boot from the network, so that its nics say something."""
        node = self.proving.node
        try:
            self._was_off = await self._proofs.power(node, "status") == "off"
            await self._proofs.power(node, "on" if self._was_off else "cycle", "pxe")
            self._has_power = True
        except ConflictError:
            self.notes.append("The node has no BMC that HaaS knows: proved with what was on.")
        except HaasError as error:
            self.notes.append(f"Proved with what was on: {error.message}")

    async def _boot_again(self) -> None:
        """Boot once more: firmware gives up nics that had no link when it tried them."""
        if not self._has_power:
            return
        try:
            await self._proofs.power(self.proving.node, "reset", "pxe")
        except HaasError as error:
            self.notes.append(f"The node was not reset: {error.message}")

    def why(self) -> str | None:
        """Return why the cabling is not proven; None if it is."""
        if self.trouble is not None:
            return self.trouble
        wrong = [f"{nic.nic}: {nic.why}" for nic in self.found if nic.state != "right"]
        if not wrong and not self.found:
            return f"Node {self.proving.node} has no nic that could be proved."
        if not wrong:
            return None
        return f"The cabling of {self.proving.node} is not proven: {'; '.join(wrong)}."


def _check(verdicts: Iterable[Verdict]) -> None:
    """Raise HaasError unless all steps are confirmed."""
    for verdict in verdicts:
        if verdict.state not in ("done", "cancelled"):
            step = verdict.entry.step
            raise ConflictError(f"{step.device}: {step.summary}: {verdict.message}")
