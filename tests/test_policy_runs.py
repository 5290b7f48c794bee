"""Runs of agents with a policy: they go on from anywhere, are taught, and what is wrong is one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recording import lasting, sealed, unsealed

from aixi_approx._version import __version__
from aixi_approx.builder import build_agent
from aixi_approx.cli import main
from aixi_approx.conformance.by_name import check, kind_of
from aixi_approx.conformance.rollout import check_rollout
from aixi_approx.environment import Percept, Schedule, Settings
from aixi_approx.envs import make
from aixi_approx.execution.folder import read_checked
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.recording import recorded_rows
from aixi_approx.experiments.running import run
from aixi_approx.experiments.teacher import digest, read_trace, teach
from aixi_approx.interaction import Row, evaluate, interact
from aixi_approx.planner_spec import LESSONS, PlannerSpec
from aixi_approx.predictor_abi import FAILED, OPERATION
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts import make_policy
from aixi_approx.rollouts.learned import LearnedPolicy

Captured = pytest.CaptureFixture[str]
HERE = Path(__file__).parent / "extensions"
SHORT = Settings(depth=12, horizon=3, simulations=12, epsilon=0.4, decay=0.98)
SCHEDULE = Schedule(40, evaluation_simulations=6)


def experiment(planner: str, model: str = "ctw", environment: str = "kuhn-poker", **options: Any) -> Experiment:
    given: dict[str, Any] = {"evaluate": 15, "seed": 3, **options}
    return Experiment(environment, SHORT, given.pop("schedule", SCHEDULE), PlannerSpec.parse(planner), model, **given)


def refused(arguments: list[str], capsys: Captured) -> str:
    """The one line with which the command line refuses; bars may stand above it."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    line = err.splitlines()[-1]
    assert line.startswith("aixi")
    assert not [other for other in err.splitlines()[:-1] if not other.startswith(("learning", "evaluation", "compil"))]
    return line


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was not stopped, of an agent that knows Kuhn poker."""
    folder = tmp_path_factory.mktemp("teacher") / "run"
    run(experiment("dpuct", "true"), folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in HERE.glob("my_*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------------------------------------- from anywhere


KINDS = [
    *(("ctw", f"dpuct+policy:learned+lessons:{lessons}") for lessons in LESSONS),
    *(("true", f"dpuct+policy:learned+lessons:{lessons}") for lessons in LESSONS),
    ("ctw", "dpuct+rule:prior+policy:learned"),
    ("ctw", "rhouct+policy:learned+lessons:better"),
    ("ctw", "self-aixi+lessons:explored"),
    ("true", "dpuct+leaves:sampled+policy:learned+lessons:drawn"),
    ("true", "self-aixi+lessons:drawn"),
    ("ctw", "dpuct+majority:3+simulations:90+policy:learned+lessons:better"),
    ("ctw", f"dpuct+policy:{HERE}/my_policy.py:Reflex"),
]


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory, teacher: Path) -> dict[tuple[str, str], Path]:
    """The folders of runs of each kind that were not stopped."""
    folders = {}
    for number, (model, planner) in enumerate(KINDS):
        folders[model, planner] = folder = tmp_path_factory.mktemp("wholes") / str(number)
        run(experiment(planner, model, teacher=str(teacher) if number % 2 else None), folder)
    return folders


@pytest.mark.parametrize("kind", KINDS)
@given(
    part=st.sampled_from(["learning", "evaluation"]),
    size=st.one_of(st.integers(0, 1_500), st.just(9_999)),
    later=st.booleans(),
)
@settings(deadline=None, max_examples=6)
def test_it_goes_on_from_anywhere(
    wholes: dict[tuple[str, str], Path],
    teacher: Path,
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[str, str],
    part: str,
    size: int,
    later: bool,
) -> None:
    folder = tmp_path_factory.mktemp("cut") / "run"
    shutil.copytree(wholes[kind], folder)
    (folder / "result.json").unlink()
    if part == "learning" and not later:
        (folder / "evaluation.csv").unlink()
    content = (folder / f"{part}.csv").read_bytes()
    (folder / f"{part}.csv").write_bytes(content[:size])
    run(experiment(kind[1], kind[0], teacher=str(teacher) if KINDS.index(kind) % 2 else None), folder)
    assert lasting(folder) == lasting(wholes[kind])


def test_rows_say_what_was_learned(wholes: dict[tuple[str, str], Path]) -> None:
    lessons: dict[str, list[Row]] = {}
    for (model, planner), folder in wholes.items():
        rows, evaluated = (recorded_rows(folder / f"{part}.csv") for part in ("learning", "evaluation"))
        explored = sum(row.explored for row in rows)
        assert 5 < explored < 35
        taught = [row for row in rows if row.lesson]
        lessons[f"{model} {planner}"] = taught
        of_random = [row for row in taught if row.explored]
        assert len(of_random) == (explored if "explored" in planner else 0)
        assert all(row.surprise > 0 for row in taught)
        assert all(row.surprise == 0 for row in (*rows, *evaluated) if not row.lesson)
        assert not any(row.lesson for row in evaluated)
        if "better" not in planner:
            assert sum(not row.explored for row in taught) == len(rows) - explored
        result = read_checked(folder / "result.json")
        mean = float(np.mean([row.surprise for row in taught])) if taught else None
        assert result["surprise_end"] == pytest.approx(mean), planner
    better = lessons["ctw rhouct+policy:learned+lessons:better"]
    assert 0 < len(better) < len(lessons["ctw dpuct+rule:prior+policy:learned"])
    assert 0 < len(lessons["ctw dpuct+majority:3+simulations:90+policy:learned+lessons:better"]) < 25, (
        "its noise is known, too"
    )


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize(("model", "planner"), KINDS)
def test_an_evaluation_leaves_no_trace_in_the_policy(model: str, planner: str, learn: bool) -> None:
    environment = make("kuhn-poker")
    agent = build_agent(environment, model, planner=planner, settings=SHORT, seed=3)
    list(interact(agent, environment, cycles=25))
    policy = agent.planner.policy

    def state() -> tuple[Any, ...]:
        own = policy.snapshot() if isinstance(policy, LearnedPolicy) else (policy.bits, policy.lessons, policy.marks)
        return repr(own), policy.trust, policy.prediction.tolist()

    before = state()
    for simulations in (0, 6):
        for seen, row in enumerate(
            evaluate(agent, make("kuhn-poker"), cycles=12, simulations=simulations, learn=learn)
        ):
            assert row.lesson == 0
            assert (row.simulations > 0) <= (simulations > 0)
            assert seen == 0 or state() != before, "it reads what happens"
        assert state() == before


def test_no_simulations_in_the_evaluation_is_the_policy_alone(teacher: Path) -> None:
    """As the planner `policy-alone` is, taught the same."""
    found = []
    for planner, simulations in (("dpuct+policy:learned", 0), ("policy-alone", 500)):
        schedule = Schedule(0, evaluation_simulations=simulations)
        result = run(experiment(planner, schedule=schedule, teacher=str(teacher), evaluate=200))
        assert result.simulations_evaluation == 0
        found.append((result.reward, result.simulations_per_decision))
    assert found[0] == found[1]


# ---------------------------------------------------------------------------------------------- teachers


def test_a_trace_is_all_cycles_of_a_run(teacher: Path) -> None:
    trace = read_trace(teacher, make("kuhn-poker"))
    assert len(trace) == 40 + 15
    assert trace == [*recorded_rows(teacher / "learning.csv"), *recorded_rows(teacher / "evaluation.csv")]
    (first, *_), other = trace, trace[:-1]
    assert digest(trace) == digest(list(trace)) != digest(other)
    assert digest(trace) != digest([first._replace(action=1 - first.action), *trace[1:]])


def test_the_actions_of_a_teacher_are_learned_but_for_random_ones(teacher: Path) -> None:
    environment = make("kuhn-poker")
    agent = build_agent(environment, planner="dpuct+policy:learned", settings=SHORT)
    trace = read_trace(teacher, environment)
    teach(agent, trace)
    by_hand = LearnedPolicy(environment.coding, depth=12)
    for row in trace:
        cycle = environment.coding.cycle(row.action, row.observation, row.reward)
        if not row.explored:
            by_hand.learn(row.action)
        by_hand.extend(cycle[environment.coding.action_bits :] if not row.explored else cycle)
    assert agent.planner.policy.snapshot() == by_hand.snapshot()
    assert by_hand.lessons == sum(not row.explored for row in trace) > 30
    assert by_hand.trust > 0.1


def test_who_was_taught_does_better_alone(teacher: Path) -> None:
    schedule = Schedule(0, evaluation_simulations=0)
    policy = "dpuct+policy:learned"
    rewards = []
    for folder in (None, str(teacher)):
        result = run(experiment(policy, "true", "kuhn-poker", schedule=schedule, teacher=folder, evaluate=2_000))
        assert result.reward
        rewards.append(result.reward.mean)
    assert rewards[1] > rewards[0] + 0.1


def test_the_same_teacher_and_seed_are_the_same_run(teacher: Path, tmp_path: Path) -> None:
    for planner in ("dpuct+policy:learned", "dpuct+majority:2+policy:learned"):
        folders = [tmp_path / f"{planner}-{number}" for number in range(3)]
        for folder, taught in zip(folders, (str(teacher), str(teacher), None), strict=True):
            run(experiment(planner, teacher=taught), folder)
        one, other, untaught = map(lasting, folders)
        assert one == other
        assert one["learning.csv"] != untaught["learning.csv"]
        assert one["result"]["teacher"] == str(teacher)
        options = json.loads((folders[0] / "manifest.json").read_text())["options"]
        assert options["trace"] == digest(read_trace(teacher, make("kuhn-poker")))


def test_a_teacher_that_has_changed_is_another_one(teacher: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(teacher, tmp_path / "teacher"))
    taught = experiment("dpuct+policy:learned", teacher=str(mine))
    run(taught, tmp_path / "run")
    (mine / "evaluation.csv").unlink()
    with pytest.raises(ValueError, match="holds a run with trace"):
        run(taught, tmp_path / "run")


def test_the_picture_of_a_complete_run_with_a_teacher(teacher: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["run", "kuhn-poker", "--policy", "learned", "--teacher", str(teacher), "--cycles", "20"]
    arguments += ["--evaluate", "5", "--simulations", "4", "--out", str(tmp_path / "out")]
    for name in ("first.svg", "second.svg"):
        main([*arguments, "--picture", str(tmp_path / name)])
        assert (tmp_path / name).stat().st_size > 1_000
    assert "The run was complete" in capsys.readouterr().out


def break_row(folder: Path, text: str) -> None:
    path = folder / "learning.csv"
    lines = unsealed(path.read_text())
    path.write_text(sealed([*lines[:3], text, *lines[4:]]))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda folder: break_row(folder, "3,5,0,0,0,0.5,8,0,0.0"),
            r"learning.csv, line 5: there is no action 5.* broken",
        ),
        (lambda folder: break_row(folder, "3,1,999,0,0,0.5,8,0,0.0"), "learning.csv, line 5: .* the file is broken"),
        (lambda folder: break_row(folder, "3,1,0,99,0,0.5,8,0,0.0"), "line 5: the reward 99 .* the file is broken"),
        (lambda folder: break_row(folder, "3,one"), "learning.csv, line 5: b'3,one,.*' is not a row of a run"),
        (lambda folder: break_row(folder, "3,1,0,0,0,0.5,8"), "learning.csv, line 5: .* is not a row of a run"),
        (lambda folder: (folder / "learning.csv").write_bytes(b"\xff\xfe\n\xff\n"), "aixi: "),
        (
            lambda folder: [(folder / f"{part}.csv").unlink() for part in ("learning", "evaluation")],
            "holds a run without a cycle: let it run first",
        ),
        (lambda folder: (folder / "manifest.json").unlink(), "is not empty and holds no run"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is not the manifest of a run"),
        (lambda folder: shutil.rmtree(folder), "holds no run: name the folder of `aixi run ... --out`"),
        (lambda folder: (shutil.rmtree(folder), folder.mkdir()), "holds no run: name the folder"),
        (lambda folder: (shutil.rmtree(folder), folder.write_text("")), "holds no run: name the folder"),
    ],
)
def test_a_broken_teacher_is_one_line(
    teacher: Path, tmp_path: Path, broken: Any, message: str, capsys: Captured
) -> None:
    mine = Path(shutil.copytree(teacher, tmp_path / "teacher"))
    broken(mine)
    arguments = ["run", "kuhn-poker", "--policy", "learned", "--teacher", str(mine), "--out", str(tmp_path / "out")]
    assert re.search(message, refused(arguments, capsys))
    assert not (tmp_path / "out").exists(), "nothing has begun"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tiger --policy learned --teacher TEACHER", "holds a run in kuhn-poker: a teacher has to act in tiger"),
        ("kuhn-poker --teacher TEACHER", "a teacher teaches a policy, which this agent has not: name one"),
        ("kuhn-poker --planner random --teacher TEACHER", "a teacher teaches a policy, which this agent has not"),
        ("kuhn-poker --evaluation-simulations 0", "evaluation_simulations is 0, and no policy can act alone"),
        ("kuhn-poker --policy uniform", "the policy uniform does not learn: name it as the rollout policy"),
        ("kuhn-poker --policy my_rollout.py:Polite", "the policy my_rollout.py:Polite does not learn: name it as"),
        ("kuhn-poker --policy none", "no rollout policy 'none': there are uniform, learned"),
        ("kuhn-poker --planner dpuct+policy:", "no rollout policy '': there are uniform, learned"),
        ("kuhn-poker --rollout learned", "the rollout policy learned learns from the decisions of the search: name it"),
        ("kuhn-poker --policy learned --rollout learned", "the rollout policy learned learns from the decisions"),
        ("kuhn-poker --policy learned --rollout my_rollout.py:Again", "leave the rollout out, or take uniform"),
        ("kuhn-poker --lessons all", "lessons mean nothing without a policy: name one, or leave them out"),
        ("kuhn-poker --planner policy-alone --lessons all", "--lessons means nothing to policy-alone"),
        ("kuhn-poker --planner expectimax --policy learned", "policy means nothing to expectimax"),
        ("kuhn-poker --planner self-aixi+rollout:uniform", "rollout means nothing to self-aixi"),
        ("kuhn-poker --planner policy-alone+majority:3", "majority means nothing to policy-alone"),
        ("kuhn-poker --rule follow", "the rule follow needs a policy: name one, as in policy:learned"),
        ("kuhn-poker --rule prior --model true", "the rule prior needs a policy"),
        ("kuhn-poker --planner rhouct --policy learned --rule prior", "rule is 'prior': it must be one of ucb, round"),
        ("kuhn-poker --planner dpuct+policy:learned --policy learned", "--policy is in --planner dpuct.policy:learned"),
        ("kuhn-poker --model true --policy learned --leaves exact --rollout my_rollout.py:Polite", "leave the rollout"),
    ],
)
def test_nonsense_is_one_line(arguments: str, message: str, teacher: Path, place: Path, capsys: Captured) -> None:
    line = refused(["run", *arguments.replace("TEACHER", str(teacher)).split(), "--cycles", "5"], capsys)
    assert message.replace("dpuct.policy", "dpuct+policy") in line


# ---------------------------------------------------------------------------------------------- of one's own

WRONG = """
from aixi_approx import Rollout
class Bare(Rollout):
    reads_history = learns = True
    def choose(self, u): return int(u * self.coding.actions)
class Sound(Bare):
    trust = 0.5
    @property
    def prediction(self): return [1 / self.coding.actions] * self.coding.actions
    def learn(self, action): return 1.0
class Deaf(Sound):
    reads_history = False
class Short(Sound):
    prediction = [1.0]
class Sure(Sound):
    trust = 2
class Stumbles(Sound):
    def learn(self, action): return {}[action]
class Silent(Sound):
    def learn(self, action): return None
class Breaks(Sound):
    @property
    def prediction(self): return 1 / 0
class Distrusted(Sound):
    @property
    def trust(self): return 1 / 0
class Unbuilt(Sound):
    def __init__(self, coding, more): pass
"""


@pytest.mark.parametrize("options", [[], ["--model", "true"], ["--lessons", "drawn"], ["--rule", "prior"]])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Bare", "aixi: the policy Bare learns, but has no learn, prediction, trust: see aixi_approx.Rollout"),
        ("Deaf", "aixi: the policy Deaf learns: set reads_history = True, and read the history"),
        ("Sure", "aixi: Sure.trust is 2.0: it must lie in 0 to 1"),
        ("Stumbles", "aixi: Stumbles: learning an action failed: KeyError: "),
        ("Silent", "aixi: Silent: learning an action failed: TypeError: "),
        ("Distrusted", "aixi: Distrusted: search failed: ZeroDivisionError: division by zero (wrong.py, line 26)"),
        ("Unbuilt", "aixi: wrong.py:Unbuilt can't be built: TypeError: "),
        ("Absent", "aixi: wrong.py:Absent: there is no class of that name derived from aixi_approx.Rollout"),
        ("Short", "Short.prediction is [1.0]: it must be a probability for each of 2 actions, 1 in all"),
        ("Breaks", "ZeroDivisionError: division by zero (wrong.py, line 23)"),
    ],
)
def test_a_wrong_policy_of_ones_own_is_one_line(
    name: str, message: str, options: list[str], place: Path, capsys: Captured
) -> None:
    (place / "wrong.py").write_text(WRONG)
    arguments = ["run", "kuhn-poker", "--cycles", "12", "--exploration", "0", "1", "--simulations", "6", *options]
    if name in ("Short", "Breaks") and "--model" in options:
        arguments += ["--leaves", "sampled"]
    line = refused([*arguments, "--policy", f"wrong.py:{name}"], capsys)
    assert message in line


@pytest.mark.parametrize("planner", ["dpuct", "dpuct+rule:prior", "rhouct", "self-aixi", "policy-alone"])
@pytest.mark.parametrize("model", ["ctw", "true"])
def test_a_policy_of_ones_own_is_at_home_everywhere(model: str, planner: str, place: Path) -> None:
    spec = f"{planner}+policy:my_policy.py:Reflex"
    lives = []
    for _ in range(2):
        environment = make("tiger")
        environment.reset(1)
        agent = build_agent(environment, model, planner=spec, settings=SHORT, seed=2)
        agent.watch(0, Percept(0, -1), lesson=True)
        lives.append(list(interact(agent, environment, cycles=25)))
        assert len(agent.planner.policy.lessons) == 1 + sum(row.lesson for row in lives[-1])
    assert lives[0] == lives[1]
    assert any(row.lesson for row in lives[0]) == (planner != "policy-alone")


# ---------------------------------------------------------------------------------------------- the checks


def test_learned_policies_keep_to_the_interface(place: Path, capsys: Captured) -> None:
    for name in ("learned", "my_policy.py:Reflex"):
        assert kind_of(name) == "rollout policy"
        for environment in ("tiger", "kuhn-poker", "coin-flip"):
            report = check(name, environment=environment)
            assert [found.check for found in report.diagnostics] == [
                "choose",
                "compiled",
                "prediction",
                "keep",
                "learn",
                "revert",
            ]
            assert report.passed
        main(["check", name, "--env", "biased-rps"])
        assert capsys.readouterr().out.splitlines()[-1] == f"{name}: all 6 passed"


class Leaky(LearnedPolicy):
    """Keeps what it has learned."""

    def revert(self, mark: int) -> None:
        history = self._standing
        super().revert(mark)
        self._standing = history


class Cheap(LearnedPolicy):
    def learn(self, action: int) -> float:
        return super().learn(action) / 2


class Speechless(LearnedPolicy):
    def learn(self, action: int) -> float:
        super().learn(action)
        return None  # type: ignore[return-value]


class Contrary(LearnedPolicy):
    @property
    def prediction(self) -> Any:
        return super().prediction[::-1]


class Unweighed(LearnedPolicy):
    @property
    def addresses(self) -> Any:
        return super().addresses._replace(weigh=0)


class Reckless(LearnedPolicy):
    trust = 1.5  # type: ignore[assignment]


class Rough(LearnedPolicy):
    @property
    def prediction(self) -> Any:
        return super().prediction * 1.1


class Forgetful(LearnedPolicy):
    """Learns something else the second time."""

    times = 0

    def learn(self, action: int) -> float:
        self.times += 1
        loss = super().learn(action)
        if self.times % 2 == 0:
            self._kernel.revert(self._kernel.mark())
            self.extend([1] * (self.coding.percept_bits))
            super().learn(0)
        return loss


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Leaky, r"revert\(\) does not take back exactly what was learned"),
        (Cheap, r"learn\(.\) gave a loss of .* bits, it had predicted the action with .*: -log2 of it is"),
        (Speechless, r"learn\(.\) gave None: it must be a log loss in bits"),
        (Contrary, "the compiled operation weigh gives another prediction"),
        (Unweighed, "the policy Unweighed learns, but its addresses have no operation weigh"),
        (Reckless, "trust is 1.5: it must lie in 0 to 1"),
        (Rough, r"Rough.prediction is \[.*: it must be a probability for each of 3 actions"),
        (Forgetful, "the same lesson again leads to another prediction"),
    ],
)
def test_a_wrong_policy_is_found_out(kind: type[LearnedPolicy], message: str) -> None:
    world = make("tiger")
    check_rollout(LearnedPolicy(world.coding, depth=8))
    with pytest.raises(AssertionError, match=message):
        check_rollout(kind(world.coding, depth=8))


def test_what_chooses_otherwise_than_it_predicts_is_found_out() -> None:
    class Stubborn(Rollout):
        reads_history = learns = True
        trust = 0.3

        def choose(self, u: float) -> int:
            return 0

        @property
        def prediction(self) -> Any:
            return np.full(self.coding.actions, 1 / self.coding.actions)

        def learn(self, action: int) -> float:
            return float(np.log2(self.coding.actions))

    with pytest.raises(AssertionError, match=r"choose\(\) takes the actions in shares of \[1.0, 0.0, 0.0\], predicted"):
        check_rollout(Stubborn(make("tiger").coding))


def test_weighing_by_callback() -> None:
    """A policy in Python has the operation by itself; what fails there is its fault."""
    policy = make_policy(f"{HERE}/my_policy.py:Reflex", make("tiger"), depth=5)
    weights = np.full(4, np.nan)
    weigh = OPERATION(policy.addresses.weigh)
    assert weigh(0, weights.ctypes.data) == 0
    assert weights[:3] == pytest.approx([1 / 3] * 3)
    assert np.isnan(weights[3])
    policy.bits = None  # type: ignore[attr-defined]
    assert weigh(0, weights.ctypes.data) == FAILED
    assert isinstance(policy.fault, TypeError)


# ---------------------------------------------------------------------------------------------- found by breaking


def test_a_teacher_has_to_be_complete(teacher: Path, tmp_path: Path) -> None:
    """Otherwise its trace grows, and who learns from it can't be resumed."""
    folder = tmp_path / "running"
    shutil.copytree(teacher, folder)
    (folder / "result.json").unlink()
    with pytest.raises(ValueError, match="holds a run that is not complete: let it finish"):
        run(experiment("dpuct+policy:learned", teacher=str(folder)))
    (folder / "manifest.json").write_text(json.dumps({"version": __version__, "options": None}))
    with pytest.raises(ValueError, match=r"manifest.json is not the manifest of a run"):
        run(experiment("dpuct+policy:learned", teacher=str(folder)))


def test_a_teacher_is_named_by_a_path_too(teacher: Path, tmp_path: Path) -> None:
    one: Any = run(experiment("policy-alone", teacher=teacher), tmp_path / "run")
    assert one.taught == sum(not row.explored for row in read_trace(teacher, make("kuhn-poker")))
    assert one.lessons == 0


def test_a_run_says_how_much_its_policy_has_learned(place: Path, capsys: Captured) -> None:
    main(["run", "tiger", "--planner", "policy-alone", "--cycles", "5", "--evaluate", "5"])
    assert "so it acts at random" in capsys.readouterr().out
    always = ["run", "coin-flip", "--cycles", "50", "--exploration", "0", "1", "--evaluate", "20", "--json"]
    main([*always, "--policy", "learned", "--evaluation-simulations", "0"])
    result = json.loads(capsys.readouterr().out)
    assert (result["lessons"], result["taught"], result["simulations_per_decision"]) == (50, 0, 500)
    main(always)
    assert json.loads(capsys.readouterr().out)["lessons"] is None
