"""Partially observable Pac-Man (Veness et al. 2011, section 7.1): the largest environment of the paper.

Some of what the paper leaves open is taken from the Pac-Man code that two of its authors published with
D. Silver, J. Veness, Monte-Carlo Planning in Large POMDPs, NIPS 2010.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import compiled
from aixi_approx.environment import Environment, Percept, Schedule, Settings
from aixi_approx.randomness import ENVIRONMENT, Stream, below, draw, restored_stream, stream

MAZE = (  # wall #, power pill o, homes of Pac-Man P and the ghosts G; the row that is open at both ends is a tunnel
    "                 ",
    " ## ### # ### ## ",
    "o               o",
    " ## # ##### # ## ",
    "    #   #   #    ",
    "### ### # ### ###",
    "### #       # ###",
    "### # # GG# # ###",
    "    # # GG# #    ",
    "### # ##### # ###",
    "### #       # ###",
    "### # ##### # ###",
    "        P        ",
    " ## ### # ### ## ",
    "o #           # o",
    "# # # ##### # # #",
    "    #   #   #    ",
    " ###### # ###### ",
    "                 ",
)
HEIGHT, WIDTH = len(MAZE), len(MAZE[0])
TUNNEL = 8  # its row
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}

SIGHT = 5  # Manhattan distance at which a ghost starts to pursue
PURSUIT = 5  # cycles that a pursuit lasts
POWER = 15  # cycles that a power pill lasts

Cells = NDArray[np.int64]  # a cell has the number row * WIDTH + column


class Maze(NamedTuple):
    """The part of the environment that never changes."""

    next: Cells  # [cell, move] where a move leads, -1 if into a wall
    distance: Cells  # [cell, cell] length of the shortest path
    empty: Cells  # where there may be a pellet
    pills: Cells
    pacman: int
    ghosts: Cells


class Game(NamedTuple):
    """The part of the environment that changes: its state."""

    pellet: NDArray[np.bool_]  # [cell]
    pill: NDArray[np.bool_]  # [cell]
    ghost: Cells  # [4] where each ghost is
    before: Cells  # [4] where it was before, -1 if nowhere
    pursuit: Cells  # [4] cycles of pursuit left
    pacman: Cells  # [1] where Pac-Man is
    pellets: Cells  # [1] number of pellets left
    power: Cells  # [1] cycles of power left


def find(what: str) -> Cells:
    """Return the cells of the maze with a given character.

    >>> find("P").tolist()
    [212]
    """
    return np.array([i for i, there in enumerate("".join(MAZE)) if there == what])


@functools.cache
def build() -> Maze:
    """Lay out the maze as tables, once for all instances."""
    onto = np.full((HEIGHT * WIDTH, len(MOVES)), -1)
    for row, line in enumerate(MAZE):
        for column, what in enumerate(line):
            for move, (down, right) in enumerate(MOVES.values()):
                r, c = row + down, column + right
                if row == TUNNEL:
                    c %= WIDTH
                if what != "#" and 0 <= r < HEIGHT and 0 <= c < WIDTH and MAZE[r][c] != "#":
                    onto[row * WIDTH + column, move] = r * WIDTH + c
    distance = np.full((len(onto), len(onto)), len(onto))
    for start in range(len(onto)):
        distance[start, start] = 0
        found = [start]
        for cell in found:  # grows as cells are found
            for near in onto[cell]:
                if near >= 0 and distance[start, near] == len(onto):
                    distance[start, near] = distance[start, cell] + 1
                    found.append(near)
    return Maze(onto, distance, find(" "), find("o"), int(find("P")[0]), find("G"))


class Pacman(Environment):
    """Pac-Man moves up, right, down or left in a maze of 189 cells, eats pellets, and is hunted by four ghosts.

    A move costs 1; a move into a wall costs 10 instead. A pellet pays 10, the last one 100 more; being caught costs 50.
    The reward of a cycle is the sum of these. When Pac-Man has been caught or has eaten the last pellet, a new game
    starts in the same cycle, and the percept shows its beginning: Pac-Man and the ghosts at home, four power pills, and
    a pellet with probability 1/2 in each of the other cells.

    The observation has 16 bits, the highest first: the four walls around Pac-Man; whether he sees a ghost in each
    direction; whether he smells a pellet within Manhattan distance 2, 3, 4; whether he sees a pellet in each direction;
    whether a power pill is active in the next cycle. Directions come in the order of the actions. He sees as far as he
    could walk in a straight line.

    Walls, homes and power pills are those of the code of Silver and Veness (2010): 19 rows of 17 cells as in figure 6,
    although the text says 17 by 17. The paper leaves much else open. Here:

    - In a cycle, Pac-Man moves and eats; if he has met no ghost, each ghost then moves by one cell.
    - Ghosts pass through each other and never turn back, as in the arcade game; they use the tunnel.
    - A ghost within Manhattan distance 5 pursues Pac-Man for 5 cycles along the shortest path, and again if it is still
      near; otherwise it chooses its way at random. Acting at random then earns -6.77 per cycle. It would be -5.40 if
      pursuers looked at the Manhattan distance only, and -5.56 if ghosts turned back. The agent of the paper begins
      near -11 (figure 10), which none of these rules explains.
    - A power pill lasts 15 cycles, including the one in which it is eaten, as in Silver and Veness (2010). Meanwhile no
      ghost pursues, and one that meets Pac-Man is sent home. Neither this nor the power pill itself pays anything.
    """

    actions = tuple(MOVES)
    observations: Sequence[int] = range(1 << 16)
    min_reward, max_reward = -10 - 50, -1 + 10 + 100
    hidden = "most of the maze"
    difficulty = "a lot of experience; a model of what is seen from where; a search past the next corner"
    settings = Settings(depth=96, horizon=4, epsilon=0.9999, decay=0.99999)
    schedule = Schedule(cycles=25_000)

    def __init__(self) -> None:
        self.maze = build()
        cells = HEIGHT * WIDTH
        flags = np.zeros((2, cells), np.bool_)
        self.game = Game(*flags, *np.zeros((3, 4), np.int64), *np.zeros((3, 1), np.int64))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start a game."""
        self.random = stream(seed, ENVIRONMENT)
        begin(self.maze, self.game, self.random)

    def step(self, action: int) -> Percept:
        """Move Pac-Man, then the ghosts."""
        reward = play(self.maze, self.game, action, self.random)
        return Percept(observe(self.maze, self.game), reward)

    def keep(self) -> dict[str, Any]:
        """Return the game and the random stream."""
        return {"game": [part.copy() for part in self.game], "random": self.random.copy()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on with a game; ValueError if it is none."""
        game = [np.asarray(part) for part in kept["game"]]
        if [(part.shape, part.dtype) for part in game] != [(part.shape, part.dtype) for part in self.game]:
            raise ValueError("it is no game of Pac-Man")
        cells, there = HEIGHT * WIDTH, Game(*game)
        lowest = ((there.pacman, 0), (there.ghost, 0), (there.before, -1))
        if not all(((low <= part) & (part < cells)).all() for part, low in lowest):
            raise ValueError("its game is in no cell of the maze")
        for part, value in zip(self.game, there, strict=True):
            part[...] = value
        self.random = restored_stream(kept["random"])

    def render(self) -> str:
        """Draw the maze: Pac-Man C, ghosts G (g while a power pill is active), pellets and power pills."""
        game = self.game
        picture = np.array(["██" if what == "#" else "  " for what in "".join(MAZE)])
        picture[game.pellet], picture[game.pill] = "· ", "O "
        picture[game.ghost], picture[game.pacman] = "g " if game.power[0] else "G ", "C "
        rows = ["".join(row) for row in picture.reshape(HEIGHT, WIDTH)]
        rows = [f"  {row}  " if i == TUNNEL else f"██{row}██" for i, row in enumerate(rows)]
        edge = "██" * (WIDTH + 2)
        return "\n".join([edge, *rows, edge, f"pellets left: {game.pellets[0]}, power: {game.power[0]}"])


@compiled
def begin(maze: Maze, game: Game, random: Stream) -> None:
    """Start a game: everybody at home, new random pellets."""
    for cell in maze.empty:
        game.pellet[cell] = draw(random) < 1 / 2
    game.pellets[0] = game.pellet.sum()
    game.pill[maze.pills] = True
    game.power[0] = 0
    game.pacman[0] = maze.pacman
    for i in range(len(maze.ghosts)):
        send_home(maze, game, i)


@compiled
def send_home(maze: Maze, game: Game, i: int) -> None:
    """Send a ghost home."""
    game.ghost[i], game.before[i], game.pursuit[i] = maze.ghosts[i], -1, 0


@compiled
def play(maze: Maze, game: Game, action: int, random: Stream) -> int:
    """Play a cycle and return its reward."""
    onto = maze.next[game.pacman[0], action]
    reward = -10 if onto < 0 else -1
    here = game.pacman[0] if onto < 0 else onto
    game.pacman[0] = here
    if game.pellet[here]:
        game.pellet[here] = False
        game.pellets[0] -= 1
        reward += 10
    if game.pill[here]:
        game.pill[here] = False
        game.power[0] = POWER
    caught = meet(maze, game)
    if not caught:
        for i in range(len(game.ghost)):
            haunt(maze, game, i, random)
        caught = meet(maze, game)
    game.power[0] = max(game.power[0] - 1, 0)
    cleared = game.pellets[0] == 0
    if caught or cleared:
        begin(maze, game, random)
    return reward - 50 * caught + 100 * cleared


@compiled
def meet(maze: Maze, game: Game) -> bool:
    """Return whether Pac-Man is caught; while a power pill is active, ghosts that he meets are sent home instead."""
    caught = False
    for i in range(len(game.ghost)):
        if game.ghost[i] == game.pacman[0]:
            if game.power[0] == 0:
                caught = True
            else:
                send_home(maze, game, i)
    return caught


@compiled
def haunt(maze: Maze, game: Game, i: int, random: Stream) -> None:
    """Move a ghost: closer to Pac-Man if it pursues him, else at random, never back. Ties are broken at random."""
    here = game.ghost[i]
    if game.power[0] > 0:
        game.pursuit[i] = 0
    elif game.pursuit[i] == 0 and manhattan(here, game.pacman[0]) <= SIGHT:
        game.pursuit[i] = PURSUIT
    best, least, ties = here, len(maze.distance), 0
    for onto in maze.next[here]:
        if onto < 0 or onto == game.before[i]:
            continue
        distance = maze.distance[onto, game.pacman[0]] if game.pursuit[i] > 0 else 0
        if distance < least:
            best, least, ties = onto, distance, 1
        elif distance == least:
            ties += 1
            if below(random, ties) == 0:
                best = onto
    game.before[i], game.ghost[i] = here, best
    game.pursuit[i] = max(game.pursuit[i] - 1, 0)


@compiled
def manhattan(a: int, b: int) -> int:
    """Return the Manhattan distance between two cells, which ignores walls and the tunnel."""
    return abs(a // WIDTH - b // WIDTH) + abs(a % WIDTH - b % WIDTH)


@compiled
def observe(maze: Maze, game: Game) -> int:
    """Return the observation, as `Pacman` describes it."""
    here = game.pacman[0]
    walls = ghosts = smells = pellets = 0
    for move in range(len(maze.next[here])):
        onto = maze.next[here, move]
        wall, ghost, pellet = onto < 0, False, False
        while onto >= 0:
            pellet |= game.pellet[onto]
            for other in game.ghost:
                ghost |= other == onto
            onto = maze.next[onto, move]
        walls, ghosts, pellets = 2 * walls + wall, 2 * ghosts + ghost, 2 * pellets + pellet
    nearest = 5
    for cell in maze.empty:
        if game.pellet[cell]:
            nearest = min(nearest, manhattan(here, cell))
    for reach in range(2, 5):
        smells = 2 * smells + (nearest <= reach)
    return walls << 12 | ghosts << 8 | smells << 5 | pellets << 1 | (game.power[0] > 0)
