"""Dinic's maximum flow in whole pieces, from many starts to many ends at once."""

from collections.abc import Iterable


class Network:
    """A flow network. Edges come in pairs: `cap[e]` is the room of edge `e`, `cap[e ^ 1]` the flow through it.

    `part` divides the nodes: no flow leaves its part. `moves` are the paths taken and the pieces along each, so that
    they can be undone. `visited` counts the nodes that searches looked at.
    """

    __slots__ = ("cap", "moves", "out", "part", "to", "visited")

    def __init__(self, nodes: int) -> None:
        self.to: list[int] = []
        self.cap: list[int] = []
        self.out: list[list[int]] = [[] for _ in range(nodes)]
        self.part = [0] * nodes
        self.moves: list[tuple[list[int], int]] = []
        self.visited = 0

    def add_edge(self, start: int, end: int, room: int, flow: int = 0) -> int:
        """Add an edge with `flow` pieces in it and `room` for more, and return its number."""
        edge = len(self.to)
        self.to += (end, start)
        self.cap += (room, flow)
        self.out[start].append(edge)
        self.out[end].append(edge + 1)
        return edge

    def push(self, excess: dict[int, int], room: dict[int, int], near: int | None = None) -> list[int]:
        """Move as much of `excess` to `room` as the network carries, and return the nodes that the rest can reach.

        Both are pieces by node of one part, and are lowered by the pieces moved. Without a rest, no node is returned.
        A search gives up after `near` nodes.
        """
        while True:
            starts = [node for node, qty in excess.items() if qty]
            if not starts:
                return []
            level, reached = self._levels(starts, room, near)
            self.visited += len(level)
            if not reached:
                return list(level)
            self._block(starts, level, excess, room)

    def _levels(self, starts: Iterable[int], room: dict[int, int], near: int | None) -> tuple[dict[int, int], bool]:
        """The distance of each node that a breadth-first search visits, and whether it reached room.

        The search ends at the distance of the first nodes with room.
        """
        to, cap, out, part = self.to, self.cap, self.out, self.part
        frontier = list(starts)
        level = dict.fromkeys(frontier, 1)
        part_of_starts = part[frontier[0]]
        ends = {node for node, qty in room.items() if qty}
        depth, reached = 1, False
        while frontier and not reached and (near is None or len(level) < near):
            depth += 1
            following: list[int] = []
            for node in frontier:
                for edge in out[node]:
                    if cap[edge]:
                        end = to[edge]
                        if end not in level and part[end] == part_of_starts:
                            level[end] = depth
                            following.append(end)
            reached = not ends.isdisjoint(following)
            frontier = following
        return level, reached

    def _block(
        self, starts: Iterable[int], level: dict[int, int], excess: dict[int, int], room: dict[int, int]
    ) -> None:
        """Fill every shortest path. A node without usable edges is a dead end for the rest of the phase."""
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
        """Undo all recorded moves."""
        for path, moved in self.moves:
            for edge in path:
                self.cap[edge] += moved
                self.cap[edge ^ 1] -= moved
        self.moves.clear()
