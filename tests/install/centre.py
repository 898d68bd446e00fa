"""The data centre's side, a "test" that pytest runs in the lab's kernel until that is ended.

A Cisco switch with three nodes, as tests/lab builds them; its trunk and its management port end in
the two cables to the master's kernel. Questions and answers are files in the run's folder.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from tests.lab.face import SwitchFace
from tests.lab.frames import BROADCAST, Wire
from tests.lab.topology import Lab, build, ip
from tests.lab.wire import PacketSocket, Place


def test_the_data_centre() -> None:
    folder = Path(os.environ["HAAS_LAB_INSIDE"])
    lab = build(default_vlan=1, telnet=False)
    face = SwitchFace(lab)
    face.start()
    ip(None, "addr flush dev mgmt0")
    for number, nic in enumerate((lab.trunk_nic, "mgmt0")):
        ip(
            None,
            f"link add cable{number} type bridge",
            *(f"link set {end} master cable{number} up" for end in (nic, f"vec{number}")),
            f"link set cable{number} up",
        )
    (folder / "ready").write_text("ready")
    sender = Sender(lab)
    number = 1
    while True:
        question = folder / f"question-{number}"
        if not question.exists():
            time.sleep(0.1)
            continue
        what, *words = json.loads(question.read_text())
        (folder / "answer.new").write_text(json.dumps(answer(lab, sender, what, words)))
        (folder / "answer.new").rename(folder / f"answer-{number}")
        number += 1


class Sender:
    """Sends numbered frames from a nic, several a second, until it is stopped."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._sent = 0

    def start(self, name: str) -> None:
        """Begin with 0."""
        (nic,) = (nic for nic in self._lab.nics if nic.name == name)
        wire = PacketSocket(Place(nic.name, nic.node, nic.nic))
        self._thread = threading.Thread(target=self._send, args=(wire,))
        self._thread.start()

    def stop(self) -> int:
        """Return how many frames were sent."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        return self._sent

    def _send(self, wire: PacketSocket) -> None:
        with wire:
            while not self._stopped.wait(0.1):
                assert wire.send(BROADCAST, self._sent.to_bytes(8, "big"))
                self._sent += 1


def answer(lab: Lab, sender: Sender, what: str, words: list[str]) -> Any:
    wire = Wire(lab)
    if what == "send numbers":
        return sender.start(*words)
    if what == "stop sending":
        return sender.stop()
    if what == "who hears":
        """The nics that hear frames of a MAC, which sends within some minutes."""
        (heard,) = wire.where_heard(*words, seconds=300.0)
        return sorted(place for place in heard if ":" in place)
    if what == "heard by":
        """The nics that hear frames sent from the master, by the name of the nic."""
        return sorted(name for name in wire.who_hears_whom().hearers(words[0]) if ":" in name)
    raise AssertionError(what)
