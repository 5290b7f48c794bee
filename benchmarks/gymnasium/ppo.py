"""A foreign agent in our environments: PPO of stable-baselines3, which knows nothing but Gymnasium.

    pip install stable-baselines3
    python benchmarks/gymnasium/ppo.py [--seeds 2]

It has no memory, so that it is shown the last observation and the last action, both as bits. Reward per greedy cycle
after learning, with the 95 % interval over seeds, beside the random agent and the best achievable.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import MultiBinary
from scipy.special import stdtrit
from stable_baselines3 import PPO

import aixi_approx.to_gymnasium  # noqa: F401  registers aixi/...
from aixi_approx import make

TASKS = {"aixi/BiasedRPS-v0": ("biased-rps", 30_000), "aixi/TicTacToe-v0": ("tic-tac-toe", 100_000)}
GREEDY = 5_000  # cycles


class Bits(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Shows the last observation and action as bits."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        spaces = (env.observation_space, env.action_space)
        self.widths = [(int(space.n) - 1).bit_length() for space in spaces]  # type: ignore[attr-defined]
        self.observation_space = MultiBinary(sum(self.widths))

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin anew."""
        observation, info = self.env.reset(**options)
        return self.bits(observation, 0), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action."""
        observation, *rest = self.env.step(int(action))
        return self.bits(observation, action), *rest

    def bits(self, *numbers: Any) -> np.ndarray:
        """Return numbers as bits."""
        pairs = zip(numbers, self.widths, strict=True)
        return np.array([int(n) >> i & 1 for n, width in pairs for i in range(width)], dtype=np.int8)


def ppo(name: str, cycles: int, seed: int) -> float:
    """Return the reward per greedy cycle of an agent that has learned for some cycles."""
    env = Bits(gymnasium.make(name))
    agent = PPO("MlpPolicy", env, gamma=0.9, n_steps=1024, seed=seed, device="cpu").learn(cycles)
    total = 0.0
    env = Bits(gymnasium.make(name, max_episode_steps=-1))
    shown, _ = env.reset(seed=1_000 + seed)
    for _ in range(GREEDY):
        action, _ = agent.predict(shown, deterministic=True)
        shown, reward, *_ = env.step(action)
        total += float(reward)
    return total / GREEDY


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=2)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    print("| environment | cycles | seconds | random | PPO | optimum |\n|---|--:|--:|--:|--:|--:|")
    for name, (ours, cycles) in TASKS.items():
        began = time.perf_counter()
        rewards = [ppo(name, cycles, seed) for seed in range(seeds)]
        half = stdtrit(seeds - 1, 0.975) * np.std(rewards, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.inf
        truth, seconds = make(ours), (time.perf_counter() - began) / seeds
        found = f"{np.mean(rewards):.3f} ± {half:.3f}"
        head = f"| {name} | {cycles:,} | {seconds:.0f} | {truth.random_reward:.3f}"
        print(f"{head} | {found} | {truth.optimum:.3f} |", flush=True)


if __name__ == "__main__":
    main()
