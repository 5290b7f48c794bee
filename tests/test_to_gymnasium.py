"""Our environments as Gymnasium's: its own checker has nothing to say, and they do what they do here."""

from __future__ import annotations

import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import aixi_approx.to_gymnasium
from aixi_approx import make
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import ENVIRONMENTS

IDS = {f"aixi/{home.partition(':')[2]}-v0": name for name, home in ENVIRONMENTS.items()}


def test_all_are_there() -> None:
    assert {"aixi/Tiger-v0", "aixi/KuhnPoker-v0", "aixi/CoinFlip-v0", "aixi/TicTacToe-v0"} <= set(IDS)
    there = {name for name in gymnasium.registry if name.startswith("aixi/")}
    assert there == {*IDS, "aixi/Environment-v0"}


@pytest.mark.parametrize("name", [*IDS, "aixi/Environment-v0"])
def test_the_checker_of_gymnasium_has_nothing_to_say(name: str) -> None:
    options = {} if name in IDS else {"name": "locks:3"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(name, render_mode="ansi", **options)
        check_env(env.unwrapped)
        assert env.spec
        assert env.spec.max_episode_steps == 1000


@pytest.mark.parametrize("name", ["aixi/Tiger-v0", "aixi/KuhnPoker-v0", "aixi/CheeseMaze-v0"])
def test_percepts_are_ours(name: str) -> None:
    env, ours = gymnasium.make(name), make(IDS[name])
    assert env.observation_space == gymnasium.spaces.Discrete(len(ours.observations) + 1)
    assert env.action_space == gymnasium.spaces.Discrete(len(ours.actions))
    assert env.reset(seed=3) == (len(ours.observations), {})
    ours.reset(int(np.random.Generator(np.random.PCG64(3)).integers(1 << 62)))
    for action in np.random.default_rng(1).integers(len(ours.actions), size=999).tolist():
        observation, reward, terminated, truncated, info = env.step(action)
        assert (observation, reward) == ours.checked_step(action)
        assert (terminated, truncated, info) == (False, False, {})
        assert observation in env.observation_space
    assert env.step(0)[2:4] == (False, True)


def test_lives_are_a_function_of_the_seed_and_differ() -> None:
    env = gymnasium.make("aixi/Tiger-v0")

    def life(seed: int | None) -> list[int]:
        env.reset(seed=seed)
        return [int(env.step(0)[0]) for _ in range(60)]

    first = [life(1), life(None), life(None)]
    assert [life(1), life(None), life(None)] == first
    assert len({tuple(observations) for observations in first}) == 3


def test_pictures() -> None:
    env = gymnasium.make("aixi/Maze1D-v0", render_mode="ansi")
    env.reset(seed=1)
    assert str(env.render()).count("@") == 1
    with pytest.raises(ValueError, match="no render mode 'human': there is ansi"):
        aixi_approx.to_gymnasium.GymnasiumEnvironment("tiger", render_mode="human")


def test_any_other_by_its_name() -> None:
    assert gymnasium.make("aixi/Environment-v0", name="locks:3").unwrapped.environment.size == 8
    with pytest.raises(EnvironmentFault, match="did you mean tiger"):
        gymnasium.make("aixi/Environment-v0", name="tigr")


def test_there_and_back() -> None:
    ours, back = make("tiger"), make("gym:aixi/Tiger-v0?rewards=-100..10")
    assert len(back.observations) == 8  # nothing, left, right, nothing yet; and whether an episode has ended
    assert (back.min_reward, back.max_reward, len(back.actions)) == (ours.min_reward, ours.max_reward, 3)
    assert "limit of 1000 steps" in back.approximations


def test_registering_takes_nothing_with_it() -> None:
    code = (
        "import sys, gymnasium; gymnasium.make('aixi_approx.to_gymnasium:aixi/CoinFlip-v0') if sys.argv[1:] else None\n"
        "import aixi_approx.to_gymnasium\n"
        "print([name for name in ('numba', 'scipy', 'aixi_approx.pomdp') if name in sys.modules])"
    )
    for arguments, loaded in (([], "[]\n"), (["make"], "['numba', 'scipy', 'aixi_approx.pomdp']\n")):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (loaded, "")
