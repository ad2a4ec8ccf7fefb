"""Who reads what in a region, a graph or the body of a loop, and where readers meet."""

from collections.abc import Iterable, Sequence

import networkx

from lxc.ir.node import Node, Value, users
from lxc.passes.nodes import producers

EXIT = -1


class Flow:
    """The nodes of one region in order; `results` are the values that leave it.

    `meeting` maps a node to the one in which all of its readers come together again, its
    immediate post-dominator, if there is one.
    """

    def __init__(self, nodes: Sequence[Node], results: Iterable[Value]) -> None:
        """Find the makers, the readers and the meeting of every node."""
        self.nodes = list(nodes)
        self.results = set(results)
        self.made = producers(nodes)
        self.readers = users(nodes)
        self.position = {node: index for index, node in enumerate(nodes)}
        self.users = {node: self.find_users(node) for node in self.nodes}
        self.meeting = self.post_dominators()

    def post_dominators(self) -> dict[Node, Node]:
        """Return the node in which all readers of a node come together, if there is one."""
        flow = networkx.DiGraph()
        flow.add_node(EXIT)
        for node, index in self.position.items():
            flow.add_edges_from(
                (self.position[user], index) for user in self.users_of(node)
            )
            if self.is_stored(node) or not self.users_of(node):
                flow.add_edge(EXIT, index)
        meeting = networkx.immediate_dominators(flow, EXIT)
        return {
            node: self.nodes[meeting[index]]
            for node, index in self.position.items()
            if meeting[index] != EXIT
        }

    def users_of(self, node: Node) -> list[Node]:
        """Return the nodes that read a result of `node`, in order."""
        return self.users[node]

    def find_users(self, node: Node) -> list[Node]:
        """Return what `users_of` says."""
        found = {
            user: None for value in node.results for user in self.readers.get(value, ())
        }
        return self.in_order(found)

    def is_stored(self, node: Node) -> bool:
        """Return whether a result of `node` leaves the region."""
        return any(value in self.results for value in node.results)

    def between(self, start: Node, end: Node) -> list[Node]:
        """Return the nodes on the ways from `start` to `end`, with `end`, in order."""
        found: dict[Node, None] = {}
        pending = [start]
        while pending:
            for user in self.users_of(pending.pop()):
                if user not in found:
                    found[user] = None
                    if user is not end:
                        pending.append(user)
        return self.in_order(found)

    def in_order(self, nodes: Iterable[Node]) -> list[Node]:
        """Return nodes in the order of the region."""
        return sorted(nodes, key=lambda node: self.position[node])
