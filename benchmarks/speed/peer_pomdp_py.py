"""Time searches of pomdp_py on its own Tiger, and print simulations per second and their length as a line of JSON.

    python benchmarks/speed/peer_pomdp_py.py HORIZON SIMULATIONS REPEATS

Run it with any interpreter that has pomdp-py installed; aixi_approx is not imported. The planner is POUCT, which is
given the true environment and the exact belief, as AImu is; rollouts are random and nothing is discounted. With
max_depth m a simulation of pomdp_py takes m steps if it ends in a rollout and m + 1 if it ends in the tree, so that
steps are counted, in a search of their own.
"""

from __future__ import annotations

import json
import random
import sys
import time
from importlib import metadata
from statistics import median

import pomdp_py
from pomdp_py.problems.tiger.tiger_problem import TransitionModel, make_tiger


def plan(horizon: int, simulations: int) -> float:
    """Search once from nothing; return seconds of CPU time."""
    tiger = make_tiger()
    planner = pomdp_py.POUCT(
        max_depth=horizon,
        discount_factor=1.0,
        num_sims=simulations,
        exploration_const=2**0.5 * horizon * 110,
        rollout_policy=tiger.agent.policy_model,
    )
    began = time.process_time()
    planner.plan(tiger.agent)
    return time.process_time() - began


def steps(horizon: int, simulations: int) -> float:
    """Return the steps of a simulation, counted."""
    count, sample = 0, TransitionModel.sample

    def counted(self: TransitionModel, state: object, action: object) -> object:
        nonlocal count
        count += 1
        return sample(self, state, action)

    TransitionModel.sample = counted
    plan(horizon, simulations)
    TransitionModel.sample = sample
    return count / simulations


def main() -> None:
    """Time searches and print one line."""
    horizon, simulations, repeats = (int(argument) for argument in sys.argv[1:])
    random.seed(0)
    rate = median(simulations / plan(horizon, simulations) for _ in range(repeats))
    length = steps(horizon, simulations)
    print(json.dumps({"version": metadata.version("pomdp-py"), "simulations_per_second": rate, "steps": length}))


if __name__ == "__main__":
    main()
