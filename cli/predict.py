"""`aixi predict`: how well context-tree weighting predicts a file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from aixi_approx.cli.options import as_json, at_least, print_json
from aixi_approx.display.words import size
from aixi_approx.experiments.progress import terminal_bar

CHUNK = 1 << 11  # bytes learned between two looks at the clock, and at Ctrl-C: some hundredths of a second


@click.command("predict", short_help="Predict a file; print its code length.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--depth", type=at_least(1), default=48, show_default=True, help="Bits of context.")
@click.option(
    "--trees",
    type=click.Choice(["1", "8"]),
    default="8",
    show_default=True,
    help="One tree over the stream of bits, or one for each bit of a byte.",
)
@click.option(
    "--bit-order",
    type=click.Choice(["msb", "lsb"]),
    default="msb",
    show_default=True,
    help="Which bit of a byte comes first: the highest or the lowest.",
)
@as_json
def command(file: Path, depth: int, trees: str, bit_order: str, as_json: bool) -> None:
    """Predict FILE bit by bit, learning as it goes, and print its code length in bits per byte.

    The code length is the sum of -log2 P(bit), what an arithmetic coder with this predictor would need; a file
    of random bytes needs 8 bits per byte. Whole files are held in memory, up to 2^28 bytes of them.

    \b
    Examples:
      aixi predict README.md
      aixi predict README.md --depth 96 --trees 1 --bit-order lsb --json
    """
    import numpy as np

    from aixi_approx.predictors.context_tree import FactoredContextTree

    tree = FactoredContextTree(depth, 0, int(trees))
    most = tree.room // 8
    with file.open("rb") as source:
        data = source.read(most + 1)
    if not data:
        raise click.ClickException(f"{file} is empty: there is nothing to predict")
    if len(data) > most:
        raise click.ClickException(f"{file} has more than {most:,} bytes, which is what fits: predict a part of it")
    order = {"msb": "big", "lsb": "little"}[bit_order]
    code_length = 0.0
    began = time.perf_counter()
    with terminal_bar("{task.fields[loss]:.3f} bits/byte", "{task.fields[speed]:,.0f} ns/bit") as bar:
        task = bar.add_task(file.name, total=len(data), loss=8.0, speed=0.0)
        for start in range(0, len(data), CHUNK):
            chunk = np.frombuffer(data[start : start + CHUNK], np.uint8)
            code_length += tree.learn(np.unpackbits(chunk, bitorder=order))  # type: ignore[call-overload]
            done = start + len(chunk)
            speed = (time.perf_counter() - began) / (8 * done) * 1e9
            bar.update(task, completed=done, loss=code_length / done, speed=speed)
    seconds = time.perf_counter() - began
    result = {
        "file": str(file),
        "bytes": len(data),
        "depth": depth,
        "trees": int(trees),
        "bit_order": bit_order,
        "code_length": code_length,
        "bits_per_byte": code_length / len(data),
        "nodes": tree.nodes,
        "memory": tree.memory,
        "seconds": seconds,
        "nanoseconds_per_bit": seconds / (8 * len(data)) * 1e9,
    }
    if as_json:
        print_json(result)
        return
    coded = f"{code_length / 8:,.0f} bytes, {result['bits_per_byte']:.4f} bits per byte"
    print(f"{file}: {len(data):,} bytes, predicted in {coded}")
    print(
        f"{tree.nodes:,} nodes, {size(tree.memory)}, {seconds:.2f} s, {result['nanoseconds_per_bit']:.0f} ns per bit; "
        f"depth {depth}, {trees} tree{'s' * (trees != '1')}"
    )
