"""A foreign agent in our environments: tabular Q-learning that knows nothing but Gymnasium.

    python benchmarks/gymnasium/q_learning.py [--seeds 5]

Its state is the last observation, in biased-rps with the action before it. Reward per cycle of greedy cycles after
learning, with the 95 % interval over seeds, beside the random agent and the best achievable.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import gymnasium
import numpy as np
from scipy.special import stdtrit

import aixi_approx.to_gymnasium  # noqa: F401  registers aixi/...
from aixi_approx import make

TASKS = {  # ID: our name, cycles of learning, whether the state has the last action
    "aixi/BiasedRPS-v0": ("biased-rps", 100_000, True),
    "aixi/TicTacToe-v0": ("tic-tac-toe", 500_000, False),
}
GREEDY = 10_000  # cycles
DISCOUNT = 0.9


def q_learning(name: str, cycles: int, with_action: bool, seed: int) -> float:
    """Return the reward per greedy cycle of an agent that has learned for some cycles."""
    env = gymnasium.make(name, max_episode_steps=-1, disable_env_checker=True)
    actions = int(env.action_space.n)  # type: ignore[attr-defined]
    random = np.random.default_rng(seed)
    values: defaultdict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0] * actions)
    visits: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * actions)
    explore = random.random(cycles + GREEDY) < np.maximum(0.05, 1 - np.arange(cycles + GREEDY) / cycles)
    total = 0.0
    observation, _ = env.reset(seed=seed)
    state = (observation, 0)
    for cycle in range(cycles + GREEDY):
        here, learning = values[state], cycle < cycles
        greedy = max(range(actions), key=here.__getitem__)
        action = int(random.integers(actions)) if learning and explore[cycle] else greedy
        observation, reward, *_ = env.step(action)
        after = (observation, action if with_action else 0)
        if learning:
            visits[state][action] += 1
            rate = visits[state][action] ** -0.6
            here[action] += rate * (float(reward) + DISCOUNT * max(values[after]) - here[action])
        else:
            total += float(reward)
        state = after
    return total / GREEDY


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    print("| environment | cycles | random | Q-learning | optimum |\n|---|--:|--:|--:|--:|")
    for name, (ours, cycles, with_action) in TASKS.items():
        rewards = [q_learning(name, cycles, with_action, seed) for seed in range(seeds)]
        half = stdtrit(seeds - 1, 0.975) * np.std(rewards, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.inf
        truth = make(ours)
        found = f"{np.mean(rewards):.3f} ± {half:.3f}"
        print(f"| {name} | {cycles:,} | {truth.random_reward:.3f} | {found} | {truth.optimum:.3f} |", flush=True)


if __name__ == "__main__":
    main()
