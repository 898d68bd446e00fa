"""The hash of a volume's content, which its holes do not change."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.drivers.hypervisor.transfer import ContentHash, Piece
from tests.laws import law

MIB = 2**20

LENGTHS = st.sampled_from([1, 511, MIB - 1, MIB, MIB + 1, 3 * MIB])


def hash_of(*pieces: Piece) -> str:
    content = ContentHash()
    for piece in pieces:
        content.feed(piece)
    return content.hexdigest()


@law(100)
@given(
    st.lists(st.tuples(LENGTHS, st.booleans()), max_size=5),
    st.sampled_from([MIB // 3, MIB, 2 * MIB + 7]),
)
def test_holes_and_the_size_of_messages_do_not_change_the_hash(
    parts: list[tuple[int, bool]], message: int
) -> None:
    sparse: list[Piece] = [length if hole else b"x" * length for length, hole in parts]
    plain = b"".join(bytes(part) if isinstance(part, int) else part for part in sparse)
    messages = [plain[at : at + message] for at in range(0, len(plain), message)]
    assert hash_of(*sparse) == hash_of(*messages)


def test_what_differs_has_another_hash() -> None:
    contents = [
        b"",
        bytes(1),
        bytes(2),
        b"x",
        b"x" + bytes(MIB),
        bytes(MIB) + b"x",
        bytes(2 * MIB) + b"x",
        b"x" + bytes(MIB - 1) + b"x",
        b"xx",
    ]
    for one, other in itertools.combinations(contents, 2):
        assert hash_of(one) != hash_of(other)
