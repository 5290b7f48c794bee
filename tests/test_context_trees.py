"""Context trees in words: the nodes of the best trees against their twin, what is said of small worlds, `aixi tree`."""

import json
import random
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import branching_leaves, context_counts

from aixi_approx import Environment, Percept, build_agent, interact, make
from aixi_approx.cli import main
from aixi_approx.coding import Coding
from aixi_approx.introspection.context_trees import describe_trees
from aixi_approx.introspection.contexts import Part, Past, context_bit
from aixi_approx.introspection.phrases import Phrases
from aixi_approx.introspection.tree_growth import growth_between
from aixi_approx.introspection.tree_rules import Situation, by_information, joined
from aixi_approx.introspection.worth import savings, worth_of_parts
from aixi_approx.predictors.context_tree import BestNodes, FactoredContextTree
from aixi_approx.viewer.growth import stages

Captured = pytest.CaptureFixture[str]
SHORT = ["--cycles", "60", "--evaluate", "5", "--simulations", "2", "--evaluation-simulations", "2"]

shapes = st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 70]), st.integers(0, 2), st.integers(1, 3))
strings = st.tuples(st.binary(max_size=5), st.binary(min_size=1, max_size=1), st.binary(max_size=4))


def string_of(parts: tuple[bytes, bytes, bytes]) -> np.ndarray:
    """A pattern in the middle of something else, so that trees of all sizes are best."""
    before, pattern, after = (np.unpackbits(np.frombuffer(part, np.uint8)) for part in parts)
    return np.concatenate([before, np.tile(pattern[:5], 12), after])


def leaves_of(nodes: BestNodes, tree: int) -> dict[tuple[tuple[int, int], ...], tuple[int, int]]:
    """The leaves of a tree, by the branchings above them: counts."""
    found = {}
    for leaf in np.flatnonzero((nodes.tree == tree) & (nodes.looks_at < 0)):
        node, differs = leaf, list[tuple[int, int]]()
        while nodes.parent[node] >= 0:
            differs.append((int(nodes.looks_at[nodes.parent[node]]), int(nodes.side[node])))
            node = nodes.parent[node]
        found[tuple(reversed(differs))] = (int(nodes.zeros[leaf]), int(nodes.ones[leaf]))
    return found


# ---------------------------------------------------------------------------------------------- the nodes


@given(shape=shapes, parts=strings)
@settings(deadline=None, max_examples=150)
def test_the_nodes_are_those_of_the_best_tree(shape: tuple[int, int, int], parts: tuple[bytes, bytes, bytes]) -> None:
    string = string_of(parts)
    tree = FactoredContextTree(*shape)
    tree.learn(string)
    nodes, best = tree.best_nodes(), tree.best_tree()
    for number, counts in enumerate(context_counts(string.tolist(), *shape)):
        expected = branching_leaves(counts, shape[0]) if counts else {}
        assert leaves_of(nodes, number) == expected
    leaf = nodes.looks_at < 0
    assert (nodes.parent < np.arange(len(leaf))).all()
    assert leaf.sum() == best.leaves
    assert nodes.bits[leaf].sum() + nodes.gamma.sum() == pytest.approx(best.bits, rel=1e-12)
    learned = sum(i % (shape[1] + shape[2]) >= shape[1] for i in range(len(string)))
    assert nodes.zeros[leaf].sum() + nodes.ones[leaf].sum() == learned
    assert tree.history().tolist() == string.tolist()


@given(shape=shapes, parts=strings)
@settings(deadline=None, max_examples=60)
def test_what_branchings_save_is_what_the_trees_save(
    shape: tuple[int, int, int], parts: tuple[bytes, bytes, bytes]
) -> None:
    tree = FactoredContextTree(*shape)
    tree.learn(string_of(parts))
    nodes = tree.best_nodes()
    saved = savings(nodes)
    uppermost = nodes.parent < 0
    single = (nodes.bits + np.where(nodes.looks_at < 0, nodes.gamma, 1))[uppermost].sum()  # one leaf for each tree
    assert saved.sum() == pytest.approx(single - tree.best_tree().bits, abs=1e-6)
    assert not saved[nodes.looks_at < 0].any()


def test_the_nodes_are_not_changed_by_what_is_undone() -> None:
    tree = FactoredContextTree(9, 1, 2)
    tree.learn(np.random.default_rng(1).integers(2, size=300))
    before, mark = tree.best_nodes(), tree.mark()
    tree.learn(np.ones(90, np.uint8))
    assert len(tree.history()) == 390
    tree.revert(mark)
    assert all(np.array_equal(one, other) for one, other in zip(before, tree.best_nodes(), strict=True))


def test_what_lies_between_is_worth_nothing_and_what_works_together_is() -> None:
    """The next bit is the parity of this cycle's action and that of two cycles ago: neither means anything alone."""
    coding = Coding(actions=2, action_bits=1, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)
    actions = np.random.default_rng(1).integers(2, size=2_000).tolist()
    tree = FactoredContextTree(12, 1, 2)
    for t, action in enumerate(actions):
        tree.learn(coding.cycle(action, 0, action ^ (actions[t - 2] if t > 1 else 0)))
    worth = worth_of_parts(tree.best_nodes(), coding, trees=range(1))
    assert [worth.pop(Part(lag, "action")) for lag in (0, 2)] == pytest.approx([2_000, 2_000], rel=0.08)
    assert max(worth.values()) < 4
    assert worth_of_parts(tree.best_nodes(), coding, trees=range(1, 2)) == {}


def test_what_decides_alone_is_worth_what_it_saves_at_once() -> None:
    """Action 1 pays 0; action 0 pays what the last two actions say: the leaf of action 1 is alone on its level."""
    coding = Coding(actions=2, action_bits=1, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)
    draws, tree, before = np.random.default_rng(1), FactoredContextTree(12, 1, 2), [0, 0]
    for _ in range(2_000):
        action = int(draws.integers(2))
        tree.learn(coding.cycle(action, 0, 0 if action else before[0] | before[1]))
        before = [before[1], action]
    worth = worth_of_parts(tree.best_nodes(), coding, trees=range(1))
    assert worth[Part(0, "action")] > 1_000


# ---------------------------------------------------------------------------------------------- contexts


@pytest.mark.parametrize("percept_bit", range(5))
def test_every_bit_of_context_is_where_it_was_written(percept_bit: int) -> None:
    """The place of each bit, found by writing cycles whose bits are all told apart."""
    coding = Coding(actions=4, action_bits=2, reward_bits=3, observation_bits=2, min_reward=0, max_reward=7)
    written = [(lag, *at) for lag in (2, 1, 0) for at in fields(coding)][: 2 * 7 + 2 + percept_bit]
    for place, (lag, field, bit) in enumerate(reversed(written)):
        assert context_bit(coding, percept_bit, place=place) == (Part(lag, field), bit)


def fields(coding: Coding) -> list[tuple[str, int]]:
    parts = {"action": coding.action_bits, "reward": coding.reward_bits, "observation": coding.observation_bits}
    return [(field, bit) for field, width in parts.items() for bit in range(width)]


def test_the_past_has_the_codes_that_were_written() -> None:
    coding = Coding(actions=3, action_bits=2, reward_bits=2, observation_bits=11, min_reward=0, max_reward=3)
    draws = random.Random(1)
    cycles = [(draws.randrange(3), draws.choice([3, 700, 2_047]), draws.choice([0, 2])) for _ in range(50)]
    bits = np.concatenate([*(coding.cycle(*cycle) for cycle in cycles), [1]])
    past = Past(coding, bits, reach=3)
    assert past.cycles == 50
    assert (past.codes("action"), past.codes("reward"), past.codes("observation")) == (
        [0, 1, 2],
        [0, 2],
        [3, 700, 2047],
    )
    assert past.codes_with("observation", {10: 1, 0: 0}) == {3}
    for lag in (0, 2):
        low = past.column(context_bit(coding, 4, place=lag * coding.cycle_bits + 4))
        assert low.tolist() == [0] * lag + [action & 1 for action, _, _ in cycles[: 50 - lag]]


class Named(Environment):
    """Nothing happens."""

    actions = ("stay", ("go", "far"))
    observations = tuple(f"room {n}" for n in range(40))
    rewards = (-1, 0, 0.25, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)

    def reset(self, seed: int) -> None: ...

    def step(self, action: int) -> Percept:
        return Percept(0, 0)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ({}, "always"),
        ({Part(0, "action"): {1}}, "the action is go far"),
        ({Part(1, "reward"): {0, 2}}, "the last reward was -1 or 0.25"),
        ({Part(2, "reward"): set(range(3, 13))}, "two cycles ago the reward was not -1, 0 nor 0.25"),
        ({Part(1, "reward"): set(range(6))}, "the last reward was at most 3"),
        ({Part(1, "reward"): set(range(7, 13))}, "the last reward was at least 5"),
        ({Part(1, "reward"): set(range(3, 9))}, "the last reward was 1 to 6"),
        ({Part(1, "observation"): {8, 9, 10, 11, 12, 13, 14, 15}}, "the last observation was of the form 001..."),
        (
            {Part(1, "observation"): {8, 9, 10, 11, 12, 23}},
            "the last observation was one of 6 (room 8, room 9 or room 10 ...)",
        ),
        ({Part(1, "observation"): {45}}, "the last observation was 45"),
        ({Part(n, "observation"): {3} for n in (2, 1, 3)}, "the last three observations were room 3"),
        (
            {Part(1, "observation"): {3}, Part(0, "action"): {0}, Part(3, "observation"): {3}},
            "the action is stay, the last observation was room 3 and three cycles ago the observation was room 3",
        ),
        ({Part(12, "action"): set()}, "12 cycles ago there was nothing yet"),
    ],
)
def test_conditions_are_said_in_words(codes: dict[Part, set[int]], words: str) -> None:
    seen = {"action": range(2), "reward": range(13), "observation": range(45)}
    frozen = {part: frozenset(each) for part, each in codes.items()}
    assert Phrases(Named()).context(frozen, seen=lambda field: seen[field]) == words


# ---------------------------------------------------------------------------------------------- rules


def test_rules_are_joined_where_they_differ_in_one_thing() -> None:
    last, before = Part(1, "action"), Part(2, "action")
    seen = {part: frozenset({0, 1, 2}) for part in (last, before)}

    def rule(a: int, b: int, p: float, cycles: int = 10) -> Situation:
        return Situation({last: frozenset({a}), before: frozenset({b})}, cycles, {0: p, 1: 1 - p})

    alike = [rule(a, b, 0.5) for a in range(3) for b in range(3) if (a, b) != (2, 2)]
    found = joined([*alike, rule(2, 2, 0.9)], seen)
    assert sorted((each.cycles, each.chances[0]) for each in found) == [(10, 0.9), (20, 0.5), (60, 0.5)]
    assert max(map(len, (each.codes for each in found))) == 2
    assert len(found[0].codes) == 1, "what may be anything is left out"
    assert joined([rule(0, 0, 0.9, 30), rule(1, 1, 0.9)], seen) == [rule(0, 0, 0.9, 30), rule(1, 1, 0.9)]
    (both,) = joined([rule(0, 0, 0.9, 30), rule(1, 0, 0.86, 10)], seen)
    assert both.chances[0] == pytest.approx(0.89)


def test_the_most_telling_rule_comes_first() -> None:
    usual, other, rare = (Situation({}, n, {0: p, 1: 1 - p}) for n, p in ((900, 0.5), (90, 0.99), (2, 0.01)))
    assert by_information([usual, rare, other]) == [other, usual, rare]


# ---------------------------------------------------------------------------------------------- small worlds


class Echo(Environment):
    """Shows one of three sides at random; pays 5 for naming the one that was shown two cycles ago, else -2."""

    actions = observations = ("left", "middle", "right")
    min_reward, max_reward = -2, 5

    def reset(self, seed: int) -> None:
        self.random, self.shown = random.Random(seed), [0, 0]

    def step(self, action: int) -> Percept:
        reward = 5 if action == self.shown[0] else -2
        self.shown = [self.shown[1], self.random.randrange(3)]
        return Percept(self.shown[1], reward)


def learned(environment: Environment, cycles: int, policy: Callable[[int], int] | None = None, depth: int = 24) -> Any:
    """A predictor that has seen some cycles of random actions."""
    predictor = build_agent(environment, settings=environment.settings._replace(depth=depth)).predictor
    environment.reset(1)
    actions = random.Random(2)
    for t in range(cycles):
        action = policy(t) if policy else actions.randrange(len(environment.actions))
        predictor.learn(environment.coding.cycle(action, *environment.step(action)))
    return predictor


def test_a_world_with_memory_is_said_in_words() -> None:
    echo = Echo()
    reward, observation = describe_trees(learned(echo, 1_500), echo).fields
    assert {look.part for look in reward.mattering} == {Part(0, "action"), Part(2, "observation")}
    assert observation.mattering == []
    assert [rule.when for rule in observation.rules] == ["always"]
    assert observation.rules[0].then.count("0.3") == 3
    said = {(rule.when, rule.then) for rule in reward.rules}
    for side in echo.actions:
        assert (f"the action is {side} and two cycles ago the observation was {side}", "5") in said
        assert (f"the action is {side} and two cycles ago the observation was not {side}", "-2") in said
    assert len(said) == 6
    assert sum(rule.cycles for rule in reward.rules) == 1_500
    assert reward.covered == 1.0


def test_rules_say_what_the_trees_predict() -> None:
    """In tiger, the probabilities are those of the rules of the game, up to what 4,000 cycles can tell."""
    tiger = make("tiger")
    predictor = learned(tiger, 4_000, policy=lambda t: t % 4 and (1 if t % 4 == 3 and t % 8 > 4 else 0))
    reward, observation = describe_trees(predictor, tiger, rules=64).fields
    assert ("the action is listen", "-1") in {(rule.when, rule.then) for rule in reward.rules}
    assert ("the reward is not -1", "nothing") in {(rule.when, rule.then) for rule in observation.rules}
    after_one = [rule for rule in observation.rules if rule.when.endswith("two cycles ago the observation was nothing")]
    assert after_one
    for rule in after_one:
        assert rule.probability == pytest.approx(0.85**2 + 0.15**2, abs=0.06)


def test_a_rule_keeps_what_sets_it_apart() -> None:
    """In the grid a reward of 1 means a new start, which matters little: but without it the rule would be wrong."""
    grid = make("4x4-grid")
    rules = describe_trees(learned(grid, 10_000), grid, rules=64).fields[0].rules
    assert "the action is down or right" not in [rule.when for rule in rules]
    assert "the action is down or right and the last reward was 1" in [rule.when for rule in rules]


def test_numbers_belong_together() -> None:
    echo = Echo()
    predictor = learned(echo, 400)
    tree, best = describe_trees(predictor, echo), predictor.best_tree()
    assert (tree.cycle, tree.leaves, tree.leaves) == (400, best.leaves, sum(field.leaves for field in tree.fields))
    assert tree.bits == pytest.approx(best.bits, rel=1e-12)
    assert 0 < tree.shape_bits < tree.bits
    assert len(tree.sentences) <= 8
    content = json.loads(json.dumps(tree.as_json()))
    assert set(content) >= {"cycle", "leaves", "bits", "depth", "sentences", "fields"}
    assert set(content["fields"][0]["rules"][0]) == {"when", "then", "count", "probability"}
    assert predictor.history().size == 400 * echo.coding.cycle_bits


def test_describing_changes_nothing() -> None:
    echo = Echo()
    predictor = learned(echo, 200)
    before = predictor.snapshot()
    describe_trees(predictor, echo)
    assert predictor.snapshot() == before


@pytest.mark.parametrize("cycles", [0, 1, 2])
def test_there_is_something_to_say_of_the_first_cycles(cycles: int) -> None:
    tree = describe_trees(learned(Echo(), cycles), Echo())
    assert (tree.cycle, tree.leaves) == (
        cycles,
        cycles and 5,
    )  # a tree each for three bits of reward, two of observation
    assert tree.text()


def test_where_contexts_are_too_many_there_are_rules_of_bits() -> None:
    class Copy(Environment):
        """Shows the number of the action, in 8 bits."""

        actions, observations, min_reward, max_reward = range(256), range(256), 0, 0

        def reset(self, seed: int) -> None: ...

        def step(self, action: int) -> Percept:
            return Percept(action, 0)

    copy = Copy()
    observation = describe_trees(learned(copy, 8_000, depth=16), copy, rules=20).fields[1]
    assert {look.part for look in observation.mattering} == {Part(0, "action")}
    assert len(observation.rules) == 20
    for rule in observation.rules:
        assert rule.of_bit
        assert rule.probability > 0.9
        bit, value = re.fullmatch(r"bit (\d) of 8 is ([01])", rule.then).groups()  # type: ignore[union-attr]
        form = re.search(r"the action is of the form ([01.]{8})", rule.when)
        assert form is None or form[1][int(bit) - 1] == value


def test_another_predictor_has_no_trees() -> None:
    tiger = make("tiger")
    with pytest.raises(ValueError, match="TrueModel has no context trees: take the model ctw"):
        describe_trees(build_agent(tiger, "true").predictor, tiger)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the predictor reads 2 action and 9 percept bits a cycle, CoinFlip writes 1"):
        describe_trees(build_agent(tiger).predictor, make("coin-flip"))  # type: ignore[arg-type]


def test_what_is_new_between_two_moments() -> None:
    echo = Echo()
    trees = [describe_trees(learned(echo, cycles), echo) for cycles in (10, 1_500)]
    growth = growth_between(*trees)
    assert ("reward", Part(2, "observation")) in growth.begun
    assert growth.leaves == (trees[0].leaves, trees[1].leaves)
    assert "for the reward, it now looks at" in growth.sentences()[0]
    back = growth_between(trees[1], trees[0])
    assert (back.begun, back.forgotten) == (growth.forgotten, growth.begun)
    assert growth_between(trees[0], trees[0]).sentences() == []
    assert json.loads(json.dumps(growth.as_json()))["begun"][0]["for"] == "reward"
    assert {part for _, part in growth_between(None, trees[1]).begun} == {Part(0, "action"), Part(2, "observation")}


# ---------------------------------------------------------------------------------------------- the command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """The current folder, with a run of 60 cycles."""
    monkeypatch.chdir(tmp_path)
    main(["run", "biased-rps", *SHORT, "--out", "run"])
    capsys.readouterr()
    return tmp_path


def printed(capsys: Captured, *arguments: str) -> dict[str, Any]:
    main(["tree", *arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_run_and_its_agent_and_learning_anew_have_the_same_trees(place: Path, capsys: Captured) -> None:
    of_run = printed(capsys, "run", "--stages", "3")
    assert [tree["cycle"] for tree in of_run["trees"]] == [1, 6, 60]
    assert printed(capsys, "run/agent.aixi", "--stages", "3") == of_run
    anew = printed(capsys, "biased-rps", "--cycles", "20", "--seed", "1", "--depth", "9")
    assert (anew["depth"], anew["trees"][-1]["cycle"]) == (9, 20)
    assert anew == printed(capsys, "biased-rps", "--cycles", "20", "--seed", "1", "--depth", "9")


def test_the_trees_of_a_cycle_are_those_of_a_shorter_run(place: Path, capsys: Captured) -> None:
    at = printed(capsys, "run", "--cycle", "30", "--stages", "1")["trees"]
    main(["run", "biased-rps", *SHORT, "--cycles", "30", "--out", "short"])
    capsys.readouterr()
    assert printed(capsys, "short", "--stages", "1")["trees"] == at


def test_the_text_has_stages_and_rules(place: Path, capsys: Captured) -> None:
    main(["tree", "run", "--rules", "2"])
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == "The context trees of an agent in biased-rps"
    assert [line.partition(":")[0] for line in lines if line.startswith("after ")][-1] == "after 60 cycles"
    assert 1 <= sum(line.startswith("  ") and line.endswith("cycles)") for line in lines) <= 4
    main(["tree", "run", "--stages", "1"])
    assert "after 60 cycles:" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tree tigre", "no environment 'tigre': did you mean tiger?"),
        ("tree absent/", "there is no folder absent/: name that of `aixi run ... --out`, or an environment"),
        ("tree absent.aixi", "absent.aixi: No such file"),
        ("tree empty", "empty holds no run: name the folder of `aixi run ... --out`"),
        ("tree other", "other is not empty and holds no run"),
        ("tree run --cycle 61", "run has 60 cycles of learning: there is no cycle 61"),
        ("tree run --depth 3", "--depth is for an environment, and run has learned already: leave it out"),
        ("tree run --stages 0", "'--stages': 0 is not in the range"),
        ("tree notes.aixi", "notes.aixi is no file of this package"),
        ("tree q", "q: its agent has no context trees that could be read: take one of the model ctw"),
        ("tree untaught", "untaught holds a run without a cycle: let it run first"),
        ("tree older", "older was written by version 0.0.1"),
        ("tree foreign", "my.py:Lake, code outside this package: --trust runs it"),
        ("tree broken", "broken/learning.csv, line 3 was changed or damaged"),
    ],
)
def test_what_has_no_trees_is_refused_in_one_line(place: Path, arguments: str, message: str, capsys: Captured) -> None:
    manifest = (place / "run" / "manifest.json").read_text()
    for folder in ("empty", "other", "older", "foreign", "broken"):
        (place / folder).mkdir()
    (place / "other" / "notes.txt").write_text("no run")
    (place / "notes.aixi").write_text("no agent")
    (place / "older" / "manifest.json").write_text(json.dumps({"version": "0.0.1", "options": {}}))
    (place / "broken" / "manifest.json").write_text(manifest)
    rows = (place / "run" / "learning.csv").read_text().splitlines(keepends=True)
    (place / "broken" / "learning.csv").write_text("".join([*rows[:2], "9" + rows[2], *rows[3:]]))
    if "foreign" in arguments:
        write_foreign(place / "foreign", json.loads(manifest))
    if arguments.endswith(" q"):
        main(["run", "coin-flip", "--planner", "q-learning", "--cycles", "9", "--evaluate", "0", "--out", "q"])
    if "untaught" in arguments:
        main(["run", "coin-flip", "--cycles", "0", "--evaluate", "0", "--out", "untaught"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def write_foreign(folder: Path, manifest: dict[str, Any]) -> None:
    """A run in an environment of somebody else's, which must not be loaded."""
    from aixi_approx.execution.folder import write_atomically

    (folder.parent / "my.py").write_text("raise SystemExit('it was run')")
    manifest["options"]["environment"] = "my.py:Lake"
    del manifest["check"]
    write_atomically(folder / "manifest.json", manifest)


def test_names_cannot_control_a_terminal(place: Path, capsys: Captured) -> None:
    (place / "my.py").write_text(
        "from aixi_approx import Environment, Percept\n"
        "class Lake(Environment):\n"
        "    actions, observations, min_reward, max_reward = ('a', 'b'), ('\\x1b[31mred', 'blue'), 0, 1\n"
        "    def reset(self, seed): pass\n"
        "    def step(self, action): return Percept(action, action)\n"
    )
    main(["tree", "my.py:Lake", "--cycles", "30"])
    out, _ = capsys.readouterr()
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


def test_an_agent_that_did_not_learn_all_of_its_history_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coin = make("coin-flip")
    agent = build_agent(coin, simulations=2, seed=1)
    coin.reset(0)
    deque(interact(agent, coin, cycles=50), maxlen=0)
    deque(interact(agent, coin, cycles=30, learn=False), maxlen=0)
    agent.save(tmp_path / "coin.aixi")
    told = describe_trees(agent.predictor, coin)  # type: ignore[arg-type]
    assert told.cycle == 50
    main(["tree", str(tmp_path / "coin.aixi"), "--json"])
    (stage,) = json.loads(capsys.readouterr().out)["trees"]
    assert (stage["cycle"], stage["leaves"], stage["bits"]) == (50, told.leaves, told.bits)
    with pytest.raises(SystemExit):
        main(["tree", str(tmp_path / "coin.aixi"), "--cycle", "20"])
    assert "took in cycles that it did not learn" in capsys.readouterr().err


def test_what_a_run_began_with_is_counted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--simulations", "2", "--evaluate", "0"]
    main(["run", "coin-flip", "--cycles", "40", *short, "--out", str(tmp_path / "base")])
    main(
        ["run", "coin-flip", "--cycles", "20", *short, "--from", str(tmp_path / "base"), "--out", str(tmp_path / "on")]
    )
    capsys.readouterr()
    main(["tree", str(tmp_path / "on"), "--stages", "1"])
    out = capsys.readouterr().out
    assert "It began with what was learned in 40 cycles" in out
    assert "After 60 cycles" in out


def test_no_more_stages_than_cycles() -> None:
    assert stages(20, 1_999_999_999) == stages(20, 20)
    assert stages(20, 20)[-1] == 20
