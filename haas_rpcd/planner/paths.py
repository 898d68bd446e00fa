"""Which switches lie on a path between places: the tree of a fabric's blocks.

A VLAN has to exist on every switch that frames between its places may pass. Spanning tree may use
any path, so these are the switches on any simple path. A *block* is a part of the fabric that no
single vertex cuts in two; blocks and the vertices that they share form a tree. A simple path passes
exactly the blocks between its ends, and every vertex of such a block is on some simple path
(Hopcroft and Tarjan, "Algorithm 447: efficient algorithms for graph manipulation", CACM 1973).

A trunk port without a declaration leads anywhere: to any other such port, or through
switches that nobody registered. So all of them lead to one cloud. The cloud is two vertices,
because a path may pass it more than once: from a switch to another one, and on to a third. A port
that is its switch's only way to the cloud is a vertex as well, because no path comes and goes
through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from haas_rpcd.states import Fabric

_CLOUD = (0, 1)


class Paths:
    """The tree of a fabric's blocks."""

    def __init__(self, fabric: Fabric) -> None:
        names = [switch for switch, _ in fabric.open_ends]
        self._number = {name: number for number, name in enumerate(names, len(_CLOUD))}
        self._hosts: dict[str, list[int]] = {}
        for host, switch in fabric.hosts:
            self._hosts.setdefault(host, []).append(self._number[switch])
        near = _neighbours(fabric, self._number)
        self._names = [None, None, *names, *[None] * (len(near) - len(names) - len(_CLOUD))]
        self._order = [0] * len(near)
        """When the search came to each vertex, from 1."""
        self._root = [0] * len(near)
        self._depth = [0] * len(near)
        self._block = [-1] * len(near)
        """The block between each vertex and the root of its component; -1 for the root."""
        self._top: list[int] = []
        """The vertex of each block that is next to the root."""
        self._switches: list[list[str]] = []
        for root in range(len(near)):
            if not self._order[root]:
                self._search(near, root)

    def _search(self, near: list[list[int]], root: int) -> None:
        """Find the blocks of one component: depth first, without recursion."""
        order, low = self._order, {}
        found: list[int] = []
        stack: list[int] = []
        way: list[tuple[int, Iterator[int]]] = []

        def enter(vertex: int) -> None:
            found.append(vertex)
            order[vertex] = low[vertex] = len(found)
            self._root[vertex] = root
            stack.append(vertex)
            way.append((vertex, iter(near[vertex])))

        enter(root)
        while way:
            vertex, left = way[-1]
            for other in left:
                if not order[other]:
                    enter(other)
                    break
                low[vertex] = min(low[vertex], order[other])
            else:
                way.pop()
                if not way:
                    break
                parent = way[-1][0]
                low[parent] = min(low[parent], low[vertex])
                if low[vertex] >= order[parent]:
                    self._close(parent, vertex, stack)
        for vertex in found[1:]:
            self._depth[vertex] = self._depth[self._top[self._block[vertex]]] + 1

    def _close(self, top: int, child: int, stack: list[int]) -> None:
        """Take a block off the stack: all vertices from ``child`` on, which are below ``top``."""
        vertices = [top]
        while vertices[-1] != child:
            vertices.append(stack.pop())
            self._block[vertices[-1]] = len(self._top)
        self._top.append(top)
        self._switches.append([name for v in vertices if (name := self._names[v]) is not None])

    def between(self, places: Iterable[str]) -> frozenset[str] | None:
        """Return the switches on any simple path between places: switches and hypervisors.

        A place that is alone needs nothing but itself. None: no path joins all places.
        """
        wanted = set(places)
        needed = wanted & self._number.keys()
        if len(wanted) < 2:
            return frozenset(needed)
        ends = sorted({v for place in wanted for v in self._at(place)}, key=self._order.__getitem__)
        if len({self._root[vertex] for vertex in ends}) > 1:
            return None
        passed: set[int] = set()
        for one, other in pairwise(ends):
            self._pass(one, other, passed)
        return frozenset(needed.union(*(self._switches[block] for block in passed)))

    def apart(self, places: Iterable[str]) -> tuple[str, str]:
        """Name two places that no path joins. Raises ValueError if there are none."""
        roots: dict[int, str] = {}
        for place in sorted(places):
            for vertex in self._at(place):
                roots.setdefault(self._root[vertex], place)
        first, second = list(roots.values())[:2]
        return first, second

    def _at(self, place: str) -> Iterable[int]:
        """Return the vertices of a place.

        A hypervisor is at the switches that its trunk ports are on: it forwards nothing between
        them. One of which nothing is declared is somewhere in the cloud.
        """
        if place in self._number:
            return (self._number[place],)
        return self._hosts.get(place, _CLOUD[:1])

    def _pass(self, one: int, other: int, passed: set[int]) -> None:
        """Add the blocks on the tree's path between two vertices of one component."""
        while one != other:
            if self._depth[one] < self._depth[other]:
                one, other = other, one
            passed.add(self._block[one])
            one = self._top[self._block[one]]


def _neighbours(fabric: Fabric, number: dict[str, int]) -> list[list[int]]:
    """Return the neighbours of each vertex: the cloud, the switches, and single open ends."""
    near: list[list[int]] = [[] for _ in (*_CLOUD, *number)]

    def join(one: int, other: int) -> None:
        near[one].append(other)
        near[other].append(one)

    join(*_CLOUD)
    for one, other in fabric.links:
        join(number[one], number[other])
    for switch, count in fabric.open_ends:
        if count > 1:
            join(number[switch], _CLOUD[0])
            join(number[switch], _CLOUD[1])
        elif count == 1:
            near.append([])
            for there in (number[switch], *_CLOUD):
                join(len(near) - 1, there)
    return near


@lru_cache(maxsize=4)
def paths(fabric: Fabric) -> Paths:
    """Return the tree of a fabric's blocks. The last ones are kept."""
    return Paths(fabric)


def without_retired(fabric: Fabric) -> Fabric:
    """Return a fabric without the switches out of service."""
    gone = fabric.retired
    return Fabric(
        open_ends=tuple(each for each in fabric.open_ends if each[0] not in gone),
        links=tuple(each for each in fabric.links if gone.isdisjoint(each)),
        hosts=tuple(each for each in fabric.hosts if each[1] not in gone),
    )
