"""The context tree against a slow, independent one, in bulk: predictions, exact undo, memory.

    python benchmarks/trust/oracle.py                           # a million of each: about a minute
    python benchmarks/trust/oracle.py 100e6 10e6 10e6           # bits, round trips, undone simulations

The oracle has every node of the full tree in an array, and at each the logarithm of the odds of stopping there, from
Pe and the product of the children's Pw as they are: no chains, no shifts, no cut-offs. Bits come in blocks, each with
trees, sizes and a source of its own: coins, Markov chains, repeated words, and sources that change their nature in the
middle, which send the odds far away and back.

The exit code is 1 if a probability differs by more than 1e-9, a round trip changes the snapshot, or memory grows.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numba import njit

from aixi_approx.predictor_abi import APPEND, MARK, REVERT, STATE, UPDATE, call_operation
from aixi_approx.predictors.context_tree import FactoredContextTree

BLOCK = 500_000  # bits: long enough for odds of 2^(+-100,000)
SHAPES = [(8, 0, 1), (12, 2, 3), (16, 0, 2), (16, 3, 4), (10, 7, 1), (14, 1, 8)]  # depth, bits of action and percept
TOLERANCE = 1e-9
GROWTH = 1 << 20  # bytes: what the system itself may take in between


@njit
def slow(bits, depth, action_bits, percept_bits):  # type: ignore[no-untyped-def]
    """Return the probability that the full trees give to each bit, 0 for bits of action."""
    size = 1 << (depth + 1)
    counts = np.zeros((percept_bits, size, 2))
    odds = np.zeros((percept_bits, size))  # ln(Pe / (Pw(0s) Pw(1s)))
    path, found = np.zeros(depth + 1, np.int64), np.zeros(len(bits))
    for i, bit in enumerate(bits):
        phase = i % (action_bits + percept_bits)
        if phase < action_bits:
            continue
        tree, node = phase - action_bits, 1
        path[0] = node
        for d in range(depth):
            node = 2 * node + (bits[i - 1 - d] if i - 1 - d >= 0 else 0)
            path[d + 1] = node
        p = 0.0
        for d in range(depth, -1, -1):
            node = path[d]
            count = counts[tree, node]
            pe = (count[bit] + 0.5) / (count[0] + count[1] + 1.0)
            if d == depth:
                p = pe
            else:
                below = p
                stop = 1.0 / (1.0 + np.exp(-odds[tree, node]))
                p = stop * pe + (1.0 - stop) * below if odds[tree, node] < 0.0 else below + stop * (pe - below)
                odds[tree, node] += np.log(pe) - np.log(below)
            count[bit] += 1.0
        found[i] = p
    return found


@njit
def fast(addresses, bits, action_bits, cycle_bits):  # type: ignore[no-untyped-def]
    """Return the probability that the kernel gives to each bit, 0 for bits of action."""
    found = np.zeros(len(bits))
    for i, bit in enumerate(bits):
        operation = APPEND if i % cycle_bits < action_bits else UPDATE
        found[i] = call_operation(addresses[operation], addresses[STATE], bit)
    return found


@njit
def undone(addresses, trips, most, action_bits, cycle_bits, random):  # type: ignore[no-untyped-def]
    """Imagine up to `most` random cycles and undo them, again and again; now and then with a mark in between."""
    state = addresses[STATE]
    for _ in range(trips):
        mark = int(call_operation(addresses[MARK], state, 0))
        for cycle in range(random.integers(1, most + 1)):
            if cycle and random.integers(0, 4) == 0:
                call_operation(addresses[MARK], state, 0)
            for phase in range(cycle_bits):
                bit = random.integers(0, 2)
                call_operation(addresses[APPEND if phase < action_bits else UPDATE], state, bit)
        if call_operation(addresses[REVERT], state, mark) < 0.0:
            return False
    return True


def block(random: np.random.Generator, length: int) -> np.ndarray:
    """Return bits of a few sources, one after the other."""
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < length:
        size = int(length * random.choice([0.02, 0.1, 0.3, 1.0]))
        kind = random.integers(4)
        if kind == 0:
            part = random.random(size) < random.choice([0.5, 0.9, 0.999])
        elif kind == 1:
            part = np.resize(random.integers(2, size=random.integers(1, 40)), size)
        elif kind == 2:
            part = np.cumsum(random.random(size) < 0.1) % 2
        else:
            part = np.resize(random.integers(2, size=97), size) ^ (random.random(size) < 0.01)
        parts.append(part.astype(np.int64))
    return np.concatenate(parts)[:length]


def resident() -> int:
    """Return the memory of this process that is in use, in bytes (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def compare(bits: int) -> bool:
    """Compare predictions; print the worst difference after each tenth."""
    worst, ratio, done, began = 0.0, 0.0, 0, time.perf_counter()
    said = bits / 10
    while done < bits:
        number = done // BLOCK
        shape = depth, action_bits, percept_bits = SHAPES[number % len(SHAPES)]
        data = block(np.random.default_rng(number), min(BLOCK, bits - done))
        tree = FactoredContextTree(*shape)
        ours = fast(tree.addresses.array(), data, action_bits, action_bits + percept_bits)
        theirs = slow(data, depth, action_bits, percept_bits)
        worst = max(worst, float(np.abs(ours - theirs).max()))
        learned = theirs > 0
        ratio = max(ratio, float(np.abs(ours[learned] / theirs[learned] - 1).max()))
        done += len(data)
        if done >= said or done == bits:
            said += bits / 10
            seconds = time.perf_counter() - began
            print(
                f"{done:13,} bits: worst difference {worst:.1e}, of the ratio {ratio:.1e}; {seconds:.0f} s", flush=True
            )
    return worst < TOLERANCE


def learned_tree(cycles: int) -> tuple[FactoredContextTree, int, int]:
    """Return a tree with some history, and the bits of its cycle."""
    _, action_bits, percept_bits = shape = (40, 2, 5)
    tree = FactoredContextTree(*shape)
    tree.learn(block(np.random.default_rng(1), cycles * (action_bits + percept_bits)))
    return tree, action_bits, action_bits + percept_bits


def round_trips(trips: int) -> bool:
    """Undo short imaginations; the state has to be the same, byte for byte."""
    tree, action_bits, cycle_bits = learned_tree(20_000)
    before, began = tree.snapshot(), time.perf_counter()
    random = np.random.default_rng(2)
    same = undone(tree.addresses.array(), trips, 3, action_bits, cycle_bits, random) and tree.snapshot() == before
    print(f"{trips:13,} round trips: {'the same' if same else 'ANOTHER'} snapshot; {time.perf_counter() - began:.0f} s")
    return same


def growth(simulations: int) -> bool:
    """Undo simulations of a usual length; after the first hundredth, memory has to stay as it is."""
    tree, action_bits, cycle_bits = learned_tree(20_000)
    addresses, random, began = tree.addresses.array(), np.random.default_rng(3), time.perf_counter()
    undone(addresses, simulations // 100, 6, action_bits, cycle_bits, random)
    before, nodes = resident(), tree.nodes
    undone(addresses, simulations, 6, action_bits, cycle_bits, random)
    grown, more = resident() - before, tree.nodes - nodes
    seconds = time.perf_counter() - began
    print(f"{simulations:13,} undone simulations: {grown:,} bytes more memory, {more} more nodes; {seconds:.0f} s")
    return grown <= GROWTH and not more


def main() -> None:
    """Run all three; the exit code says whether all is well."""
    given = [int(float(each)) for each in sys.argv[1:]]
    bits, trips, simulations = [*given, *[1_000_000] * 3][:3]
    well = [compare(bits), round_trips(trips), growth(simulations)]
    sys.exit(not all(well))


if __name__ == "__main__":
    main()
