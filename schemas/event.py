"""Notifications, which the daemon sends over WebSocket to clients that subscribed.

``seq`` numbers those of one connection, from 1 on.
"""

from __future__ import annotations

import msgspec

from haas_schemas.job import JobState, StepState


class Subscribed(msgspec.Struct, frozen=True):
    """The subscription is active; notifications follow on this connection."""

    subscribed: bool


class BytesMoved(msgspec.Struct, frozen=True):
    """How far a base image is read or copied, in bytes."""

    done: int
    total: int


class StepUpdate(msgspec.Struct, frozen=True):
    """The new state of one step. ``line`` is the line just sent, if one was.

    While the base image of a headnode is copied, ``line`` says so, and ``bytes`` how far that is.
    """

    step: int
    device: str
    kind: str
    target: str
    summary: str
    state: StepState
    message: str | None = None
    line: str | None = None
    bytes: BytesMoved | None = None


class JobEvent(msgspec.Struct, frozen=True):
    """Notification ``job.event``: a job's progress, and the step that changed, if one did."""

    job: int
    seq: int
    state: JobState
    done: int
    total: int
    step: StepUpdate | None = None
    error: str | None = None


class InventoryEvent(msgspec.Struct, frozen=True):
    """Notification ``inventory.event``: something was created, changed or deleted: fetch it."""

    seq: int
    noun: str
    verb: str
    name: str
    project: str | None = None
