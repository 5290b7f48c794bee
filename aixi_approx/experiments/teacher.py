"""Teachers: the actions of another run, as first lessons of a policy."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

from aixi_approx.agent import KIND, Agent
from aixi_approx.archive import named, read_archive
from aixi_approx.environment import Environment, Percept
from aixi_approx.experiments.recording import recorded_options, recorded_rows
from aixi_approx.interaction import Row

PARTS = ("learning", "evaluation")


def read_trace(folder: Path | str, environment: Environment) -> list[Row]:
    """Return the cycles of a run that was recorded in an environment: those of its learning, then of its evaluation.

    Raises
    ------
    ValueError
        If the folder holds no run, one in another environment, or one that is broken or empty.
    """
    folder = Path(folder)
    where = recorded_options(folder).get("environment")
    if not (folder / "result.json").exists():
        raise ValueError(f"{folder} holds a run that is not complete: let it finish, so that its trace stays as it is")
    if where != environment.title:
        raise ValueError(f"{folder} holds a run in {where}: a teacher has to act in {environment.title}")
    rows = []
    for part in PARTS:
        path = folder / f"{part}.csv"
        for number, row in enumerate(recorded_rows(path), start=2):
            try:
                environment.coding.cycle(row.action, row.observation, row.reward)
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}: the file is broken") from error
            rows.append(row)
    if not rows:
        raise ValueError(f"{folder} holds a run without a cycle: let it run first")
    return rows


def begin_with(agent: Agent, start: Path | str) -> str:
    """Let an agent know what another one knew, and return a number that tells this knowledge from others, as text.

    Parameters
    ----------
    agent : Agent
        Is changed. Its cycles count from 0, and it explores as a new agent does.
    start : Path or str
        The file of the other agent, or the folder of its run.

    Raises
    ------
    ValueError
        If there is none, or it had another coding, predictor or policy.
    """
    path = Path(start) / "agent.aixi" if Path(start).is_dir() else Path(start)
    if not path.exists():
        raise ValueError(f"there is no file {path}: name one that an agent was saved to, or the folder of a run")
    content = read_archive(path, kind=KIND).content
    with named(path):
        agent.learn_from(content["kept"])
    agent.restart()  # in another life of the environment
    return f"{zlib.crc32(path.read_bytes()):08x}"


def teach(agent: Agent, trace: Sequence[Row]) -> None:
    """Let the policy of an agent learn the actions of a trace, but for those that were random. Nothing else learns.

    Raises
    ------
    ValueError
        If the agent has no policy.
    """
    if agent.planner.policy is None:
        raise ValueError("a teacher teaches a policy, which this agent has not: name one, as in policy:learned")
    for row in trace:
        agent.watch(row.action, Percept(row.observation, row.reward), lesson=not row.explored)


def digest(trace: Sequence[Row]) -> str:
    """Return a number of 64 bits that tells a trace from others, as text."""
    return hashlib.sha256(repr([tuple(row[:5]) for row in trace]).encode()).hexdigest()[:16]
