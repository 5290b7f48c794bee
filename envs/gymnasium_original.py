"""What is read off an environment of Gymnasium: its options, spaces, rewards and, where it has one, its table."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import math
import textwrap
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.spaces import Discrete
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker
from numpy.typing import NDArray

from aixi_approx.envs.gymnasium_spaces import Limits, Observations, SpaceCode, flat, without
from aixi_approx.envs.reward_scale import Declared, RewardScale

SCOUTING = 10_000  # cycles of random play
MAX_BITS = 40  # of an observation
MAX_ACTIONS = 1024
FEW = 30  # episodes; a mean over fewer is off by more than a fifth of their spread
WORDS = {  # of actions that Gymnasium has numbers for, by the class of the environment
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("south", "north", "east", "west", "pick-up", "drop-off"),
    "BlackjackEnv": ("stick", "hit"),
}


class Pay(NamedTuple):
    """The reward of a cycle, and what became of the episode."""

    reward: float
    terminated: bool
    over: bool  # terminated, or cut off by a limit


class Transition(NamedTuple):
    """One of the things that can come of an action, as the tables of Gymnasium's toy texts have it."""

    probability: float
    state: int
    reward: float
    ended: bool


class Table(NamedTuple):
    """What an environment says of itself.

    `transitions[state][action]` lists what can come of it: probability, next state, reward, whether the episode ends.
    """

    start: dict[int, float]
    transitions: Mapping[int, Mapping[int, list[tuple[float, int, float, bool]]]]

    def rewards(self, legal: Callable[[int], Sequence[int]]) -> set[Pay]:
        """Return the rewards that can be reached by legal actions."""
        states, found = list(self.start), set()
        for state in states:  # grows as states are found
            for row in (self.transitions[state][action] for action in legal(state)):
                found |= {Pay(float(reward), bool(ended), bool(ended)) for p, _, reward, ended in row if p > 0}
                states += {int(after) for p, after, _, ended in row if p > 0 and not ended}.difference(states)
        return found


class Play(NamedTuple):
    """What was seen in random play."""

    pays: list[Pay]  # of each cycle
    limits: Limits  # of each number of an observation
    agrees: bool  # with the table, if there is one


class Original:
    """An environment of Gymnasium, and how its actions, observations and rewards are written here.

    Parameters
    ----------
    written
        Its ID and options, as they stand after `gym:`.

    Raises
    ------
    ValueError
        If there is none, if it can't be built with these options, or if its spaces can't be coded.
    """

    def __init__(self, written: str) -> None:
        self.name = f"gym:{written}"
        self.id, _, options = written.partition("?")
        self.options = dict(_option(part) for part in options.split("&") if part)
        bins, unit = self.options.pop("bins", 8), self.options.pop("unit", None)
        declared, clip = self._option_of("rewards"), self.options.pop("clip", False)
        self.left_out = [name for name in (self._option_of("without") or "").split(",") if name]
        self.joint = "&" if options else "?"
        if not isinstance(bins, int) or not 2 <= bins <= MAX_ACTIONS:
            raise ValueError(f"bins is {bins!r}: it must be a whole number from 2 to {MAX_ACTIONS}")
        if unit is not None and (not isinstance(unit, int | float) or not 0 < unit < math.inf):
            raise ValueError(f"unit is {unit!r}: it must be a number above 0")
        self.masks = self.options.pop("mask", True)
        for name, given in (("clip", clip), ("mask", self.masks)):
            if not isinstance(given, bool):
                raise ValueError(f"{name} is {given!r}: it is True or False")
        self.end, self.discount = self.options.pop("end", 0), self.options.pop("discount", 1)
        if not isinstance(self.end, int | float) or not math.isfinite(self.end):
            raise ValueError(f"end is {self.end!r}: it must be a number")
        if not isinstance(self.discount, int | float) or not 0 < self.discount <= 1:
            raise ValueError(f"discount is {self.discount!r}: it must be a number above 0, and at most 1")
        self.env = self.fresh()
        self.space = without(self.env.observation_space, self.left_out)
        self.action_code = _coded("actions", self.env.action_space, bins, ())
        _coded("observations", self.space, bins, itertools.repeat((0, 1)))  # before it is played
        table = table_of(self.env)
        try:
            play = _play(self.env, self.space, table, masks=self.masks)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ValueError(f"it failed in random play: {type(error).__name__}: {error}") from error
        self.table = table if play.agrees else None
        self.observations = Observations(_coded("observations", self.space, bins, play.limits))
        self.scale = RewardScale(
            {self._paid(pay) for pay in (self.table.rewards(self.legal) if self.table else set(play.pays))}
            | ({0.0} if self.discount < 1 else set()),  # after the end of an episode
            None if declared is None else Declared.read(declared),
            unit=unit,
            certain=self.table is not None,
            clip=clip,
        )
        self.chosen = list(itertools.product(*(range(number.count) for number in self.action_code.numbers)))
        self.random_reward = self._random_reward(play.pays)

    def fresh(self) -> gymnasium.Env[Any, Any]:
        """Return a new instance, which draws text if it can."""
        for name, given in self.options.items():
            if isinstance(given, str) and isinstance(_parameters(self.id).get(name), bool):
                raise ValueError(f"{name}={given}: it is True or False")
        options = {"max_episode_steps": -1, "disable_env_checker": True, **self.options}
        try:
            env = gymnasium.make(self.id, **options)
            if "ansi" in env.metadata.get("render_modes", ()) and "render_mode" not in options:
                with contextlib.suppress(TypeError):  # it says so and yet takes no render mode
                    env = gymnasium.make(self.id, **options, render_mode="ansi")
        except KeyError as error:
            raise ValueError(f"there is no {error}, as one of its options says{_takes(self.id)}") from error
        except TypeError as error:  # of an option, likely
            raise ValueError(f"{error.__cause__ or error}{_takes(self.id)}") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ValueError(str(error) or type(error).__name__) from error
        return env

    def _option_of(self, name: str) -> str | None:
        """One of our options as it is written."""
        given = self.options.pop(name, None)
        return None if given is None else str(given)

    def reward(self, reward: float, terminated: bool) -> float:
        """Return a reward as it is told here; as it is if it has no code."""
        return self.scale.coded(self._paid(Pay(float(reward), bool(terminated), True)))

    def _paid(self, pay: Pay) -> float:
        return pay.reward + self.end * pay.terminated

    def _random_reward(self, pays: list[Pay]) -> float | None:
        """The reward of the random agent, from random play; None where actions are rounded, so that it is another.

        With a discount, it is 1 - discount times the mean return of the episodes; None if too few have ended.
        """
        if str(self.action_code):
            return None
        told = {pay: self.scale.coded(self._paid(pay)) for pay in set(pays)}
        self.scale.clipped = 0  # what was clipped here was not played
        if self.discount == 1:
            return sum(told[pay] for pay in pays) / len(pays)
        returns, value, weight = [], 0.0, 1.0
        for pay in pays:
            value, weight = value + weight * told[pay], weight * self.discount
            if pay.over:
                returns.append(value)
                value, weight = 0.0, 1.0
        return (1 - self.discount) * sum(returns) / len(returns) if len(returns) >= FEW else None

    def legal(self, state: int) -> Sequence[int]:
        """Return the numbers of the legal actions in a state of its table: all, unless it says otherwise."""
        actions = range(int(self.env.action_space.n))  # type: ignore[attr-defined]
        mask = getattr(self.env.unwrapped, "action_mask", None)
        legal = legal_in({"action_mask": mask(state)}, len(actions)) if callable(mask) and self.masks else None
        return actions if legal is None else np.flatnonzero(legal).tolist()

    def rules(self) -> str:
        """Return what the environment says of itself, up to its spaces, and what an observation is here."""
        said = inspect.cleandoc(type(self.env.unwrapped).__doc__ or "Nobody has written down its rules.")
        said = said.split("## Action Space")[0].replace("## Description", "").strip()
        return f"{said}\n\nAn observation says whether an episode has just ended, True or False, and what is seen then."

    def actions(self) -> tuple[Hashable, ...]:
        """Return the names of the actions."""
        words = WORDS.get(type(self.env.unwrapped).__name__, ())
        return words if len(words) == len(self.chosen) else tuple(map(self.action_code.plain, self.chosen))

    def picture(self) -> str:
        """Return what Gymnasium draws as text, or nothing."""
        return str(self.env.render()).strip("\n") if self.env.unwrapped.render_mode == "ansi" else ""

    def approximations(self) -> str:
        """Return what is lost, in a sentence, or nothing."""
        parts = []
        limit = self.env.unwrapped.spec and gymnasium.spec(self.env.unwrapped.spec.id).max_episode_steps
        if limit and "max_episode_steps" not in self.options:
            parts.append(f"the limit of {limit} steps to an episode is left out")
        if self.end:
            parts.append(f"the end of an episode pays {self.end:+g}, as asked for")
        if rounded := str(self.action_code):
            parts.append(f"of an action, {rounded}")
        if rounded := str(self.observations.code):
            parts.append(f"of an observation, {rounded}, clipped beyond")
        parts += [said for said in (str(self.scale), self.scale.guess(self.joint)) if said]
        if self.left_out:
            parts.append(f"an observation is without {', '.join(self.left_out)}, as asked for")
        if self.scale.clip and self.scale.certain:
            parts.append("other rewards than those declared are clipped, as asked for")
        if self.scale.clipped:
            parts[-1] += f", {self.scale.clipped:,} so far"
        return "; ".join(parts)


def _coded(what: str, space: Any, bins: int, seen: Limits) -> SpaceCode:
    """The code of the actions or observations, if they are few enough."""
    try:
        code = SpaceCode(space, bins, seen=seen)
        count, bits = math.prod(number.count for number in code.numbers), code.bits + 1
        if what == "actions" and count > MAX_ACTIONS:
            raise ValueError(f"they are {count:,}, and at most {MAX_ACTIONS:,} will do{_fewer(code)}")
        if what == "observations" and bits > MAX_BITS:
            raise ValueError(f"they take {bits:,} bits, and at most {MAX_BITS} will do{_fewer(code)}")
    except ValueError as error:
        raise ValueError(f"its {what}, {textwrap.shorten(str(space), 60)}, can't be coded: {error}") from None
    return code


def _takes(name: str) -> str:
    """The options that an environment has, in words, if they are known."""
    known = _parameters(name)
    return f": its options are {', '.join(known)}" if known else ""


def _parameters(name: str) -> dict[str, Any]:
    """The options that an environment has, and what they are by default, if they are known."""
    try:
        entry = gymnasium.spec(name.rpartition(":")[2]).entry_point
        creator = load_env_creator(entry) if isinstance(entry, str) else entry
    except (gymnasium.error.Error, ImportError):
        return {}
    return {p.name: p.default for p in inspect.signature(creator).parameters.values()} if creator else {}


def _option(part: str) -> tuple[str, Any]:
    """One option: its name and its value."""
    name, equals, text = part.partition("=")
    if not name or not equals or not text:
        raise ValueError(f"{part!r} is no option: write name=value, with & in between")
    if text in ("true", "false", "none"):
        raise ValueError(f"{part}: write {name}={text.title()}")
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


def table_of(env: gymnasium.Env[Any, Any]) -> Table | None:
    """Return the transition table of an environment, if it has one and nothing stands between it and who plays."""
    inner = env.unwrapped
    transitions, start = getattr(inner, "P", None), getattr(inner, "initial_state_distrib", None)
    simple = isinstance(inner.observation_space, Discrete) and isinstance(inner.action_space, Discrete)
    if transitions is None or start is None or not simple or inner.action_space.start != 0:  # type: ignore[attr-defined]
        return None
    while env is not inner:
        if not isinstance(env, OrderEnforcing | PassiveEnvChecker):
            return None
        env = env.env
    return Table({state: float(p) for state, p in enumerate(start) if p > 0}, transitions)


def legal_in(info: dict[str, Any], actions: int) -> NDArray[np.int8] | None:
    """Return which actions are legal now, 1 or 0 for each, if the environment says so and any is."""
    mask = np.asarray(info.get("action_mask", ()), dtype=np.int8)
    return mask if mask.shape == (actions,) and mask.any() else None


def _play(env: gymnasium.Env[Any, Any], space: gymnasium.Space[Any], table: Table | None, *, masks: bool) -> Play:
    """Play legal actions at random, and see whether the table agrees: each cycle must be one that it lists."""
    count = int(env.action_space.n) if isinstance(env.action_space, Discrete) else 0
    env.action_space.seed(0)
    observation, info = env.reset(seed=0)
    agrees = table is not None and observation in table.start
    pays: list[Pay] = []
    least = largest = np.array(list(flat(space, observation)), dtype=float)
    for _ in range(SCOUTING):
        before, action = observation, env.action_space.sample(legal_in(info, count) if masks else None)
        observation, reward, terminated, truncated, info = env.step(action)
        pays.append(Pay(float(reward), bool(terminated), bool(terminated or truncated)))
        if table and agrees:
            agrees = not truncated and _lists(table, before, action, (observation, reward, terminated))
        if terminated or truncated:
            observation, info = env.reset()
            agrees = agrees and table is not None and observation in table.start
        numbers = list(flat(space, observation))
        least, largest = np.minimum(least, numbers), np.maximum(largest, numbers)
    return Play(pays, list(zip(least.tolist(), largest.tolist(), strict=True)), agrees)


def _lists(table: Table, state: Any, action: Any, what: tuple[Any, ...]) -> bool:
    """Whether a table has such a cycle."""
    try:
        return any(p > 0 and tuple(rest) == what for p, *rest in table.transitions[state][action])
    except (TypeError, ValueError, LookupError):
        return False  # it is a table of something else


def _fewer(code: SpaceCode) -> str:
    """What can be done about too many values."""
    return ": give fewer bins, as ?bins=3" if any(number.rounded for number in code.numbers) else ""
