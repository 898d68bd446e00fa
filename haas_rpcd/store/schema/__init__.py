"""The tables, as migrations. The schema itself makes impossible what must never happen.

- ``allocation.node_id`` is a primary key: at most one project holds a node.
- ``vlan_claim.vlan`` is a primary key: a VLAN id belongs to one network. The claim outlives the
  network until every switch has confirmed that the VLAN is gone, and saved that.
- ``port.nic_id`` is the nic behind a port, so there is at most one. (``nic.port_id``, of earlier
  schemas, is null.) ``port.canonical`` is unique on its switch, so ``Gi1/0/1`` and
  ``GigabitEthernet1/0/1`` cannot be two ports. A switch's host and port are unique, so one switch
  cannot be registered twice under one name of its host. Other names are compared by their
  addresses, when a switch is registered.
- Triggers refuse to allocate or to free a node whose ports are not parked and saved, to change
  where the nics of a held node are plugged in, to connect anything to a network that its holder may
  not use, and to end a share that is in use.

A nic with ``nic.bond`` is plugged into several ports, in the order of ``port.leg``. If their switch
has to bundle them, one more port of the nic is their *channel*: ``port.channel`` is its number,
``port.channel_mode`` how it bundles; ``port.channel_id`` of the others refers to it. It stays, also
without a nic, until its switch confirmed and saved that it is gone.

There are three states:

- Desired, what users have staged: ``connection``, ``headnode`` and ``headnode_nic``.
- Applied, what a device last confirmed: ``port_applied`` and ``port_applied_tagged``,
  ``switch_vlan``, ``bridge``, ``headnode_applied`` and ``headnode_applied_nic``. A row that is not
  ``confirmed`` was changed, or is being changed, with an unknown result; without a row nothing was
  ever changed.
- Observed, where devices contradicted what was applied when they were last checked: ``drift`` in
  words, and ``headnode_observed`` for headnodes, as plans start from what the hypervisor has.
  There, ``reached`` is 0 while the hypervisor cannot be read, ``seen`` is null if nothing is known,
  and ``stop_seen`` is 1 if the headnode stopped while a daemon watched.

The view ``parked_port`` defines what counts as parked, ``unparked_nic`` which nics keep a node from
being free. A column that is added to ``port_applied`` and matters for this belongs in the view; the
triggers and the queries follow.

``port_carries`` and ``headnode_carries`` list the VLANs that something carries *or may carry*. Rows
are added before a change is sent, and removed only when its result has been read back.

``unsaved`` lists the switches with changes that no save has confirmed, and the projects that made
the changes; project 0 is the site. Until then a power cut brings the old configuration back, so
``port_applied.saved`` is 0, and ``vlan_in_startup`` lists the VLANs that were taken off the switch
or its ports. ``dialect_without_save`` names the dialects whose switches keep every change at once;
on them everything is saved when it is confirmed.

``port_may_change`` and ``vlan_may_change`` list what a line concerns that a switch did not answer,
and when that line was given up: the switch may still execute it. ``switch_may_save`` lists those
switches where that line saves.

``audit`` grows at its end and is deleted from its start only; triggers refuse anything else. Each
record has a hash that covers the one before it, and ``audit_anchor`` the last that was deleted.

``switch.identity`` has what a switch says of itself (a ``SwitchMarks`` as JSON), and
``switch.stranger`` what another switch says that answers in its place. ``switch.retired`` is since
when a switch is out of service, in seconds since the epoch. Nothing on either counts as parked, but
a release does not wait for a retired one: the view ``awaited_nic`` has the nics that it waits for.

``hypervisor`` has all but the master, which haas.toml describes. ``headnode.hypervisor`` is where a
headnode is, or will be made; ``bridge`` and ``last_boot`` have rows for each hypervisor. One that
has headnodes or bridges cannot be deleted. ``hypervisor.retired`` is since when one is out of
service, ``hypervisor.fenced`` who saw to it that it is off. ``headnode.move_to`` is where a
headnode is to be instead; ``headnode_copy`` has where else something of it is, or may be.

A switch's uptime was ``uptime`` when the master's own clock since its boot ``uptime_boot`` showed
``uptime_read``. ``last_boot`` names the boot in which the daemon last read a hypervisor.

``port_evidence`` has what a switch said of a port when it was last confirmed, and the job that set
it; ``nic_staged`` who last staged something for a nic. Both explain; nothing is decided by them.

``sighting`` has where switches last saw nics, ``nic_cabling`` whether that is where they are
registered. ``switch_link`` has the cables between switches, ``stranger`` what nobody registered.

``proof`` has the last proof of a node's cabling, ``proving`` the one under way: its VLAN is
nobody's, and the port that is open for it is the only one that may carry that.

``image_hash`` has the hashes of the files of base images, so that none is read twice.
``left_behind`` has the headnodes that were moved away from a hypervisor out of service, and whose
machines may be on it still.

``trunk_end`` has what trunk ports lead to, as declared: another trunk port, whose row says the same
of this one, or a hypervisor; with neither, anywhere. ``wrong`` is what LLDP contradicts it with.

A released migration does not change any more. tests/unit/released has filled databases, which the
tests upgrade, and a digest of what each migration makes of them.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from haas_rpcd.store.schema import (
    v1_initial,
    v2_drift,
    v3_applied_columns,
    v4_not_understood,
    v5_saved,
    v6_access,
    v7_late,
    v8_audit_chain,
    v9_tenancy,
    v10_identity,
    v11_observed,
    v12_transcript,
    v13_contact,
    v14_confirm,
    v15_target,
    v16_retired,
    v17_bmc,
    v18_evidence,
    v19_power,
    v20_late_save,
    v21_bonds,
    v22_hypervisors,
    v23_cabling,
    v24_proof,
    v25_images,
    v26_trunk_end,
    v27_moves,
)

migrations = Migrations("haas")


@migrations()
def initial(db: Database) -> None:
    """Create the first tables."""
    _run(db, v1_initial.SQL)


@migrations()
def drift(db: Database) -> None:
    """Add when switches booted, what drifted, and which jobs repair it."""
    _run(db, v2_drift.SQL)


@migrations()
def applied_columns(db: Database) -> None:
    """Store what was confirmed in columns."""
    _run(db, v3_applied_columns.SQL)


@migrations()
def not_understood(db: Database) -> None:
    """Store why a port that drifted is not understood."""
    _run(db, v4_not_understood.SQL)


@migrations()
def saved(db: Database) -> None:
    """Store what switches have saved."""
    _run(db, v5_saved.SQL)


@migrations()
def access(db: Database) -> None:
    """Add roles of members, and tokens."""
    _run(db, v6_access.SQL)


@migrations()
def late(db: Database) -> None:
    """Store what may change late."""
    _run(db, v7_late.SQL)


@migrations()
def audit_chain(db: Database) -> None:
    """Link the records of the audit trail by hashes."""
    _run(db, v8_audit_chain.SQL)
    v8_audit_chain.link(db.conn)
    _run(db, v8_audit_chain.TRIGGERS)


@migrations()
def tenancy(db: Database) -> None:
    """Add offers of networks, invitations, quotas, leases and release commands."""
    _run(db, v9_tenancy.SQL)


@migrations()
def identity(db: Database) -> None:
    """Store what switches say of themselves."""
    _run(db, v10_identity.SQL)


@migrations()
def observed(db: Database) -> None:
    """Store what the hypervisor shows, and the uptimes of switches."""
    _run(db, v11_observed.SQL)


@migrations()
def transcript(db: Database) -> None:
    """Store what switches were told and said in a job."""
    _run(db, v12_transcript.SQL)


@migrations()
def contact(db: Database) -> None:
    """Store whether switches answer."""
    _run(db, v13_contact.SQL)


@migrations()
def confirm(db: Database) -> None:
    """Store which applies go back unless they are confirmed."""
    _run(db, v14_confirm.SQL)


@migrations()
def target(db: Database) -> None:
    """Store which part of a project a job applies."""
    _run(db, v15_target.SQL)


@migrations()
def retired(db: Database) -> None:
    """Store which switches are out of service."""
    _run(db, v16_retired.SQL)


@migrations()
def bmc(db: Database) -> None:
    """Add the BMCs of nodes, and whether nodes are on."""
    _run(db, v17_bmc.SQL)


@migrations()
def evidence(db: Database) -> None:
    """Store who staged what, and what switches said when they confirmed it."""
    _run(db, v18_evidence.SQL)


@migrations()
def power(db: Database) -> None:
    """Add what is staged for the power of nodes."""
    _run(db, v19_power.SQL)


@migrations()
def late_save(db: Database) -> None:
    """Store which switches may save late."""
    _run(db, v20_late_save.SQL)


@migrations()
def bonds(db: Database) -> None:
    """Let a nic be plugged into several ports, and add the channels that switches make of them."""
    _run(db, v21_bonds.SQL)


@migrations()
def hypervisors(db: Database) -> None:
    """Add hypervisors other than the master."""
    _run(db, v22_hypervisors.SQL)


@migrations()
def cabling(db: Database) -> None:
    """Store where nics were seen, and how switches are connected."""
    _run(db, v23_cabling.SQL)


@migrations()
def proof(db: Database) -> None:
    """Store proofs of the cabling of nodes."""
    _run(db, v24_proof.SQL)


@migrations()
def images(db: Database) -> None:
    """Store hashes of base images, and what was left on retired hypervisors."""
    _run(db, v25_images.SQL)


@migrations()
def trunk_end(db: Database) -> None:
    """Store what trunk ports lead to."""
    _run(db, v26_trunk_end.SQL)


@migrations()
def moves(db: Database) -> None:
    """Let headnodes move between hypervisors, and add the BMCs of hypervisors."""
    _run(db, v27_moves.SQL)


def _run(db: Database, script: str) -> None:
    """Run statements one by one: ``executescript`` would commit before them."""
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> list[str]:
    """Split a script at the semicolons that end a statement, not at those in a trigger's body."""
    statements, start = [], 0
    for end, character in enumerate(script):
        if character == ";" and sqlite3.complete_statement(script[start : end + 1]):
            statements.append(script[start : end + 1].strip())
            start = end + 1
    return statements
