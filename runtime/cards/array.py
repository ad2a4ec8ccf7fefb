"""Arrays in the memory of a card, which other libraries take as they are."""

from typing import Any

import numpy as np

from lxc.runtime.cards import dlpack
from lxc.runtime.cards.order import DEFAULT, DEFAULT_BY_NUMBER, stream_of
from lxc.runtime.cards.store import Block, Store
from lxc.runtime.memory import Array, address

CPU = 1
NO_SYNC = -1


class CardArray:
    """An array in the memory of a card: contiguous, in C order.

    `numpy()` copies it to the host. PyTorch, CuPy, JAX and all that speak DLPack take it as
    it is, as do readers of `__cuda_array_interface__`.
    """

    def __init__(
        self,
        store: Store,
        owner: Any,
        place: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        is_read_only: bool = False,
    ) -> None:
        """View memory at the address `place`, which lives as long as `owner`.

        Memory of another library is read-only if that says so.
        """
        self.store, self.owner, self.address = store, owner, place
        self.shape, self.dtype, self.is_read_only = shape, dtype, is_read_only

    @property
    def block(self) -> Block | None:
        """The block it lies in, unless another library owns the memory."""
        return self.owner if isinstance(self.owner, Block) else None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return self.size * self.dtype.itemsize

    @property
    def writes(self) -> int | None:
        """How often it was written to; None where others can do that untold."""
        block = self.block
        return None if block is None or block.memory.may_change else block.memory.writes

    def numpy(self) -> Array:
        """Return a copy in the memory of the host, when the array is computed."""
        made: Array = np.empty(self.shape, self.dtype)
        if made.size:
            if self.block is not None:
                self.block.before_read(DEFAULT)
            library = self.store.library
            library.download(address(made), self.address, self.nbytes, DEFAULT)
            library.wait(DEFAULT)
            self.store.let_go()
        return made

    def lent(self, stream: int) -> None:
        """Let a stream of another library use the array from now on."""
        if self.block is not None:
            self.block.before_read(stream)
            self.block.lend()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return what `numpy` does, for NumPy's functions."""
        if copy is False:
            raise ValueError("the array lies on a card, so the host needs a copy")
        made = self.numpy()
        return made if dtype is None else made.astype(dtype)

    def __bool__(self) -> bool:
        """Return the truth of the one element."""
        return bool(self.numpy())

    def __len__(self) -> int:
        """Return the length of the first axis."""
        if not self.shape:
            raise TypeError("an array without axes has no length")
        return self.shape[0]

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return CUDA's number in DLPack, and that of the card."""
        return dlpack.CUDA, self.store.number

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a capsule that shares the memory, in order for the consumer's stream."""
        if dl_device is not None and dl_device != self.__dlpack_device__():
            if dl_device[0] != CPU or copy is False:
                raise BufferError(f"the array lies on card {self.store.number}")
            return self.numpy().__dlpack__(max_version=max_version)
        if copy:
            raise BufferError("the array is not copied on the card")
        if stream == 0:
            raise BufferError("stream 0 could be any default stream; 1 is meant, or 2")
        if stream != NO_SYNC:
            self.lent(stream_of(stream))
        elif self.block is not None:
            self.block.lend()
        return dlpack.capsule(self, self.store.number, max_version)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The description that Numba reads; the default stream is in order."""
        if self.dtype.kind not in "biuf":
            raise AttributeError(f"there is no name for {self.dtype} in this interface")
        self.lent(DEFAULT)
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address if self.size else 0, False),
            "strides": None,
            "stream": DEFAULT_BY_NUMBER,
        }

    def __repr__(self) -> str:
        """Show type and place."""
        shape = ", ".join(map(str, self.shape))
        return f"CardArray({self.dtype.name}[{shape}], card {self.store.number})"
