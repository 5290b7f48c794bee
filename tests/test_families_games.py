"""The families of games: their rules against slow twins, their optima against the solver."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import play
from scipy.sparse.csgraph import connected_components

from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.envs.bandit import Bandit
from aixi_approx.envs.board import Boards
from aixi_approx.envs.hex import Hex, connected
from aixi_approx.envs.matrix_game import GAMES, MatrixGame
from aixi_approx.envs.nim import Nim
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import best_reward, solve

FAMILIES = {"nim": Nim, "hex": Hex, "bandit": Bandit, "matrix": MatrixGame}
NAMES = [f"{family}:{size}" for family, kind in FAMILIES.items() for size in kind.sizes]


@cache
def built(name: str) -> POMDP:
    environment = make(name)
    assert isinstance(environment, POMDP)
    return environment


# All of them.


@pytest.mark.parametrize("name", NAMES)
def test_every_size_keeps_the_contract(name: str) -> None:
    environment = built(name)
    assert environment.hidden
    assert environment.difficulty
    actions = np.random.default_rng(1).integers(len(environment.actions), size=300).tolist()
    percepts = play(environment, 1, actions)
    assert play(environment, 1, actions) == percepts != play(environment, 2, actions)
    coding = environment.coding
    for action, percept in zip(actions, percepts, strict=True):
        bits = coding.cycle(action, *percept)
        assert coding.percept(bits[coding.action_bits :]) == percept


@pytest.mark.parametrize("name", NAMES)
def test_states_have_pictures_of_their_own(name: str) -> None:
    environment, pictures = built(name), set()
    count = min(environment.size, 500)
    for state in range(count):
        environment.current = state
        pictures.add(environment.checked_render())
    assert len(pictures) == count


@pytest.mark.parametrize(
    "name", ["nim:8-perfect", "nim:13-perfect", "hex:2-perfect", "hex:3-perfect", "bandit:2", "bandit:3"]
)
def test_declared_optima_are_those_of_the_solver(name: str) -> None:
    environment = built(name)
    solution = solve(environment)
    assert environment.optimum == pytest.approx(solution.lower, abs=1e-9)
    assert environment.optimum == pytest.approx(solution.upper, abs=1e-9)


@pytest.mark.parametrize("name", ["nim:8-random", "hex:2-random", "matrix:dilemma-any", "matrix:pennies-random"])
def test_optima_that_are_not_declared_are_solved_for(name: str) -> None:
    environment = built(name)
    assert environment.optimum is None
    assert best_reward(environment) == pytest.approx(solve(environment).lower, abs=1e-9)
    at_random = environment.random_reward
    assert best_reward(environment) >= at_random - 1e-9
    assert (best_reward(environment) > at_random + 0.1) == (name != "matrix:pennies-random")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nim:3-perfect", "the number of stones is 3: it must lie in 4 to 200"),
        ("nim:201", "the number of stones is 201: it must lie in 4 to 200"),
        ("nim:perfect", "the number of stones is 'perfect': it must be a whole number"),
        ("nim:8-clever", "the opponent is 'clever': it must be one of random, perfect"),
        ("nim:8-2", "the opponent is 2: it must be one of random, perfect"),
        ("hex:1", "the side of the board is 1: it must lie in 2 to 3"),
        ("hex:4-random", "the side of the board is 4: it must lie in 2 to 3"),
        ("hex:3-clever", "the opponent is 'clever': it must be one of random, perfect"),
        ("bandit:1", "the number of arms that may be good is 1: it must lie in 2 to 100"),
        ("bandit:many", "the number of arms that may be good is 'many': it must be a whole number"),
        ("matrix:go", "the game is 'go': it must be one of dilemma, stag, chicken, pennies, battle"),
        (
            "matrix:stag-bob",
            "the opponent is 'bob': it must be one of cooperate, defect, tft, grim, pavlov, random, any",
        ),
        ("matrix:stag-tft-3", "its parameters are GAME-OPPONENT, for example matrix:dilemma-tft"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        make(name)
    assert str(caught.value) == f"{name}: {message}"


@given(squares=st.integers(1, 6), marks=st.sampled_from(["-XO", "01", "012345"]), data=st.data())
@settings(deadline=None)
def test_boards_are_numbered(squares: int, marks: str, data: st.DataObject) -> None:
    boards = Boards(squares, marks)
    board = data.draw(st.text(marks, min_size=squares, max_size=squares))
    bits = {2: 1, 3: 2, 6: 3}[len(marks)]
    assert boards.index(board) == int("".join(f"{marks.index(mark):0{bits}b}" for mark in board), 2) < len(boards)
    assert boards[boards.index(board)] == board
    assert board in boards
    assert len(boards) == 2 ** (bits * squares)
    assert not any(wrong in boards for wrong in (board + board[0], board[1:], board[1:] + "!", 0))


# Duels. Their perfect play against a solver that knows nothing but the rules.


def takes_the_last(stones: int) -> bool:
    """Whether who is to move wins: some move takes the last stone, or leaves a heap from which the other does not."""
    wins = [False]
    for left in range(1, stones + 1):
        wins.append(any(not wins[left - taken] for taken in (1, 2, 3) if taken <= left))
    return wins[stones]


@pytest.mark.parametrize("stones", range(1, 41))
def test_multiples_of_four_are_lost(stones: int) -> None:
    nim = built("nim:40-random")
    for player in "XO":
        winning = nim.winning(stones, player)
        assert winning == ([n for n in (1, 2, 3) if n >= stones] if stones < 4 else [stones % 4][: stones % 4])
        assert bool(winning) == takes_the_last(stones)


def joined(board: str, side: int, player: str) -> bool:
    """Whether a player's marks connect its sides, from the components of a graph; cube coordinates say what is near."""
    places = [divmod(place, side) for place, mark in enumerate(board) if mark == player]
    near = [[max(abs(r - s), abs(c - d), abs(r + c - s - d)) <= 1 for s, d in places] for r, c in places]
    _, group = connected_components(np.array(near).reshape(len(places), len(places)), directed=False)
    ends = [{group[i] for i, place in enumerate(places) if place[player == "O"] == end} for end in (0, side - 1)]
    return bool(ends[0] & ends[1])


BOARDS = st.integers(2, 5).flatmap(lambda n: st.text("-XO", min_size=n * n, max_size=n * n))
FULL = st.integers(2, 5).flatmap(lambda n: st.text("XO", min_size=n * n, max_size=n * n))


@given(BOARDS)
@settings(deadline=None)
def test_chains_of_hex_are_components_of_a_graph(board: str) -> None:
    side = round(len(board) ** 0.5)
    for player in "XO":
        assert connected(board, side, player=player) == joined(board, side, player)


@given(FULL)
@settings(deadline=None)
def test_of_a_full_board_exactly_one_player_has_won(board: str) -> None:
    side = round(len(board) ** 0.5)
    assert connected(board, side, player="X") != connected(board, side, player="O")


@cache
def to_move_wins(board: str, player: str) -> bool:
    """Whether who is to move wins at Hex, by exhaustive search."""
    side, other = round(len(board) ** 0.5), "XO"[player == "X"]
    after = [board[:i] + player + board[i + 1 :] for i, mark in enumerate(board) if mark == "-"]
    return any(joined(then, side, player) or not to_move_wins(then, other) for then in after)


@pytest.mark.parametrize("side", [2, 3])
def test_who_moves_first_wins_at_hex(side: int) -> None:
    assert to_move_wins("-" * side**2, "X")
    assert to_move_wins("-" * side**2, "O")


def agent_wins(environment: POMDP, board: Any) -> bool:
    return takes_the_last(board) if isinstance(environment, Nim) else to_move_wins(board, "X")


@pytest.mark.parametrize("name", ["nim:14-perfect", "nim:16-perfect", "hex:2-perfect", "hex:3-perfect"])
def test_the_perfect_opponent_never_loses_what_it_has_won(name: str) -> None:
    environment, kept, lost = built(name), 0, 0
    for board in environment.states[:: 1 + environment.size // 400]:
        hopes = []
        for action in environment.actions:
            outcomes = [o for o in environment.outcomes(board, action) if o.probability > 0]
            assert sum(o.probability for o in outcomes) == pytest.approx(1)
            hopes.append([o.reward or (1 if agent_wins(environment, o.state) else -1) for o in outcomes])
        assert all(len(set(hope)) == 1 for hope in hopes), "a move decides the game"
        assert any(hope[0] == 1 for hope in hopes) == agent_wins(environment, board)
        kept, lost = kept + agent_wins(environment, board), lost + (not agent_wins(environment, board))
    assert kept
    assert lost


@pytest.mark.parametrize("name", ["nim:14-perfect", "nim:9-random", "hex:3-perfect", "hex:2-random"])
def test_where_nothing_wins_it_plays_at_random(name: str) -> None:
    environment = built(name)
    for board in environment.states[::7]:
        for action in environment.moves(board):
            mine = environment.move(board, action, player="X")
            if not environment.won(mine, "X"):
                hopeless = environment.opponent == "random" or not environment.winning(mine, "O")
                moves = environment.moves(mine) if hopeless else environment.winning(mine, "O")
                assert environment.answers(mine) == moves
                going_on = [o for o in environment.outcomes(board, action) if o.reward == 0]
                assert all(o.probability == pytest.approx(1 / len(moves)) for o in going_on)


@pytest.mark.parametrize(
    ("name", "first"), [("nim:8-perfect", [1, 2, 3]), ("nim:9-perfect", [1]), ("hex:2-perfect", [1, 2])]
)
def test_a_coin_decides_who_moves_first(name: str, first: list[int]) -> None:
    environment = built(name)
    after = {environment.move(environment.new, action, player="O"): 1 / 2 / len(first) for action in first}
    assert environment.start() == {environment.new: 1 / 2, **after}


def test_a_taken_hexagon_loses_the_game() -> None:
    environment = built("hex:2-random")
    assert all(o.reward == -1 for o in environment.outcomes("X--O", 3))
    assert {o.state for o in environment.outcomes("X--O", 3)} == set(environment.start())
    assert {o.reward for o in environment.outcomes("X--O", 2)} == {1}, "below X is X"
    assert {o.reward for o in environment.outcomes("O--X", 2)} == {-1}, "O is left with the other one of the top row"


# The bandit.


def test_arms_pay_what_they_should() -> None:
    bandit = built("bandit:3")
    for arm, pays in {"safe": 0.5, 1: 0, 2: 0.8, 3: 0}.items():
        found = list(bandit.outcomes(2, arm))
        assert sum(o.probability * o.reward for o in found) == pytest.approx(pays)
        assert sum(o.probability for o in found if o.observation == "drawn anew") == pytest.approx(0.05)
        assert all(o.state == 2 for o in found if o.observation == "as before")
        for good in (1, 2, 3):
            there = [o.probability for o in found if (o.state, o.observation) == (good, "drawn anew")]
            assert sum(there) == pytest.approx(0.05 / 3)


@pytest.mark.parametrize(("arms", "horizon"), [(2, 2), (3, 4)])
def test_exploration_pays_only_for_those_who_look_ahead(arms: int, horizon: int) -> None:
    solution = solve(built(f"bandit:{arms}"))
    assert solution.receding_reward(horizon - 1) == pytest.approx(0.5)
    assert solution.receding_reward(horizon) == pytest.approx(solution.lower)


def test_many_arms_are_not_worth_trying() -> None:
    assert [Bandit(arms).optimum > 0.5 for arms in (14, 15, 16, 17)] == [True, True, False, False]
    assert Bandit(20).optimum == 0.5


# Matrix games.

IMITATIONS = {  # what is played next after the rounds of a match, each (agent's action, opponent's action), 0 or 1
    "cooperate": lambda rounds: 0,
    "defect": lambda rounds: 1,
    "tft": lambda rounds: rounds[-1][0] if rounds else 0,
    "grim": lambda rounds: int(any(mine == 1 for mine, _ in rounds)),
}
WINS = {  # rounds after which the opponent is content, as (agent's action, its own)
    "dilemma": [(0, 0), (0, 1)],
    "stag": [(0, 0), (0, 1)],
    "chicken": [(0, 0), (0, 1)],
    "pennies": [(0, 1), (1, 0)],
    "battle": [(0, 0), (1, 1)],
}


def pavlov(game: str, rounds: list[tuple[int, int]]) -> int:
    move = 0
    for played in rounds:
        assert played[1] == move
        move = move if played in WINS[game] else 1 - move
    return move


@pytest.mark.parametrize("opponent", ["cooperate", "defect", "tft", "grim", "pavlov"])
@pytest.mark.parametrize("game", GAMES)
def test_automata_do_what_their_imitations_do(game: str, opponent: str) -> None:
    environment = built(f"matrix:{game}-{opponent}")
    actions = (np.random.default_rng(3).random(600) < np.repeat([0.5, 0.1, 0.9], 200)).astype(int).tolist()
    rounds: list[tuple[int, int]] = []
    matches = 1
    for action, percept in zip(actions, play(environment, 5, actions), strict=True):
        move, end = environment.observations[percept.observation]
        number = environment.actions.index(move)
        assert number == (pavlov(game, rounds) if opponent == "pavlov" else IMITATIONS[opponent](rounds))
        rounds.append((action, number))
        if end == "ends":
            rounds, matches = [], matches + 1
    assert 10 < matches < 60


def test_payoffs_are_those_of_the_games() -> None:
    (r, s), (t, p) = GAMES["dilemma"].agent
    assert (t, r, p, s) == (5, 3, 1, 0)
    assert 2 * r > t + s
    (r, s), (t, p) = GAMES["stag"].agent
    assert r > t > p > s
    (r, s), (t, p) = GAMES["chicken"].agent
    assert t > r > s > p
    for name in ("dilemma", "stag", "chicken"):
        assert GAMES[name].opponent == tuple(zip(*GAMES[name].agent, strict=True))
    assert np.add(GAMES["pennies"].agent, GAMES["pennies"].opponent).tolist() == [[0, 0], [0, 0]]
    assert np.rot90(GAMES["battle"].agent, 2).tolist() == [list(row) for row in GAMES["battle"].opponent]
    for name, game in GAMES.items():
        environment = built(f"matrix:{name}-random")
        for i, action in enumerate(game.actions):
            outcomes = list(environment.outcomes(("random", 0), action))
            for j, move in enumerate(game.actions):
                there = [o for o in outcomes if o.observation[0] == move]
                assert sum(o.probability for o in there) == pytest.approx(1 / 2)
                assert {o.reward for o in there} == {game.agent[i][j]}
                ends = [o.probability for o in there if o.observation[1] == "ends"]
                assert sum(ends) == pytest.approx(1 / 40)


def test_any_is_another_one_in_each_match() -> None:
    environment = built("matrix:dilemma-any")
    start = {"cooperate": 0, "defect": 1, "tft": 0, "grim": 0, "pavlov": 0}
    assert environment.start() == dict.fromkeys(start.items(), 1 / 5)
    ends = [o for o in environment.outcomes(("grim", 1), "defect") if o.observation == ("defect", "ends")]
    assert {o.state: o.probability for o in ends} == pytest.approx(dict.fromkeys(start.items(), 1 / 100))


@pytest.mark.parametrize(
    ("name", "horizon", "reward"),
    [
        ("dilemma-tft", 1, 1 + 4 / 20),  # defects: 5 in the first round of a match, 1 in the others
        ("dilemma-tft", 2, 3),
        ("dilemma-grim", 2, 3),
        ("dilemma-defect", 2, 1),
        ("dilemma-cooperate", 2, 5),
        ("dilemma-random", 2, 3),
        ("stag-grim", 1, 4),
        ("pennies-pavlov", 1, 1),
        ("battle-defect", 1, 1),
    ],
)
def test_what_looking_ahead_is_worth(name: str, horizon: int, reward: float) -> None:
    assert solve(built(f"matrix:{name}")).receding_reward(horizon) == pytest.approx(reward)


def test_finding_out_who_it_is_pays_for_those_who_look_far_ahead() -> None:
    solution = solve(built("matrix:dilemma-any"))
    assert solution.optimal_actions() == [1]
    cooperates = (4 * 3 + 19 / 20) / 5  # but with who defects, after the first round
    assert [solution.receding_reward(m) for m in (2, 20)] == pytest.approx([cooperates, cooperates])
    assert solution.receding_reward(30) == pytest.approx(solution.lower)
    assert solution.lower > cooperates + 0.01
