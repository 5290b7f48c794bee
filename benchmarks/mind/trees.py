"""The context trees in words after learning, in stages, to see whether they say what a person would say.

python benchmarks/mind/trees.py     # writes benchmarks/mind/trees.md; a few minutes
"""

from __future__ import annotations

import time
from pathlib import Path

from aixi_approx import make
from aixi_approx.introspection.context_trees import describe_trees
from aixi_approx.introspection.tree_growth import growth_between
from aixi_approx.viewer.growth import experience_of_learning, grow, stages

WORLDS = {"tiger": 25_000, "4x4-grid": 10_000, "biased-rps": 20_000}  # cycles of learning
STAGES = 5


def section(name: str, cycles: int) -> str:
    """Let an agent learn, and tell of its trees."""
    environment = make(name)
    experience = experience_of_learning(environment, settings=environment.settings, cycles=cycles)
    lines, before = [f"## {name}, {cycles:,} cycles", "", "```text"], None
    for tree in grow(experience, stages(cycles, STAGES)):
        lines.append(f"after {tree.cycle:,} cycles: {tree.leaves:,} leaves, {tree.bits / tree.cycle:.3g} bits a cycle")
        lines += [f"  {new}" for new in growth_between(before, tree).sentences()]
        before = tree
    began = time.perf_counter()
    told = describe_trees(experience.predictor, environment)
    print(f"{name}: describe_trees took {time.perf_counter() - began:.3f} s, {told.leaves:,} leaves", flush=True)
    return "\n".join([*lines, "", told.text(), "```", ""])


def main() -> None:
    """Write the page."""
    sections = [section(name, cycles) for name, cycles in WORLDS.items()]
    head = "# Context trees in words\n\nWritten by `python benchmarks/mind/trees.py`.\n"
    Path(__file__).with_suffix(".md").write_text("\n".join([head, *sections]))


if __name__ == "__main__":
    main()
