"""Pac-Man keeps its rules: from any state, one cycle does what the docstring says, and no more."""

import copy
import functools
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from aixi_approx.envs.pacman import HEIGHT, MAZE, MOVES, WIDTH, Game, Pacman

Cell = tuple[int, int]  # row, column

UP, RIGHT, DOWN, LEFT = range(4)
PURSUIT, POWER = 5, 15  # cycles
FREE = [(r, c) for r, line in enumerate(MAZE) for c, what in enumerate(line) if what != "#"]
EMPTY = [cell for cell in FREE if MAZE[cell[0]][cell[1]] == " "]
PILLS = [(2, 0), (2, 16), (14, 0), (14, 16)]
HOME, HOMES = (12, 8), [(7, 8), (7, 9), (8, 8), (8, 9)]
CORNER = (18, 0)
AWAY = (18, 4)  # under a wall

seeds = st.integers(0, 1 << 32)


# Slow, obvious twins.


def number(cell: Cell) -> int:
    return cell[0] * WIDTH + cell[1]


def cell_of(number: int) -> Cell:
    return divmod(int(number), WIDTH)


def beside(cell: Cell, move: int) -> Cell | None:
    """The cell that a move leads to."""
    down, right = list(MOVES.values())[move]
    row, column = cell[0] + down, cell[1] + right
    if (row, column) in ((8, -1), (8, 17)):
        column = {-1: 16, 17: 0}[column]
    return (row, column) if (row, column) in FREE else None


def line(cell: Cell, move: int) -> list[Cell]:
    """What can be seen in a direction."""
    onto = beside(cell, move)
    return [onto, *line(onto, move)] if onto else []


def far(a: Cell, b: Cell) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


@functools.cache
def path(start: Cell, end: Cell) -> int:
    """Length of the shortest path, by flooding."""
    flood, steps = {start}, 0
    while end not in flood:
        flood |= {onto for cell in flood for move in range(4) if (onto := beside(cell, move))}
        steps += 1
    return steps


class State:
    """The state of a game in sets and tuples."""

    def __init__(self, game: Game) -> None:
        self.pacman = cell_of(game.pacman[0])
        self.ghosts = [cell_of(ghost) for ghost in game.ghost]
        self.before = [cell_of(cell) if cell >= 0 else None for cell in game.before]
        self.pellets = {cell_of(cell) for cell in np.flatnonzero(game.pellet)}
        self.pills = {cell_of(cell) for cell in np.flatnonzero(game.pill)}
        self.power = int(game.power[0])
        assert game.pellets[0] == len(self.pellets)

    @property
    def begins(self) -> bool:
        """Whether this may be the beginning of a game."""
        home = (self.pacman, self.ghosts, self.before, self.pills, self.power)
        return home == (HOME, HOMES, [None] * 4, set(PILLS), 0) and self.pellets <= set(EMPTY)

    @property
    def observation(self) -> int:
        """The 16 bits that Pac-Man observes."""
        here = self.pacman
        bits = [beside(here, move) is None for move in range(4)]
        bits += [any(ghost in line(here, move) for ghost in self.ghosts) for move in range(4)]
        bits += [any(far(here, pellet) <= reach for pellet in self.pellets) for reach in (2, 3, 4)]
        bits += [any(pellet in line(here, move) for pellet in self.pellets) for move in range(4)]
        bits += [self.power > 0]
        return int("".join(str(int(bit)) for bit in bits), 2)


def place(env: Pacman, state: dict[str, object]) -> None:
    """Put things where a test wants them."""
    game = env.game
    for name in ("pellets", "pills"):
        if name in state:
            flags = game.pellet if name == "pellets" else game.pill
            flags[:] = False
            flags[[number(cell) for cell in state[name]]] = True
    game.pellets[0] = game.pellet.sum()
    if "ghosts" in state:
        game.ghost[:] = [number(cell) for cell in state["ghosts"]]
        game.before[:] = [number(cell) if cell else -1 for cell in state.get("before", [None] * 4)]
        game.pursuit[:] = 0
    game.pacman[0] = number(state.get("pacman", cell_of(game.pacman[0])))
    game.power[0] = state.get("power", 0)


@st.composite
def anywhere(draw: st.DrawFn) -> Pacman:
    """A game in any state, often with few pellets and ghosts nearby, as chance seldom makes them."""
    random = np.random.default_rng(draw(seeds))
    env = Pacman()
    env.reset(draw(seeds))

    def some(cells: list[Cell], count: int) -> list[Cell]:
        return [cells[i] for i in random.choice(len(cells), count, replace=False)]

    pacman = some(FREE, 1)[0]
    near = [cell for cell in FREE if 0 < far(cell, pacman) <= draw(st.sampled_from([2, 6, 40]))]
    ghosts = [near[i] for i in random.integers(len(near), size=4)]
    before = [some([onto for move in range(4) if (onto := beside(ghost, move))], 1)[0] for ghost in ghosts]
    pellets = set(some(EMPTY, draw(st.sampled_from([1, 2, 20, 120])))) - {pacman}
    if draw(st.booleans()):
        pellets = {next(onto for move in range(4) if (onto := beside(pacman, move)))} & set(EMPTY) or pellets
    pills = set(some(PILLS, draw(st.integers(0, 4)))) - {pacman}
    power = draw(st.sampled_from([0, 0, 1, 2, POWER - 1]))
    place(env, {**locals(), "pellets": pellets or {CORNER}})
    return env


# The maze.


def test_maze_is_that_of_the_paper() -> None:
    assert (HEIGHT, WIDTH, len(FREE)) == (19, 17, 189)
    assert all(line == line[::-1].replace("G", " ") for line in MAZE if "G" not in line), "it is symmetric"
    assert all(line.replace("G", " ") == line.replace("G", " ")[::-1] for line in MAZE)
    for what, cells in (("P", [HOME]), ("G", HOMES), ("o", PILLS)):
        assert [cell for cell in FREE if MAZE[cell[0]][cell[1]] == what] == cells


def test_tables_of_the_maze() -> None:
    maze = Pacman().maze
    for cell in FREE:
        onto = [beside(cell, move) for move in range(4)]
        assert maze.next[number(cell)].tolist() == [number(next_) if next_ else -1 for next_ in onto]
        assert sum(next_ is not None for next_ in onto) >= 2, "in a dead end a ghost could not go on"
    for cell in FREE[::7]:
        assert (
            maze.distance[number(HOME), number(cell)] == path(HOME, cell) == maze.distance[number(cell), number(HOME)]
        )
    assert beside((8, 0), LEFT) == (8, 16)
    assert beside((8, 16), RIGHT) == (8, 0)


# A cycle.


@settings(deadline=None)
@given(anywhere(), st.integers(0, 3))
def test_one_cycle_from_anywhere(env: Pacman, action: int) -> None:
    was = State(env.game)
    percept = env.checked_step(action)
    now = State(env.game)
    assert percept.observation == now.observation

    onto = beside(was.pacman, action)
    here = onto or was.pacman
    power = POWER if here in was.pills else was.power
    cleared = was.pellets <= {here}
    rest = percept.reward - (-1 if onto else -10) - 10 * (here in was.pellets) - 100 * cleared
    caught = {0: False, -50: True}[rest]
    if here in was.ghosts:
        assert caught == (power == 0)
    if caught:
        assert power == 0
        assert any(path(ghost, here) <= 1 for ghost in was.ghosts)
    if caught or cleared:
        assert now.begins
        return

    assert now.pacman == here
    assert now.pellets == was.pellets - {here}
    assert now.pills == was.pills - {here}
    assert now.power == max(power - 1, 0)
    for ghost, last, before, home in zip(now.ghosts, was.ghosts, was.before, HOMES, strict=True):
        if power > 0 and last == here:
            last, before = home, None
        ways = [way for move in range(4) if (way := beside(last, move)) and way != before]
        sent_home = power > 0 and ghost == home and here in ways
        assert sent_home or (ghost in ways and ghost != here)
        if power == 0 and far(last, here) <= 5:
            assert path(ghost, here) == min(path(way, here) for way in ways)


@settings(deadline=None)
@given(seeds, st.lists(st.integers(0, 3), max_size=60))
def test_a_game_from_its_beginning(seed: int, actions: list[int]) -> None:
    env = Pacman()
    env.reset(seed)
    assert State(env.game).begins
    for action in actions:
        was = copy.deepcopy(env.game)
        percept = env.checked_step(action)
        now = State(env.game)
        assert percept.observation == now.observation
        assert now.begins == (percept.reward <= -41)
        assert now.pacman in FREE
        if not now.begins:
            assert env.game.before.tolist() == was.ghost.tolist()


def test_pellets_are_drawn_with_probability_one_half() -> None:
    env, games = Pacman(), 2000
    count = np.zeros(HEIGHT * WIDTH)
    for seed in range(games):
        env.reset(seed)
        count += env.game.pellet
    drawn = count[[number(cell) for cell in EMPTY]]
    assert drawn.sum() == count.sum()
    assert 1e-4 < chisquare(np.concatenate([drawn, games - drawn]), games / 2, ddof=len(EMPTY) - 1).pvalue < 1 - 1e-4


@pytest.mark.parametrize(
    ("state", "action", "reward"),
    [
        ({"pacman": (0, 1)}, RIGHT, -1),
        ({"pacman": (0, 1)}, UP, -10),
        ({"pacman": (0, 1), "pellets": [(0, 2), CORNER]}, RIGHT, 9),
        ({"pacman": (0, 1), "pellets": [(0, 2)]}, RIGHT, 109),
        ({"pacman": (0, 1), "ghosts": [(0, 2), *HOMES[1:]]}, RIGHT, -51),
        ({"pacman": (0, 1), "ghosts": [(0, 2), *HOMES[1:]]}, UP, -60),
        ({"pacman": (0, 1), "ghosts": [(0, 3), (0, 3), (0, 3), (0, 3)], "pellets": [(0, 2), CORNER]}, RIGHT, -41),
        ({"pacman": (0, 1), "ghosts": [(0, 2), *HOMES[1:]], "pellets": [(0, 2)]}, RIGHT, 59),
        ({"pacman": (0, 1), "ghosts": [(0, 2), *HOMES[1:]], "power": 1}, RIGHT, -1),
        ({"pacman": (1, 0), "ghosts": [(2, 0), *HOMES[1:]]}, DOWN, -1),  # a power pill helps at once
        ({"pacman": (8, 0)}, LEFT, -1),
    ],
)
def test_rewards_add_up(state: dict[str, object], action: int, reward: int) -> None:
    env = Pacman()
    place(env, {"ghosts": HOMES, "pellets": [CORNER], **state})
    assert env.checked_step(action).reward == reward


# Ghosts.


def moves(state: dict[str, object], ghost: int = 0, cycles: int = 1) -> list[list[Cell]]:
    """Where a ghost goes in each of 400 lives while Pac-Man runs against a wall, as a list of ways."""
    env, ways = Pacman(), []
    for seed in range(400):
        env.reset(seed)
        place(env, {"pellets": [CORNER], **state})
        ways.append([])
        for _ in range(cycles):
            env.step(UP)
            ways[-1].append(cell_of(env.game.ghost[ghost]))
            env.game.pacman[0] = number(AWAY)
    return ways


def test_ghosts_wander_at_random_but_never_back() -> None:
    crossing, last = (12, 3), (12, 4)
    ways = moves({"pacman": (0, 9), "ghosts": [crossing, *HOMES[1:]], "before": [last, None, None, None]})
    ends, counts = np.unique([way[0] for way in ways], axis=0, return_counts=True)
    assert {tuple(end) for end in ends} == {(11, 3), (13, 3), (12, 2)}
    assert 1e-4 < chisquare(counts).pvalue < 1 - 1e-4


def test_ghosts_pursue_for_five_cycles() -> None:
    """Pac-Man is near in the first cycle only, then far away."""
    start, near = (6, 5), (4, 2)
    ways = [[start, *way] for way in moves({"pacman": near, "ghosts": [start, *HOMES[1:]]}, cycles=PURSUIT + 1)]
    goals = [near] + [AWAY] * PURSUIT
    missed = np.zeros(len(goals), int)
    for way in ways:
        before = None
        for i, (goal, (last, now)) in enumerate(zip(goals, pairwise(way), strict=True)):
            open_ = [cell for move in range(4) if (cell := beside(last, move)) and cell != before]
            missed[i] += path(now, goal) > min(path(cell, goal) for cell in open_)
            before = last
    assert missed[:PURSUIT].sum() == 0
    assert missed[PURSUIT] > 0
    wandering = moves({"pacman": (0, 10), "ghosts": [(0, 4), *HOMES[1:]]})
    assert len({tuple(way) for way in wandering}) > 1, "at distance 6 it goes anywhere"


def test_a_power_pill_lasts_fifteen_cycles() -> None:
    env = Pacman()
    for wait in range(POWER + 1):
        place(env, {"pacman": (1, 0), "ghosts": HOMES, "pellets": [CORNER], "pills": [(2, 0)]})
        bits = [env.step(DOWN).observation & 1]
        for _ in range(wait):
            bits.append(env.step(LEFT).observation & 1)
            env.game.ghost[:] = [number(cell) for cell in HOMES]
        assert bits == ([1] * (POWER - 1) + [0] * 2)[: wait + 1]
        env.game.ghost[:] = [number((3, 0)), *env.game.ghost[1:]]
        reward = env.step(DOWN).reward
        assert reward == (-1 if wait < POWER - 1 else -51)
        if reward == -1:
            assert State(env.game).ghosts[0] in [onto for move in range(4) if (onto := beside(HOMES[0], move))]


def test_under_a_power_pill_no_ghost_pursues() -> None:
    ways = moves({"pacman": (0, 9), "ghosts": [(0, 4), *HOMES[1:]], "power": 1})
    assert len({tuple(way) for way in ways}) > 1


def test_acting_at_random_earns_what_the_docstring_says() -> None:
    env = Pacman()
    actions = np.random.default_rng(1).integers(4, size=200_000).tolist()
    batches = np.array([env.step(action).reward for action in actions]).reshape(100, -1).mean(axis=1)
    assert abs(batches.mean() + 6.77) < 4 * batches.std(ddof=1) / np.sqrt(len(batches)) < 0.2


# The picture.


@settings(deadline=None)
@given(anywhere())
def test_picture_shows_everything_and_changes_nothing(env: Pacman) -> None:
    was = copy.deepcopy(env.game)
    picture = env.render().splitlines()
    assert all((a == b).all() for a, b in zip(env.game, was, strict=True))
    state = State(env.game)
    for row, column in FREE:
        shown = picture[1 + row][2 + 2 * column]
        if (row, column) == state.pacman:
            expected = "C"
        elif (row, column) in state.ghosts:
            expected = "g" if state.power else "G"
        else:
            expected = "O" if (row, column) in state.pills else "·" if (row, column) in state.pellets else " "
        assert shown == expected
    assert len({len(line) for line in picture[:-1]}) == 1
    assert "".join(picture).count("█") == 2 * ((HEIGHT + 2) * (WIDTH + 2) - len(FREE) - 2)
    assert picture[-1] == f"pellets left: {len(state.pellets)}, power: {state.power}"
