"""Context-tree weighting as a predictor: one binary context tree, or one for each bit of a percept.

CTW (Willems, Shtarkov, Tjalkens 1995) mixes the KT estimators of all context trees up to a depth, each tree M
weighted 2^-Gamma(M). The factored form (FAC-CTW; Veness et al., JAIR 2011, section 5.9) gives every percept bit a
tree of its own, so that contexts of different bit positions never coincide.

What CTW loses is bounded. Its code length is at most that of any one context tree, Gamma(M) included, and in each
leaf of a tree KT loses at most 1/2 log2 n + 1 bits to the best fixed parameter (theorem 2 of the same authors):
`FactoredContextTree.best_tree` says what this comes to on the history that was learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aixi_approx._context_tree import ContextTreeKernel
from aixi_approx.archive import kept_attributes, restore_attributes
from aixi_approx.coding import Bits
from aixi_approx.environment import Environment
from aixi_approx.predictor import DERIVED, Predictor, Statistics
from aixi_approx.predictor_abi import Addresses
from aixi_approx.validation import as_integer

MAX_DEPTH = 1 << 20
GIVEN = ("depth", "action_bits", "percept_bits")  # attributes that never change


class Work(NamedTuple):
    """What a predictor has done since it was made, in operations: the same on every machine.

    A revert takes none of it back: it counts work, not state.

    Attributes
    ----------
    bits
        Bits predicted, and bits learned; one that is predicted and then learned counts twice, one that is only
        appended not at all.
    nodes
        Nodes at which two predictions were mixed for these bits: the root, and below it the branching nodes on the
        path of each bit, with the one at which its context leaves those that were learned.
    """

    bits: int
    nodes: int


class BestTree(NamedTuple):
    """The context trees that are best in hindsight, one for each percept bit, summed up.

    The best tree M of a percept bit has the shortest code for the bits that were learned: Gamma(M), and the code
    length of KT in each leaf. Gamma(M) is one bit for each node of M that was visited, but those at full depth; nodes
    that were not visited cost nothing, as in CTW, whose weights below such a node add up to one. So

        log loss of CTW  <=  bits  <=  fixed + allowance

    Attributes
    ----------
    leaves
        Leaves that were visited. Of trees with equal codes the smaller counts.
    bits
        The shortest code length, in bits.
    fixed
        Code length with the best fixed parameters in the leaves, bits: the sum of n H(ones / n), without Gamma.
    allowance
        What theory allows CTW to lose to `fixed`, bits: Gamma(M) and 1/2 log2 n + 1 for each visited leaf (Willems,
        Shtarkov, Tjalkens 1995, theorem 2).
    """

    leaves: int
    bits: float
    fixed: float
    allowance: float


class BestNodes(NamedTuple):
    """The nodes of the best context trees that were visited, but for those between which there is no choice.

    A node in whose context only one value of the next bit of context was ever seen branches nothing; it is part of the
    chain above a node that does, or of a leaf. Parents stand before their children. With the code length of KT in the
    leaves, Gamma gives the code length of the trees: `BestTree.bits` is the sum of `bits` over the leaves and of
    `gamma` over all nodes.

    Attributes
    ----------
    tree : int64[n]
        Percept bit that the tree of the node predicts, 0 to percept_bits - 1.
    parent : int64[n]
        Number of the node above, or -1 for the uppermost of a tree.
    side : int64[n]
        Bit of context, at the place that the parent looks at, that leads to the node; 0 where there is no parent.
    looks_at : int64[n]
        Bit of context that the node branches by, 0 being the last bit of the history; -1 in a leaf.
    zeros, ones : int64[n]
        Bits learned here.
    bits : float64[n]
        Code length of KT for these, bits.
    gamma : int64[n]
        Bits of Gamma for the node and the chain above it.
    """

    tree: NDArray[np.int64]
    parent: NDArray[np.int64]
    side: NDArray[np.int64]
    looks_at: NDArray[np.int64]
    zeros: NDArray[np.int64]
    ones: NDArray[np.int64]
    bits: NDArray[np.float64]
    gamma: NDArray[np.int64]


WHOLE = ("tree", "parent", "side", "looks_at", "gamma", "zeros", "ones")  # numbers of a node, after its bits
CHOSEN = np.dtype([("bits", np.float64), *((name, np.int64) for name in WHOLE)])  # `Chosen` of the kernel


class FactoredContextTree(Predictor):
    """FAC-CTW: tree i predicts percept bit i from the last `depth` bits of the history.

    The history before the first bit reads as zeros, and every tree has the same depth, as in the agent that the
    authors of JAIR 2011 released. The cost of a bit grows with the number of branching nodes on its path and not with
    the depth, but for comparing depth / 64 words; a bit takes at most one node of 32 bytes.

    Parameters
    ----------
    depth
        Bits of context, 1 to 2^20.
    action_bits
        Bits at the start of each cycle that are context only; may be 0.
    percept_bits
        Bits of each cycle that are predicted, one tree each; at least 1.
    most_memory
        That it may take, if bounded: an eighth of them for the history, the rest for nodes. When there is no room for
        another node the trees stop growing; what they have goes on learning, and whatever needs a node of its own is
        predicted as if it came for the first time.

    Raises
    ------
    ValueError
        For a depth or number of bits out of range; from `update` and `predict` where an action bit comes next.
    MemoryError
        Where memory or the 2^31 bits of history run out. The bit in question has changed nothing then; `learn` says
        how many bits it learned before.
    """

    independent_bits = True
    options = ("depth", "most_memory")

    def __init__(self, depth: int, action_bits: int, percept_bits: int, *, most_memory: int | None = None) -> None:
        self.depth = as_integer("depth", depth, 1, MAX_DEPTH)
        self.action_bits = as_integer("action_bits", action_bits, 0, MAX_DEPTH)
        self.percept_bits = as_integer("percept_bits", percept_bits, 1, MAX_DEPTH)
        self._kernel = ContextTreeKernel(self.depth, self.action_bits, self.percept_bits)
        if most_memory is not None:
            self._kernel.limit(most_memory)

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new predictor for an environment."""
        coding = environment.coding
        depth = options.pop("depth", environment.settings.depth)
        return cls(depth, coding.action_bits, coding.percept_bits, **options)

    @property
    def length(self) -> int:
        """Bits in the history."""
        return int(self._kernel.length)

    @property
    def room(self) -> int:
        """Bits that the history can still take."""
        return int(self._kernel.room)

    @property
    def nodes(self) -> int:
        """Stored nodes of all trees. Most nodes of a context tree lie on unary chains and are not stored."""
        return int(self._kernel.nodes)

    @property
    def full(self) -> bool:
        """Whether the trees have stopped growing, because of `most_memory`."""
        return bool(self._kernel.full)

    @property
    def memory(self) -> int:
        """Bytes that the nodes and the history take."""
        return int(self._kernel.memory)

    @property
    def work(self) -> Work:
        """Work that predicting and learning have taken so far."""
        return Work(*self._kernel.work)

    @property
    def addresses(self) -> Addresses:
        """Addresses of the compiled operations."""
        return Addresses(*self._kernel.addresses)

    def predict(self) -> float:
        """Return P(next percept bit = 1)."""
        self._refuse_action_bit()
        return float(self._kernel.predict())

    def update(self, bit: int) -> float:
        """Learn the next percept bit; return the probability it had."""
        self._refuse_action_bit()
        return self._checked(self._kernel.update(_bit(bit)))

    def append(self, bit: int) -> None:
        """Append a bit to the history without learning it."""
        self._checked(self._kernel.append(_bit(bit)))

    def mark(self) -> int:
        """Remember this point; return its number."""
        return int(self._checked(self._kernel.mark()))

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        if self._kernel.revert(mark) < 0:
            raise ValueError(f"there is no mark {mark}: it was never set, or something was reverted to it or before it")

    def learn(self, cycle: ArrayLike) -> float:
        """Append the action bits, learn the percept bits of any stretch of history; return the log loss in bits."""
        bits = _bits(cycle)
        if len(bits) > self.room:
            raise MemoryError(f"{len(bits)} bits do not fit: the history has room for {self.room} more")
        loss, taken = self._kernel.learn(bits)
        if taken < len(bits):
            raise MemoryError(f"no memory for more than {self.nodes} nodes; {taken} of {len(bits)} bits were learned")
        return float(loss)

    def best_tree(self) -> BestTree:
        """Return the context trees that are best in hindsight, by context-tree maximising (Volf, Willems 1994).

        The time is that of one pass over the stored nodes.
        """
        return BestTree(*self._kernel.best_tree())

    def best_nodes(self) -> BestNodes:
        """Return the nodes of the trees that `best_tree` sums up. The time is that of one pass over the stored nodes.

        Examples
        --------
        >>> tree = ContextTree(depth=8)
        >>> loss = tree.learn([1, 0] * 100)
        >>> nodes = tree.best_nodes()             # the last bit decides: after 0 comes 1, and after 1 comes 0
        >>> nodes.looks_at.tolist(), nodes.zeros.tolist(), nodes.ones.tolist()
        ([0, -1, -1], [100, 0, 100], [100, 100, 0])
        """
        chosen = np.frombuffer(self._kernel.best_nodes(), CHOSEN)
        return BestNodes(**{name: np.ascontiguousarray(chosen[name]) for name in BestNodes._fields})

    def history(self) -> Bits:
        """Return the bits of the history, uint8[length]."""
        return np.frombuffer(self._kernel.history(), np.uint8)

    def copy(self) -> Self:
        """Return a predictor of its own in the same state. It has no marks, and its work begins at 0.

        Searches that run side by side need one each.
        """
        other = object.__new__(type(self))
        vars(other).update(vars(self), _kernel=self._kernel.copy())
        return other

    def statistics(self) -> Statistics:
        """Return the stored nodes, their bytes, and the work done so far."""
        return Statistics(self.nodes, self.memory, *self.work)

    def keep(self) -> dict[str, Any]:
        """Return all that it knows. The arrays are views, true until something is changed.

        Raises
        ------
        ValueError
            If there are marks.
        """
        return kept_attributes(self, *GIVEN, *DERIVED)

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned; ValueError if it is that of another kind of predictor."""
        restore_attributes(self, kept, *GIVEN, *DERIVED)

    def snapshot(self) -> bytes:
        """Return the state that all predictions follow from, as bytes; marks and work are no part of it."""
        return bytes(self._kernel.snapshot())

    def _refuse_action_bit(self) -> None:
        if self._kernel.in_action:
            raise ValueError("the next bit is an action bit: it is appended, not predicted")

    def _checked(self, answer: float) -> float:
        if answer < 0:
            raise MemoryError(f"no memory for one more bit, after {self.length} bits and {self.nodes} nodes")
        return answer


class ContextTree(FactoredContextTree):
    """Plain CTW: one context tree that predicts every bit of a sequence.

    Parameters
    ----------
    depth
        Bits of context, 1 to 2^20.

    Examples
    --------
    >>> tree = ContextTree(depth=8)
    >>> round(tree.learn([0, 1] * 100), 1)   # bits for 200 bits of a pattern
    13.7
    >>> tree.predict() < 0.01                # after ...0, 1 comes 0
    True
    """

    def __init__(self, depth: int) -> None:
        super().__init__(depth, 0, 1)


def _bit(bit: int) -> int:
    if bit not in (0, 1):
        raise ValueError(f"{bit!r} is not a bit")
    return int(bit)


def _bits(bits: ArrayLike) -> Bits:
    array = np.asarray(bits)
    if array.dtype != np.uint8 and np.isin(array, (0, 1)).all():
        array = array.astype(np.uint8)
    if array.ndim != 1 or array.dtype != np.uint8 or array.max(initial=0) > 1:
        raise ValueError("bits are a sequence of zeros and ones")
    return np.ascontiguousarray(array)
