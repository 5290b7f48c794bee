"""Time one search of pyaixi, the pure Python MC-AIXI-CTW, and print it as one line of JSON.

    python benchmarks/speed/peer_pyaixi.py ENVIRONMENT DEPTH HORIZON SIMULATIONS EXPERIENCE

Run it with any interpreter that has pyaixi installed; aixi_approx is not imported. pyaixi is measured as it is
shipped, faults and all. It pads no number it encodes, so its real history is shorter than the paper's and its search
rarely returns to the history it started from; a simulation still samples the horizon's percepts at full width.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import types
from importlib import import_module, metadata
from typing import Any

GRID = {
    "maze-num-rows": 4,
    "maze-num-cols": 4,
    **{f"maze-layout{row}": cells for row, cells in enumerate(("****", "****", "****", "***!"), start=1)},
    **{f"maze-rewards{row}": rewards for row, rewards in enumerate(("0,0,0,0",) * 3 + ("0,0,0,1",), start=1)},
    "maze-observation-encoding": "uninformative",
}
CHEESE_MAZE = {
    "maze-num-rows": 5,
    "maze-num-cols": 7,
    "maze-layout1": "@@@@@@@",
    "maze-layout2": "@*****@",
    "maze-layout3": "@*@*@*@",
    "maze-layout4": "@*@!@*@",
    "maze-layout5": "@@@@@@@",
    "maze-rewards1": "0,0,0,0,0,0,0",
    "maze-rewards2": "0,9,9,9,9,9,0",
    "maze-rewards3": "0,9,0,9,0,9,0",
    "maze-rewards4": "0,9,0,20,0,9,0",
    "maze-rewards5": "0,0,0,0,0,0,0",
    "maze-observation-encoding": "walls",
}
# Our name: pyaixi's module, its class and the options of pyaixi's own configuration files.
# The 1d-maze is missing: pyaixi's mazes have four actions, the paper's has two.
ENVIRONMENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "tiger": ("tiger", "Tiger", {}),
    "extended-tiger": ("extended_tiger", "ExtendedTiger", {}),
    "biased-rps": ("rock_paper_scissors", "RockPaperScissors", {}),
    "kuhn-poker": ("kuhn_poker", "KuhnPoker", {}),
    "cheese-maze": ("maze", "Maze", CHEESE_MAZE),
    "grid": ("maze", "Maze", GRID),
}


def provide_six() -> None:
    """Stand in for six, which pyaixi imports (only ``six.moves.xrange``) without declaring it."""
    try:
        import_module("six")
    except ImportError:
        six, moves = types.ModuleType("six"), types.ModuleType("six.moves")
        six.moves, moves.xrange = moves, range  # type: ignore[attr-defined]
        sys.modules.update({"six": six, "six.moves": moves})


def experienced_agent(environment: str, depth: int, horizon: int, simulations: int, experience: int) -> Any:
    """Return a pyaixi agent that has lived random cycles and is about to act.

    Parameters
    ----------
    environment
        One of `ENVIRONMENTS`.
    depth
        Depth of the context tree, in bits.
    horizon
        Cycles a simulation looks ahead.
    simulations
        Simulations of one search.
    experience
        Random cycles lived, all of them learnt from.
    """
    module, name, settings = ENVIRONMENTS[environment]
    world = getattr(import_module(f"pyaixi.environments.{module}"), name)(options=dict(settings))
    agent = import_module("pyaixi.agents.mc_aixi_ctw").MC_AIXI_CTW_Agent(
        environment=world, options={"ct-depth": depth, "agent-horizon": horizon, "mc-simulations": simulations}
    )
    agent.model_update_percept(world.observation, world.reward)
    for _ in range(experience):
        action = agent.generate_random_action()
        world.perform_action(action)
        agent.model_update_action(action)
        agent.model_update_percept(world.observation, world.reward)
    return agent


def main() -> int:
    """Measure what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(description="Time one search of pyaixi.")
    parser.add_argument("environment", help=", ".join(ENVIRONMENTS))
    for number in ("depth", "horizon", "simulations", "experience"):
        parser.add_argument(number, type=int)
    work = vars(parser.parse_args())
    if work["environment"] not in ENVIRONMENTS:
        print(f"pyaixi has no {work['environment']}; it has {', '.join(ENVIRONMENTS)}", file=sys.stderr)
        return 2

    random.seed(0)
    provide_six()
    agent = experienced_agent(**work)
    start = time.process_time()
    agent.search()
    seconds = time.process_time() - start
    speed = {"seconds": seconds, "simulations_per_second": work["simulations"] / seconds}
    print(json.dumps({"peer": "pyaixi", **work, **speed, "version": metadata.version("pyaixi")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
