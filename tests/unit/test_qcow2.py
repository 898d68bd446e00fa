"""The name of the backing file in the header of a qcow2 file, as qemu-img reads it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.drivers.hypervisor.qcow2 import over, with_backing_file
from haas_rpcd.drivers.hypervisor.transfer import Piece


def qemu_img(*words: object) -> str:
    done = subprocess.run(
        ["qemu-img", *(str(word) for word in words)], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    qemu_img("create", "-f", "raw", tmp_path / "base.img", "8M")
    path = tmp_path / "overlay.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", "base.img", "-F", "raw", path)
    return path


def info(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(qemu_img("info", "-U", "--output=json", path))
    return read


@pytest.mark.parametrize("name", ["/srv/images/haas-image_0123456789abcdef.raw", "b", "x" * 1023])
def test_the_name_is_replaced_and_nothing_else(overlay: Path, name: str) -> None:
    before = overlay.read_bytes()
    changed = with_backing_file(before, name)
    overlay.write_bytes(changed)
    assert info(overlay)["backing-filename"] == name
    assert info(overlay)["backing-filename-format"] == "raw"
    assert len(changed) == len(before)
    back = with_backing_file(changed, "base.img")
    assert back[:104] == before[:104]
    overlay.write_bytes(back)
    assert "No errors were found" in qemu_img("check", overlay)


def in_pieces(content: bytes) -> Iterator[Piece]:
    """Yield the content as a sparse stream does: with a hole in the header's cluster."""
    yield content[:4096]
    for start in range(4096, len(content), 4096):
        piece = content[start : start + 4096]
        yield piece if any(piece) else len(piece)


@pytest.mark.parametrize("more", [0, 5 * 2**20])
def test_it_is_replaced_as_the_file_goes_by(overlay: Path, more: int) -> None:
    content = overlay.read_bytes() + bytes([7]) * more
    pieces = over(in_pieces(content), "/srv/base.img")
    passed = b"".join(bytes(piece) if isinstance(piece, int) else piece for piece in pieces)
    assert passed == with_backing_file(content, "/srv/base.img")


@pytest.mark.parametrize(
    ("name", "reason"), [("y" * 1024, "no room"), ("/" + "é" * 600, "no room")]
)
def test_a_name_that_is_too_long_is_refused(overlay: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        with_backing_file(overlay.read_bytes(), name)


def test_what_has_no_backing_file_is_refused(tmp_path: Path) -> None:
    alone = tmp_path / "alone.qcow2"
    qemu_img("create", "-f", "qcow2", alone, "1M")
    for content in (alone.read_bytes(), bytes(4096), b""):
        with pytest.raises(ValueError, match="no qcow2 file with a backing file"):
            with_backing_file(content, "/srv/base.img")
