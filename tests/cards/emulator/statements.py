"""Statements of the loop language, as what a block of threads does."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from lxc.targets.tvm_api import Buffer, Expr, Stmt
from lxc.targets.tvm_grid import SHARED
from tests.cards.emulator.block import Block
from tests.cards.emulator.calls import Addresses
from tests.cards.emulator.expressions import Compute, Expressions
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.memory import Array, Memory

Act = Callable[[Block], None]


class Statements:
    """Makes functions of statements; `extents` are the numbers of blocks and threads."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions, self.names = expressions, expressions.names
        self.extents: dict[str, tuple[int, Compute]] = {}
        self.has_shared_memory = False

    def act(self, statement: Stmt) -> Act:
        """Return a function that executes a statement for all active threads."""
        made: Act = getattr(self, f"act_{type(statement).__name__.lower()}")(statement)
        return made

    def act_seqstmt(self, node: Stmt) -> Act:
        parts = [self.act(part) for part in node.seq]

        def act(block: Block) -> None:
            for part in parts:
                part(block)

        return act

    def act_attrstmt(self, node: Stmt) -> Act:
        if node.attr_key == "thread_extent":
            number = self.names.number(node.node.var)
            extent = self.expressions.compute(node.value)
            self.extents[node.node.thread_tag] = (number, extent)
        return self.act(node.body)

    def act_evaluate(self, node: Stmt) -> Act:
        value = self.expressions.compute(node.value)

        def act(block: Block) -> None:
            value(block)

        return act

    def act_bind(self, node: Stmt) -> Act:
        number, value = self.names.number(node.var), self.expressions.compute(node.value)

        def act(block: Block) -> None:
            block.values[number] = value(block)

        return act

    def act_bufferstore(self, node: Stmt) -> Act:
        number, index = self.names.number(node.buffer), self.expressions.index(node)
        value = self.expressions.compute(node.value)

        def act(block: Block) -> None:
            stored = value(block)
            block.values[number].store(block, index(block), stored)

        return act

    def act_ifthenelse(self, node: Stmt) -> Act:
        condition = self.expressions.compute(node.condition)
        then = self.act(node.then_case)
        otherwise = None if node.else_case is None else self.act(node.else_case)

        def act(block: Block) -> None:
            holds = condition(block)
            with block.only(holds) as any_thread:
                if any_thread:
                    then(block)
            with block.only(~holds) as any_thread:
                if any_thread and otherwise:
                    otherwise(block)

        return act

    def act_for(self, node: Stmt) -> Act:
        number, body = self.names.number(node.loop_var), self.act(node.body)
        first, extent = (self.expressions.compute(part) for part in (node.min, node.extent))
        step = None if node.step is None else self.expressions.compute(node.step)

        def act(block: Block) -> None:
            counter = first(block)
            stop = counter + extent(block)
            by = counter.dtype.type(1) if step is None else step(block)
            while True:
                with block.only(counter < stop) as any_thread:
                    if not any_thread:
                        return
                    block.values[number] = counter
                    body(block)
                counter = counter + by

        return act

    def act_while(self, node: Stmt) -> Act:
        condition, body = self.expressions.compute(node.condition), self.act(node.body)

        def act(block: Block) -> None:
            with block.only(np.ones((1, 1), bool)):
                while True:
                    holds = np.broadcast_to(condition(block), (block.threads, 1))
                    block.rows = block.rows[holds[block.rows, 0]]
                    if not block.rows.size:
                        return
                    body(block)

        return act

    def act_declbuffer(self, node: Stmt) -> Act:
        number, data = self.names.number(node.buffer), self.expressions.compute(node.data)
        dtype, count = self.layout(node.buffer)

        def act(block: Block) -> None:
            start: Addresses = data(block)
            first = start.array
            at = start.numbers() - first.memory.address
            elements = int(count(block))
            if int(at.max()) + elements * dtype.itemsize > first.memory.content.size:
                raise Fault("bounds", f"{node.buffer.name} is larger than its memory")
            name = str(node.buffer.name)
            block.values[number] = Array(name, first.memory, at, dtype, elements)

        return act

    def act_allocbuffer(self, node: Stmt) -> Act:
        number, name = self.names.number(node.buffer), str(node.buffer.name)
        scope = str(node.buffer.ty.storage_scope)
        if scope == SHARED and self.has_shared_memory:
            raise Fault("overlap", f"{name} begins where other shared memory begins")
        self.has_shared_memory |= scope == SHARED
        shared = scope.startswith("shared")
        dtype, count = self.layout(node.buffer)

        def act(block: Block) -> None:
            elements = int(count(block))
            size = elements * dtype.itemsize
            owners = 1 if shared else block.threads
            content = np.zeros(owners * size, np.uint8)
            memory = Memory(name, content, written=False, shared=shared)
            starts = np.arange(owners)[:, None] * size
            block.values[number] = Array(name, memory, starts, dtype, elements)

        return act

    def layout(self, buffer: Buffer) -> tuple[np.dtype[Any], Callable[[Block], Any]]:
        """Return the element type of an array and the function that computes its size."""
        sizes: list[Expr] = [self.expressions.compute(extent) for extent in buffer.ty.shape]
        dtype = np.dtype(str(buffer.ty.dtype))
        return dtype, lambda block: prod(int(size(block)[0, 0]) for size in sizes)
