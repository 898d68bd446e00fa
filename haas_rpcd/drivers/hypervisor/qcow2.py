"""The header of a qcow2 file, as far as it names the backing file. No I/O.

https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt: the offset of the
backing file's name is at byte 8, its length at byte 16, and the exponent of the cluster size at
byte 20, all in big endian. The name is not terminated, has at most 1,023 bytes, and is in the first
cluster after the header's extensions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haas_rpcd.drivers.hypervisor.transfer import Piece

_MAGIC = b"QFI\xfb"
_FIELDS = struct.Struct(">4sIQII")
_LONGEST = 1023

MOST_HEADER = 2**21
"""The largest cluster, in bytes; the header and the name are in the first one."""


def with_backing_file(header: bytes, path: str) -> bytes:
    """Return the start of a qcow2 file with another name of its backing file, in place of one.

    ``header`` has the first cluster at least. Raises ValueError if the name has no room there.
    """
    if len(header) < _FIELDS.size:
        raise ValueError("it is no qcow2 file with a backing file")
    magic, version, offset, length, bits = _FIELDS.unpack_from(header)
    if magic != _MAGIC or not offset:
        raise ValueError("it is no qcow2 file with a backing file")
    name = path.encode()
    end = offset + max(len(name), length)
    if len(name) > _LONGEST or end > min(2**bits, len(header)):
        raise ValueError(f"there is no room in its header for the name {path}")
    fields = _FIELDS.pack(magic, version, offset, len(name), bits)
    padded = name.ljust(length, b"\0")
    return fields + header[_FIELDS.size : offset] + padded + header[offset + len(padded) :]


def over(pieces: Iterator[Piece], path: str) -> Iterator[Piece]:
    """Pass the content of a qcow2 file on, with another name of its backing file.

    Raises ValueError as :func:`with_backing_file`.
    """
    head = bytearray()
    for piece in pieces:
        room = MOST_HEADER - len(head)
        if isinstance(piece, int):
            head += bytes(min(piece, room))
            rest: Piece = max(piece - room, 0)
        else:
            head += piece[:room]
            rest = piece[room:]
        if len(head) == MOST_HEADER:
            yield with_backing_file(bytes(head), path)
            if rest:
                yield rest
            yield from pieces
            return
    yield with_backing_file(bytes(head), path)
