"""The builder: an agent from a model and a planner, each by its name.

           dpuct, rhouct    one-ply, flat    expectimax
    ctw    MC-AIXI           1-ply MC         exact on what was learned
    true   AImu              1-ply AImu       exact on the beliefs of the environment

The planners `q-learning`, `aiqi` and `random` have no model. Any model and planner of your own take the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aixi_approx import planners, predictors, rollouts
from aixi_approx.agent import KIND, Agent
from aixi_approx.archive import named, read_archive
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import ENVIRONMENTS, is_data, make
from aixi_approx.introspection.vocabulary import Vocabulary
from aixi_approx.planner import Learner, Planner
from aixi_approx.planner_spec import DEFAULT, PlannerSpec
from aixi_approx.planners import PLANNERS
from aixi_approx.planners.root_parallel import MAX_THREADS
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts import LEARNED, ROLLOUTS
from aixi_approx.validation import as_integer

CTW, TRUE = "ctw", "true"
BOUND = "most_memory"  # option of what can be bounded
LEAST_MEMORY = 1 << 16  # bytes of an agent: less holds no tree and no search


def build_agent(
    environment: Environment | str | Any,
    model: str = CTW,
    *,
    planner: PlannerSpec | str = DEFAULT,
    settings: Settings | None = None,
    depth: int | None = None,
    horizon: int | None = None,
    simulations: int | None = None,
    epsilon: float | None = None,
    decay: float | None = None,
    most_memory: int | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Agent:
    """Return an agent for an environment.

    Parameters
    ----------
    environment : Environment, str or class
        Where it is to live; anything that `make` takes.
    model : str, default: "ctw"
        What it predicts with: `ctw`, a FAC-CTW that learns; `true`, the environment's own definition; or a predictor
        of your own, as `my_file.py:Mine`.
    planner : PlannerSpec or str, default: "dpuct"
        How it decides, as a specification or its short text. Horizon and simulations are those of the settings unless
        it has its own.
    settings : Settings, default: those of the environment
        All of the following at once.
    depth : int, optional
        Bits of context of the predictor.
    horizon : int, optional
        Cycles that the search looks ahead.
    simulations : int, optional
        Of a search.
    epsilon : float, optional
        Probability of a random action at the first cycle.
    decay : float, optional
        Factor on epsilon, per cycle.
    most_memory : int, optional
        Bytes that model, policy and searches may take together.
    seed : int, default: 0
        All that is random in the agent is a function of it.
    threads : int, default: 1
        That independent searches run in. The result is the same.

    Raises
    ------
    ValueError
        For a combination that makes no sense, with one line that says what can be done.

    Examples
    --------
    >>> from aixi_approx import interact, make
    >>> tiger = make("tiger")
    >>> aimu = build_agent(tiger, "true", epsilon=0.0)
    >>> [row.action for row in interact(aimu, tiger, cycles=1)]    # it listens
    [0]
    """
    environment, spec = make(environment), as_spec(planner)
    settings = replaced_settings(
        environment.settings if settings is None else settings,
        spec,
        model=model,
        depth=depth,
        horizon=horizon,
        simulations=simulations,
        epsilon=epsilon,
        decay=decay,
        most_memory=most_memory,
    )
    search = build_planner(environment, spec, model=model, settings=settings, threads=threads)
    learner: Learner | None = search.learner()
    if learner is None:
        share = _shares(spec, model, settings.most_memory).get("model")
        learner = predictors.make_predictor(model, environment, settings=settings._replace(most_memory=share))
    elif model != CTW:
        plans = [name for name in planners.PLANNERS if not planners.planner_class(name).model_free]
        raise ValueError(f"{spec.name} has no model: leave it at {CTW}, or plan with {', '.join(plans)}")
    agent = Agent(
        environment.coding, learner, planner=search, epsilon=settings.epsilon, decay=settings.decay, seed=seed
    )
    agent.vocabulary = Vocabulary(environment.actions, environment.observations)
    agent.recipe = {
        "environment": environment.title,
        "model": model,
        "planner": spec.as_json(),
        "settings": settings._asdict(),
    }
    return agent


def replaced_settings(settings: Settings, spec: PlannerSpec, *, model: str, **given: float | None) -> Settings:
    """Return settings with what is given in place of what they have.

    Parameters
    ----------
    settings : Settings
        Those of the environment, mostly.
    spec : PlannerSpec
        Of the planner.
    model : str
        Its name.
    **given : float or None
        Fields of `Settings`; None stands for what the settings have.

    Raises
    ------
    ValueError
        If the agent does not take one of them, or the planner has it already.
    """
    asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    refuse_untaken(asked, spec, model=model)
    return settings._replace(**asked)


def refuse_untaken(asked: Iterable[str], spec: PlannerSpec, *, model: str) -> None:
    """Raise ValueError if an option means nothing to an agent of a planner and a model, or the planner has it."""
    taken, own = options_taken(spec, model), spec.options()
    for name in asked:
        if name not in taken:
            raise ValueError(f"{name} means nothing to {spec.title} with the model {model}: leave it out")
        if name in own and name != "depth":  # that of a planner is of what it learns itself
            raise ValueError(f"{name} is in the planner {spec}, too: leave one out")


def load(
    path: Path | str, environment: Environment | str | Any | None = None, *, trust: bool = False, threads: int = 1
) -> Agent:
    """Return the agent that `Agent.save` has written; it goes on as if nothing had happened.

    The file itself holds no code. It names what the agent is made of; what of this is code outside of this package is
    run only if `trust` is true.

    Parameters
    ----------
    path : Path or str
        The file: that of `Agent.save`, or `agent.aixi` in the folder of a run.
    environment : Environment, str or class, optional
        Where it lives; by default the one that the file names, anew.
    trust : bool, default: False
        Whether environments, models, planners and policies may be run that the file names and that are not part of
        this package, such as my_env.py:Lake.
    threads : int, default: 1
        That independent searches run in, if there are any.

    Raises
    ------
    ValueError
        If the file is damaged, is no agent, needs `trust`, or was written where the environment was another.
    OSError
        If it can't be read.

    Examples
    --------
    >>> import tempfile
    >>> agent = build_agent("coin-flip", seed=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     agent.save(f"{folder}/coin.aixi")
    ...     twin = load(f"{folder}/coin.aixi")
    >>> twin.act().action == agent.act().action
    True
    """
    content = read_archive(path, kind=KIND).content
    with named(path):
        recipe, kept = content["recipe"], content["kept"]
        spec = PlannerSpec(**recipe["planner"])
        worlds = (recipe["environment"],) if environment is None else ()
        if (found := outside(worlds, (recipe["model"],), planners=(spec,))) and not trust:
            raise ValueError(f"it is made of {', '.join(found)}, code outside this package: say trust=True to run it")
        if environment is None and not recipe["environment"]:
            raise ValueError("its environment has no name: give the environment, too")
        agent = build_agent(
            recipe["environment"] if environment is None else environment,
            recipe["model"],
            planner=spec,
            settings=Settings(**recipe["settings"]),
            threads=threads if spec.join else 1,
        )
        agent.restore(kept)
    return agent


def outside(environments: Iterable[str], models: Iterable[str], *, planners: Iterable[PlannerSpec]) -> list[str]:
    """Return what is not of this package, of all that names stand for: code that would be run.

    Parameters
    ----------
    environments, models : iterable of str
        Names. One that is short for another counts as outside, too.
    planners : iterable of PlannerSpec
        With their policies and rollout policies.

    Examples
    --------
    >>> outside(("tiger", "tiger>my_env.py:Lake@100", "gym:evil:Env"), ("ctw",), planners=[PlannerSpec("other")])
    ['my_env.py:Lake', 'gym:evil:Env', 'other']
    """
    parts = (part.partition("@")[0].strip() for name in environments for part in name.split(">"))
    named = [(ENVIRONMENTS, part) for part in parts] + [(predictors.PREDICTORS, model) for model in models]
    for spec in planners:
        named += [(PLANNERS, spec.name), *((ROLLOUTS, each) for each in (spec.policy, spec.rollout) if each)]
    unknown = (name for table, name in named if re.split("[:?]", name)[0] not in table and not is_data(name))
    return list(dict.fromkeys(unknown))


def build_planner(
    environment: Environment | str | Any,
    planner: PlannerSpec | str = DEFAULT,
    *,
    model: str = CTW,
    settings: Settings | None = None,
    threads: int = 1,
    policy: Rollout | None = None,
) -> Planner:
    """Return a planner for an environment and a model of it.

    Parameters
    ----------
    environment : Environment, str or class
        Where it is to plan; anything that `make` takes.
    planner : PlannerSpec or str, default: "dpuct"
        Which one: `dpuct`; `rhouct`, the search of JAIR 2011; `one-ply`, rhoUCT with a single cycle of selection
        before the rollout; `flat`, the same without selection; `expectimax`, which is exact; `self-aixi`, one ply
        and then its policy; `policy-alone`, which does not search; `q-learning`, `aiqi` or `random`, which have no
        model; one of your own, as `my_file.py:Mine`. With `+majority:K` or `+pooled:K` it is K independent searches
        that are joined, with `+seconds:S` it takes S seconds a decision,
        so that it can't be repeated.
    model : str, default: "ctw"
        What it plans on. On the true model planners work on beliefs.
    settings : Settings, default: those of the environment
        Horizon and simulations, unless the specification has its own.
    threads : int, default: 1
        That independent searches run in. The result is the same.
    policy : Rollout, optional
        That has learned already, at the present history; by default a new one, if the specification names one.

    Raises
    ------
    ValueError
        For a combination that makes no sense, with one line that says what can be done.

    Examples
    --------
    >>> from aixi_approx.predictors import TrueModel
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> eight = build_planner(tiger, "majority:8+horizon:3+simulations:10000", model="true")
    >>> eight.search(TrueModel(tiger), stream(1)).action    # listen
    0
    """
    environment, spec = make(environment), as_spec(planner)
    settings = environment.settings if settings is None else settings
    taken = options_taken(spec, model)
    kind = planners.planner_class(spec.name, on_beliefs=_on_beliefs(model))
    given = [*spec.options(), *(["threads"] if as_integer("threads", threads, 1, MAX_THREADS) > 1 else [])]
    if spec.join and "searches" not in taken:
        raise ValueError(f"{spec.join} means nothing to {spec.name}, which has no simulations to share: leave it out")
    for option in given:
        if option not in taken:
            raise ValueError(f"{option} means nothing to {spec.title} with the model {model}: leave it out")
    if policy is not None and not isinstance(policy, Rollout):
        raise ValueError(f"policy is {policy!r:.60}: give one that has learned, as planner.policy is")
    if policy is not None and spec.policy is None and not kind.needs_policy:
        raise ValueError(f"{spec.title} takes no policy: write {spec.name}+policy:{LEARNED}, or leave it out")
    if spec.depth is not None and spec.policy is None and not kind.needs_policy and "depth" not in kind.options:
        raise ValueError(f"depth means nothing to {spec.title}, which learns nothing itself: set that of the model")
    if "horizon" in taken and spec.horizon is None:
        spec = spec._replace(horizon=settings.horizon)
    if "simulations" in taken and spec.simulations is None:
        spec = spec._replace(simulations=settings.simulations)
    if spec.policy is None and kind.needs_policy:
        spec = spec._replace(policy=LEARNED)
    if spec.depth is None and (spec.policy is not None or "depth" in kind.options):
        spec = spec._replace(depth=settings.depth)
    shares = _shares(spec, model, settings.most_memory)
    search = planners.make_planner(
        spec,
        environment,
        on_beliefs=_on_beliefs(model),
        threads=threads,
        rollout=lambda: rollouts.make_rollout(spec.rollout, environment) if spec.rollout is not None else None,
        policy=lambda: _policy(spec, environment, policy, shares.get("policy")),
    )
    if "search" in shares:
        search.bound_memory(shares["search"])
    return search


def mc_aixi(
    environment: Environment | str | Any,
    *,
    depth: int | None = None,
    horizon: int | None = None,
    simulations: int | None = None,
    epsilon: float | None = None,
    decay: float | None = None,
    ucb: float | None = None,
    memo: bool | None = None,
    seed: int = 0,
) -> Agent:
    """Return the agent of JAIR 2011, FAC-CTW with rhoUCT.

    Parameters
    ----------
    environment : Environment, str or class
        Where it is to live; anything that `make` takes.
    depth, horizon, simulations, epsilon, decay
        As in `Settings`; those of the environment by default.
    ucb, memo
        As in `RhoUCT`.
    seed : int, default: 0
        All that is random in the agent is a function of it.
    """
    return build_agent(
        environment,
        planner=PlannerSpec("rhouct", ucb=ucb, memo=memo),
        depth=depth,
        horizon=horizon,
        simulations=simulations,
        epsilon=epsilon,
        decay=decay,
        seed=seed,
    )


def options_taken(planner: PlannerSpec | str, model: str = CTW) -> set[str]:
    """Return the options that an agent of a planner and a model takes; another one means nothing to it.

    They are fields of `PlannerSpec` and of `Settings`, `evaluation_simulations`, `searches` and `threads`.

    Raises
    ------
    ValueError
        If there is no such planner or model.
    """
    spec = as_spec(planner)
    predictor = predictors.predictor_class(model)
    kind = planners.planner_class(spec.name, on_beliefs=_on_beliefs(model))
    taken = {"epsilon", "decay", *kind.options}
    if not kind.model_free:
        taken |= {*predictor.options}
    if spec.policy is not None or kind.needs_policy:
        taken |= {"depth"}
    if spec.seconds is not None:
        taken -= {"simulations"}
    if "simulations" in taken:
        taken |= {"evaluation_simulations"}
    if {"simulations", "seconds"} & taken:
        taken |= {"searches"}
    if spec.join:
        taken |= {"threads"}
    if kind.bounds_memory:
        taken |= {BOUND}
    return taken


def _policy(
    spec: PlannerSpec, environment: Environment, learned: Rollout | None, most_memory: int | None
) -> Rollout | None:
    """The policy of a planner: a copy of one that has learned already, or a new one."""
    if spec.policy is None or spec.depth is None:
        return None
    if learned:
        return learned.copy()
    return rollouts.make_policy(spec.policy, environment, depth=spec.depth, most_memory=most_memory)


def _shares(spec: PlannerSpec, model: str, most_memory: int | None) -> dict[str, int]:
    """How many bytes each part of an agent may take: the model half of them, policy and search the rest, evenly.

    A part that takes no bound, because it takes next to nothing, leaves its share to the others.
    """
    if most_memory is None:
        return {}
    as_integer("most_memory", most_memory, LEAST_MEMORY, 1 << 62)
    kind = planners.planner_class(spec.name, on_beliefs=_on_beliefs(model))
    policy = rollouts.rollout_class(spec.policy or LEARNED) if spec.policy or kind.needs_policy else None
    weights = {"model": 2, "policy": 1, "search": 1}
    takes = {
        "model": not kind.model_free and BOUND in predictors.predictor_class(model).options,
        "policy": policy is not None and BOUND in policy.options,
        "search": kind.bounds_memory,
    }
    if not takes["search"] and not takes["model"]:
        raise ValueError(f"{spec.name} with the model {model} takes no bound of memory: leave it out")
    parts = [part for part, given in takes.items() if given]
    total = sum(weights[part] for part in parts)
    return {part: most_memory * weights[part] // total for part in parts}


def _on_beliefs(model: str) -> bool:
    """Whether planners have a belief to plan on."""
    return hasattr(predictors.predictor_class(model), "belief")


def as_spec(planner: PlannerSpec | str) -> PlannerSpec:
    """Return the specification that a planner is given by."""
    if not isinstance(planner, PlannerSpec | str):
        raise ValueError(f"{planner!r:.60} is no planner: give its name, or a PlannerSpec")
    return PlannerSpec.parse(planner) if isinstance(planner, str) else planner
