"""Whole pieces in a network of bounded edges: Dinic's maximum flow, from many starts to many ends at once."""

from collections.abc import Iterable


class Network:
    """Edges come in pairs: edge `e` has `cap[e]` pieces of room left, and `e ^ 1` takes back what went through it.

    `part` divides the nodes: a flow never leaves the part that it began in. `moves`: the paths that were taken and
    how many pieces went along each, for who may have to take them back. `seen` counts the nodes looked at: the work.
    """

    __slots__ = ("cap", "moves", "out", "part", "seen", "to")

    def __init__(self, nodes: int) -> None:
        self.to: list[int] = []
        self.cap: list[int] = []
        self.out: list[list[int]] = [[] for _ in range(nodes)]
        self.part = [0] * nodes
        self.moves: list[tuple[list[int], int]] = []
        self.seen = 0

    def add_edge(self, start: int, end: int, room: int, flow: int = 0) -> int:
        """A new edge with `flow` pieces in it and `room` for more; its number."""
        edge = len(self.to)
        self.to += (end, start)
        self.cap += (room, flow)
        self.out[start].append(edge)
        self.out[end].append(edge + 1)
        return edge

    def push(self, excess: dict[int, int], room: dict[int, int], near: int | None = None) -> list[int]:
        """Move as much as can be of `excess` to `room` (pieces by node, both of one part); both are lowered by what
        was moved. The nodes that what is left can still reach: none if nothing is left. A search gives up after
        `near` nodes."""
        while True:
            starts = [node for node, qty in excess.items() if qty]
            if not starts:
                return []
            level, found = self._levels(starts, room, near)
            self.seen += len(level)
            if not found:
                return list(level)
            self._block(starts, level, excess, room)

    def _levels(self, starts: Iterable[int], room: dict[int, int], near: int | None) -> tuple[dict[int, int], bool]:
        """Breadth first up to the first nodes with room: the distance of each node that was seen, and whether any has
        room."""
        to, cap, out, part = self.to, self.cap, self.out, self.part
        frontier = list(starts)
        level = dict.fromkeys(frontier, 1)
        mine = part[frontier[0]]
        ends = {node for node, qty in room.items() if qty}
        depth, found = 1, False
        while frontier and not found and (near is None or len(level) < near):
            depth += 1
            following: list[int] = []
            for node in frontier:
                for edge in out[node]:
                    if cap[edge]:
                        end = to[edge]
                        if end not in level and part[end] == mine:
                            level[end] = depth
                            following.append(end)
            found = not ends.isdisjoint(following)
            frontier = following
        return level, found

    def _block(
        self, starts: Iterable[int], level: dict[int, int], excess: dict[int, int], room: dict[int, int]
    ) -> None:
        """Fill every shortest path. A node whose edges are used up is a dead end for the rest of the phase."""
        to, cap, out = self.to, self.cap, self.out
        tried = dict.fromkeys(level, 0)
        for start in starts:
            path: list[int] = []
            node = start
            while excess[start]:
                if room.get(node):
                    moved = min(excess[start], room[node], *[cap[edge] for edge in path])
                    excess[start] -= moved
                    room[node] -= moved
                    keep = len(path)
                    self.moves.append((list(path), moved))
                    for at in range(len(path) - 1, -1, -1):
                        edge = path[at]
                        cap[edge] -= moved
                        cap[edge ^ 1] += moved
                        if not cap[edge]:
                            keep = at
                    if keep < len(path):
                        node = to[path[keep] ^ 1]
                        del path[keep:]
                    continue
                edges, at, deeper = out[node], tried[node], level[node] + 1
                while at < len(edges):
                    edge = edges[at]
                    if cap[edge] and level.get(to[edge]) == deeper:
                        break
                    at += 1
                tried[node] = at
                if at < len(edges):
                    path.append(edges[at])
                    node = to[edges[at]]
                elif path:
                    node = to[path.pop() ^ 1]
                    tried[node] += 1
                else:
                    break

    def undo_moves(self) -> None:
        """Undo all moves that are remembered."""
        for path, moved in self.moves:
            for edge in path:
                self.cap[edge] += moved
                self.cap[edge ^ 1] -= moved
        self.moves.clear()
