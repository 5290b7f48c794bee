"""Games of OpenSpiel here: trees, perfect opponents, what is played as it is, and agents of ours as its bots."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from aixi_approx import POMDP, build_agent, interact, make, solve
from aixi_approx.conformance.by_name import check
from aixi_approx.environment import EnvironmentFault

pyspiel = pytest.importorskip("pyspiel", reason="OpenSpiel is not installed: pip install open_spiel")

from open_spiel.python import policy as policies  # noqa: E402
from open_spiel.python.algorithms import expected_game_score, exploitability  # noqa: E402

from aixi_approx.envs.from_open_spiel import OVER, Bot, OpenSpielGame, OpenSpielTree, Tensors  # noqa: E402
from aixi_approx.envs.open_spiel_tree import Tree  # noqa: E402

# Values, per game.


@pytest.mark.parametrize(
    ("name", "cycles", "value"),
    [
        ("kuhn_poker?opponent=perfect", 2, -1 / 18),
        ("kuhn_poker?opponent=perfect&player=1", 1, 1 / 18),
        ("leduc_poker?opponent=perfect", 4, -0.085606424),  # Southey et al. 2005; OpenSpiel's own solvers
        ("tic_tac_toe?opponent=perfect", 5, 0),
        ("tic_tac_toe?opponent=perfect&player=1", 4, 0),
        ("tic_tac_toe", 5, 191 / 192),
        ("nim(pile_sizes=1;2)?opponent=perfect", 2, 1),
        ("nim?pile_sizes=1;2;3&opponent=perfect", 3, -1),  # the nim sum is 0
        ("catch", 9, 1),
        ("deep_sea", 5, 0.99),
    ],
)
def test_the_best_reward_per_cycle_is_the_value_of_a_game_over_its_cycles(name: str, cycles: int, value: float) -> None:
    game = make(f"open_spiel:{name}")
    assert isinstance(game, OpenSpielTree)
    assert game.turns == cycles
    solution = solve(game)
    assert (solution.lower * cycles, solution.upper * cycles) == (pytest.approx(value, abs=1e-8),) * 2


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "liars_dice(dice_sides=3)"])
@pytest.mark.parametrize("player", [0, 1])
def test_nobody_earns_more_than_the_value_against_the_perfect_opponent(name: str, player: int) -> None:
    game = pyspiel.load_game(name)
    tree = Tree(game)
    plan = tree.perfect(player)
    theirs = {
        node.seen: dict(zip(node.actions, plan[i], strict=True)) for i, node in enumerate(tree.nodes) if i in plan
    }
    uniform = policies.UniformRandomPolicy(game)

    class Both(policies.Policy):
        def action_probabilities(self, state: Any, player_id: Any = None) -> Any:
            if state.current_player() == player:
                return uniform.action_probabilities(state)
            return theirs[state.information_state_string()]

    best = exploitability.best_response(game, Both(game, [0, 1]), player)["best_response_value"]
    other = exploitability.best_response(game, Both(game, [0, 1]), player)["on_policy_value"]
    value = solve(make(f"open_spiel:{name}?opponent=perfect&player={player}"))
    assert best == pytest.approx(value.lower * make(f"open_spiel:{name}?player={player}").turns, abs=1e-8)
    opposite = Tree(game).perfect(1 - player)
    assert set(opposite).isdisjoint(plan)
    worst = solve(make(f"open_spiel:{name}?opponent=perfect&player={1 - player}")).lower
    assert best == pytest.approx(-worst * make(f"open_spiel:{name}?player={1 - player}").turns, abs=1e-8)
    assert other <= best


HIDDEN = """EFG 2 R "hidden" { "one" "two" } ""
c "" 1 "" { "x" 1/4 "y" 3/4 } 0
p "" 1 1 "" { "U" "D" } 0
p "" 2 1 "" { "L" "R" } 0
t "" 1 "" { 4 -4 }
t "" 2 "" { 0 0 }
p "" 2 1 "" { "L" "R" } 0
t "" 3 "" { 0 0 }
t "" 4 "" { 0 0 }
p "" 1 1 "" { "U" "D" } 0
p "" 2 1 "" { "L" "R" } 0
t "" 5 "" { 0 0 }
t "" 6 "" { 0 0 }
p "" 2 1 "" { "L" "R" } 0
t "" 7 "" { 0 0 }
t "" 8 "" { 4 -4 }
"""  # on average, the first player gets 1 for U and L, 3 for D and R, and else nothing


def test_chance_that_nobody_sees_is_averaged_over() -> None:
    tree = Tree(pyspiel.load_efg_game(HIDDEN))
    plan = {tuple(np.round(plan, 9)) for plan in tree.perfect(0).values()}
    assert plan == {(0.75, 0.25)}
    assert {tuple(np.round(plan, 9)) for plan in tree.perfect(1).values()} == {(0.75, 0.25)}


@pytest.mark.parametrize("name", ["kuhn_poker", "kuhn_poker(players=3)", "tic_tac_toe", "leduc_poker", "tiny_hanabi"])
def test_the_random_agent_earns_what_open_spiel_says(name: str) -> None:
    game = make(f"open_spiel:{name}")
    assert isinstance(game, OpenSpielTree)
    uniform = policies.UniformRandomPolicy(game.game)
    expected = expected_game_score.policy_value(
        game.game.new_initial_state(), [uniform] * game.game.num_players(), probability_threshold=0
    )
    assert game.random_reward * game.turns == pytest.approx(expected[0], abs=1e-9)


def test_games_may_be_as_long_as_they_happen_to_be_and_then_it_pays_to_lose_slowly() -> None:
    short = make("open_spiel:kuhn_poker?opponent=perfect&equal=False")
    assert isinstance(short, OpenSpielTree)
    assert short.turns == 0
    assert solve(short).lower > -1 / 18 + 0.01
    assert "Games follow each other without a pause." in short.rules


# Percepts.


def test_a_game_is_played_as_open_spiel_plays_it() -> None:
    game = make("open_spiel:leduc_poker?player=1")
    assert isinstance(game, OpenSpielTree)
    game.reset(5)
    random, node, rewards = np.random.default_rng(1), -1, []
    for _ in range(1 + 400 * game.turns):
        state = game.states[game.current]
        if state[0] >= 0:
            here = game.tree.state(game.tree.nodes[state[0]])
            assert here.current_player() == 1
            assert [game.native[i] for i in game.legal()] == here.legal_actions()
            assert game.seen(here) == node
            assert game.observations[node] == here.information_state_string(1)
            assert game.render() == str(here)
        else:
            assert game.render() == OVER
        percept = game.checked_step(int(random.integers(3)))
        rewards.append(percept.reward)
        node = percept.observation
    returns = np.sum(np.reshape(rewards[1:], (400, game.turns)), axis=1)  # the first cycle waits
    assert set(returns) <= {*range(-13, 0, 2), 0, *range(1, 14, 2)}  # 0 for equal hands
    assert rewards[0] == 0
    assert len(set(returns)) > 6


@pytest.mark.parametrize("name", ["kuhn_poker", "tic_tac_toe?opponent=perfect"])
def test_the_check_passes(name: str) -> None:
    assert check(f"open_spiel:{name}", cycles=50).passed


def test_rewards_do_not_depend_on_the_opponent_and_are_few() -> None:
    codings = [make(f"open_spiel:leduc_poker{options}").coding for options in ("", "?opponent=perfect")]
    assert codings[0] == codings[1]
    assert codings[0].rewards == (*range(-13, 0, 2), 0, *range(1, 14, 2))
    assert codings[0].reward_bits == 4


def test_positions_that_look_the_same_are_one_and_never_those_that_are_not() -> None:
    assert len(Tree(pyspiel.load_game("tic_tac_toe")).nodes) == 5478

    open_game = Tree(pyspiel.load_game("tic_tac_toe"))
    assert open_game.open
    keys = {(node.depth, node.player, node.seen) for node in open_game.nodes if node.player >= 0}
    assert len(keys) == sum(node.player >= 0 for node in open_game.nodes)


# What is too large.


def test_a_large_game_is_played_as_it_is() -> None:
    game = make("open_spiel:liars_dice")
    assert isinstance(game, OpenSpielGame)
    assert not isinstance(game, POMDP)
    assert game.coding.observation_bits == 21
    assert (game.min_reward, game.max_reward) == (-1, 1)
    assert game.checked_step(0).reward == 0
    seen = set()
    for i in range(300):
        assert set(game.legal()) <= set(range(13))
        percept = game.checked_step(i % 13)
        seen.add(percept.reward)
        assert game.seen(game.state) == percept.observation
    assert seen == {-1, 0, 1}
    game.reset(1)
    first = [game.checked_step(i % 13) for i in range(50)]
    other = make("open_spiel:liars_dice")
    other.reset(1)
    assert [other.checked_step(i % 13) for i in range(50)] == first
    game.reset(2)
    assert [game.checked_step(i % 13) for i in range(50)] != first


def test_tensors_are_numbers() -> None:
    tensors = Tensors(62)
    assert tensors[tensors.index("1" * 62)] == "1" * 62
    assert "01" not in tensors
    with pytest.raises(IndexError, match="no observation"):
        tensors[-1]


# What is refused.


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kuhn_pokr", "there is no game 'kuhn_pokr': did you mean kuhn_poker?"),
        ("", "there is no game ''"),
        ("kuhn_poker?playerz=3", "there is no option playerz: player, opponent, equal, rewards, players"),
        ("kuhn_poker?players=99", "players"),
        ("kuhn_poker?player=2", "player is 2: the seats are 0 to 1"),
        ("kuhn_poker?player=a", "player is 'a'"),
        ("kuhn_poker?opponent=god", "opponent is 'god': it must be one of uniform, perfect"),
        ("kuhn_poker?equal=3", "equal is 3: it is True or False"),
        ("kuhn_poker?opponent", "'opponent' is no option: write name=value"),
        ("kuhn_poker?rewards=0,1", "rewards are known where the tree is: leave the option out"),
        ("kuhn_poker(players=3)?opponent=perfect", "known where all is seen, and for two players with zero sum"),
        ("catch?opponent=uniform", "there is no opponent in a game of one player"),
        ("goofspiel", r"players move at once: name it open_spiel:turn_based_simultaneous_game\(game=goofspiel\(\)\)"),
        ("mfg_crowd_modelling", "it is a game of a whole population"),
        ("negotiation", "its chances are its own secret"),
        (
            "liars_dice?opponent=perfect",
            "opponent=perfect takes the tree of the game, and its tree has more than 100,000",
        ),
        ("liars_dice?equal=True", "equal=True takes the tree of the game"),
        ("chess", "more than 100,000 nodes, and its tensors have 1280 numbers, where at most 62 will do"),
    ],
)
def test_what_is_wrong_is_one_clear_line(name: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EnvironmentFault, match=message) as fault:
        make(f"open_spiel:{name}")
    assert str(fault.value).startswith(f"open_spiel:{name}: ")
    assert "\n" not in str(fault.value)


def test_games_without_sight_of_each_other_are_played_turn_by_turn() -> None:
    game = make("open_spiel:turn_based_simultaneous_game(game=matrix_rps())?opponent=perfect")
    assert solve(game).lower == pytest.approx(0, abs=1e-9)


# The other way.


@pytest.mark.parametrize("name", ["kuhn_poker?player=1", "tic_tac_toe", "kuhn_poker", "kuhn_poker?equal=False"])
def test_an_agent_is_a_bot_and_sees_what_it_sees_in_the_environment(name: str) -> None:
    """A bot whose agent plays at random, beside bots that do: the percepts are ones that the environment can give."""
    game = make(f"open_spiel:{name}")
    assert isinstance(game, OpenSpielTree)
    agent = build_agent(game, planner="random", seed=1)
    seen: list[Any] = []
    observe = agent.observe
    agent.observe = lambda action, percept, *, learn: (seen.append((action, percept)), observe(action, percept))[1]  # type: ignore[method-assign, assignment, misc]
    bot, player = Bot(agent, game), game.player
    bots = [pyspiel.make_uniform_random_bot(seat, 7) for seat in range(2)]
    bots[player] = bot
    returns = [pyspiel.evaluate_bots(game.game.new_initial_state(), bots, seed)[player] for seed in range(40)]
    bot.restart()
    from aixi_approx.pomdp.belief import believe

    believe(game, seen)  # raises if the environment can't give these percepts
    assert sum(percept.reward for _, percept in seen) + bot.due == sum(returns)
    if game.turns:
        assert len(seen) == 40 * game.turns
        for i, value in enumerate(returns):
            mine = seen[1 + i * game.turns : 1 + (i + 1) * game.turns]
            assert sum(percept.reward for _, percept in mine) + bot.due * (i == 39) == value


def test_what_an_agent_has_learned_counts_in_the_evaluation_of_open_spiel() -> None:
    game = make("open_spiel:kuhn_poker?player=1")
    assert isinstance(game, OpenSpielTree)
    agent = build_agent(game, settings=game.settings._replace(simulations=30, decay=0.998), seed=2)
    for _ in interact(agent, game, cycles=3_000):
        pass
    best = solve(game).lower
    with agent.evaluation():
        bots = [pyspiel.make_uniform_random_bot(0, 11), Bot(agent, game)]
        returns = [pyspiel.evaluate_bots(game.game.new_initial_state(), bots, seed)[1] for seed in range(1_000)]
    random = game.random_reward
    assert np.mean(returns) > random + 0.5 * (best - random)
    assert best == pytest.approx(5 / 12)


def test_without_open_spiel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyspiel", None)
    for module in ("from_open_spiel", "open_spiel_tree"):
        monkeypatch.delitem(sys.modules, f"aixi_approx.envs.{module}", raising=False)
    with pytest.raises(EnvironmentFault, match=re.escape("need it installed: pip install open_spiel")):
        make("open_spiel:kuhn_poker")
