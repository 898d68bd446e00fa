"""Contents of volumes: read, hashed and copied from one libvirt to another, by libvirt's streams.

https://libvirt.org/html/libvirt-libvirt-storage.html#virStorageVolDownload. Holes are not sent
where libvirt knows sparse streams. All calls here block.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, NamedTuple

CHUNK = 262_120
"""Bytes to ask a stream for: what libvirt puts into one message, as seen with libvirt 9.0."""

_AT_HOLE = -3
"""What recvFlags() returns in front of a hole."""

_BLOCK = 2**20
_ZEROS = bytes(_BLOCK)

Piece = bytes | int
"""Some data, or the length of a hole in bytes."""

Moved = Callable[[int], None]
"""Called with the bytes that were done since the last call. What it raises ends the work."""


class Place(NamedTuple):
    """A volume, and the connection to its libvirt."""

    connection: Any
    volume: Any


FileKey = tuple[str, int, str]
"""What differs if the content of a file differs: :class:`VolumeFacts` is such a tuple."""


class VolumeFacts(NamedTuple):
    """A volume as libvirt describes it.

    ``size``: the length of its file in bytes, which is not that of the disk inside. ``mtime``: when
    it was changed, as libvirt writes it; empty if it is no file.
    """

    path: str
    size: int
    mtime: str


def facts(libvirt: Any, volume: Any) -> VolumeFacts:
    """Read what libvirt says of a volume; its pool must be refreshed before."""
    root = ET.fromstring(volume.XMLDesc(0))  # noqa: S314 (from libvirt itself)
    size = volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2]
    return VolumeFacts(volume.path(), size, root.findtext("target/timestamps/mtime") or "")


def backing_of(volume: Any) -> str | None:
    """Return the path of the file that a volume is an overlay of; None if it is none."""
    root = ET.fromstring(volume.XMLDesc(0))  # noqa: S314 (from libvirt itself)
    return root.findtext("backingStore/path")


class ContentHash:
    """Hashes the content of a file, whatever holes it has.

    The hash covers the blocks of 1 MiB that hold more than zeros, each with its number, and the
    length. So large holes cost nothing, and a copy has the hash of its original.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._block = bytearray()
        self._number = 0

    def feed(self, piece: Piece) -> None:
        """Add what follows."""
        if isinstance(piece, int):
            self._feed_hole(piece)
            return
        rest = memoryview(piece)
        while rest:
            room = _BLOCK - len(self._block)
            self._block += rest[:room]
            rest = rest[room:]
            self._end_full_block()

    def _feed_hole(self, length: int) -> None:
        if self._block:
            filling = min(length, _BLOCK - len(self._block))
            self._block += _ZEROS[:filling]
            length -= filling
            self._end_full_block()
        if length:
            self._number += length // _BLOCK
            self._block += _ZEROS[: length % _BLOCK]

    def _end_full_block(self) -> None:
        if len(self._block) == _BLOCK:
            self._end_block()
            self._number += 1
            self._block.clear()

    def _end_block(self) -> None:
        if self._block != _ZEROS[: len(self._block)]:
            self._hash.update(self._number.to_bytes(8, "big"))
            self._hash.update(self._block)

    def hexdigest(self) -> str:
        """Return the hash of all that was fed."""
        self._end_block()
        length = self._number * _BLOCK + len(self._block)
        self._hash.update(b"length" + length.to_bytes(8, "big"))
        return self._hash.hexdigest()


def read(libvirt: Any, connection: Any, volume: Any) -> Generator[Piece, None, None]:
    """Yield the content of a volume. Raises libvirtError."""
    stream, sparse = _begin(
        libvirt, connection, volume.download, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM
    )
    flags = libvirt.VIR_STREAM_RECV_STOP_AT_HOLE if sparse else 0
    ended = False
    try:
        while not ended:
            got = stream.recvFlags(CHUNK, flags) if sparse else stream.recv(CHUNK)
            if got == _AT_HOLE:
                yield stream.recvHole()
            elif got:
                yield got
            else:
                stream.finish()
                ended = True
    finally:
        if not ended:
            stream.abort()


def write(libvirt: Any, connection: Any, volume: Any, pieces: Iterator[Piece]) -> None:
    """Replace the content of a volume; one that is shorter is not cut. Raises libvirtError."""
    stream, sparse = _begin(
        libvirt, connection, volume.upload, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM
    )
    ended = False
    try:
        for piece in pieces:
            if isinstance(piece, int) and sparse:
                stream.sendHole(piece)
            else:
                for data in _as_data(piece):
                    _send(stream, data)
        stream.finish()
        ended = True
    finally:
        if not ended:
            stream.abort()


def measured(
    pieces: Iterator[Piece], content: ContentHash, moved: Moved = lambda count: None
) -> Iterator[Piece]:
    """Pass pieces on; hash them, and report their sizes."""
    for piece in pieces:
        content.feed(piece)
        moved(piece if isinstance(piece, int) else len(piece))
        yield piece


def hash_of(libvirt: Any, connection: Any, volume: Any, moved: Moved) -> str:
    """Read a volume, and return the hash of its content. Raises libvirtError."""
    content = ContentHash()
    with closing(read(libvirt, connection, volume)) as pieces:
        for _ in measured(pieces, content, moved):
            pass
    return content.hexdigest()


def copy(
    libvirt: Any,
    source: tuple[Any, Any],
    target: tuple[Any, Any],
    moved: Moved = lambda count: None,
) -> str:
    """Copy a volume's content; return its hash.

    The target must be as long as the source. Raises libvirtError; the target then is of no use.
    """
    content = ContentHash()
    with closing(read(libvirt, *source)) as pieces:
        write(libvirt, *target, measured(pieces, content, moved))
    return content.hexdigest()


def empty_file_xml(name: str, size: int) -> str:
    """Describe a new file that consists of one hole, to be written by :func:`copy`.

    It is raw, whatever is to be in it: libvirt recognizes the format of what it finds.
    """
    root = ET.Element("volume")
    ET.SubElement(root, "name").text = name
    ET.SubElement(root, "capacity", {"unit": "bytes"}).text = str(size)
    ET.SubElement(root, "allocation", {"unit": "bytes"}).text = "0"
    ET.SubElement(ET.SubElement(root, "target"), "format", {"type": "raw"})
    return ET.tostring(root, encoding="unicode")


def _begin(
    libvirt: Any, connection: Any, begin: Callable[..., Any], sparse: int
) -> tuple[Any, bool]:
    """Begin a transfer, sparse if libvirt can do that; return its stream, and whether it is."""
    stream = connection.newStream(0)
    try:
        begin(stream, 0, 0, sparse)
    except libvirt.libvirtError as error:
        unknown = (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_SUPPORT)
        if error.get_error_code() not in (*unknown, libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED):
            raise
    else:
        return stream, True
    stream = connection.newStream(0)
    begin(stream, 0, 0, 0)
    return stream, False


def _as_data(piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
        return
    for start in range(0, piece, CHUNK):
        yield bytes(min(CHUNK, piece - start))


def _send(stream: Any, data: bytes) -> None:
    while data:
        data = data[stream.send(data) :]
