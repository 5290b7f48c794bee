"""Our environments as Gymnasium's: after `import aixi_approx.to_gymnasium`, `gymnasium.make("aixi/Tiger-v0")`.

Each environment of the table has the ID aixi/CLASS-v0: aixi/CheeseMaze-v0, aixi/Grid4x4-v0, ... Any other, one of a
family or of a file, has its name in `name`:

    gymnasium.make("aixi/Environment-v0", name="locks:3")
    gymnasium.make("aixi/Environment-v0", name="my_env.py:Umbrella")

Gymnasium imports the module itself where the ID begins with it, as in "aixi_approx.to_gymnasium:aixi/Tiger-v0". (Until
1.0 it loaded whatever was installed with an entry point; it does so no longer.)

Actions are Discrete(A), observations Discrete(O + 1): our environments show nothing before the first action, and the
last number stands for that. Life is one, so that nothing terminates; episodes are cut off after 1,000 cycles, or after
`max_episode_steps`. Nothing is lost: with an agent that keeps what it needs of the past it is the same problem.
"""

from __future__ import annotations

import operator
from typing import Any

import gymnasium
from gymnasium.spaces import Discrete

from aixi_approx.envs import ENVIRONMENTS, make

EPISODE = 1_000  # cycles


class GymnasiumEnvironment(gymnasium.Env[Any, Any]):
    """One of our environments with Gymnasium's interface.

    Parameters
    ----------
    name
        As `aixi_approx.make` has it.
    render_mode
        "ansi" for pictures as text, or None.

    Raises
    ------
    EnvironmentFault
        If there is none of that name.
    ValueError
        If there is no such render mode.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012  as Gymnasium declares it

    def __init__(self, name: str, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"no render mode {render_mode!r}: there is ansi")
        self.environment, self.render_mode = make(name), render_mode
        self.action_space = Discrete(len(self.environment.actions))
        self.nothing = len(self.environment.observations)
        self.observation_space = Discrete(self.nothing + 1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begin anew, and show nothing yet. Without a seed it is another life each time; there are no options."""
        super().reset(seed=seed)
        self.environment.checked_reset(int(self.np_random.integers(1 << 62)))
        return self.nothing, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Take an action; return (observation, reward, False, False, {})."""
        percept = self.environment.checked_step(operator.index(action))
        return percept.observation, float(percept.reward), False, False, {}

    def render(self) -> str | None:
        """Return a picture of the present state if the render mode is ansi."""
        return self.environment.checked_render() if self.render_mode else None


def register() -> None:
    """Tell Gymnasium of our environments; none is built, nor its file loaded."""
    entry_point = f"{__name__}:{GymnasiumEnvironment.__name__}"
    gymnasium.register("aixi/Environment-v0", entry_point, max_episode_steps=EPISODE)
    for name, home in ENVIRONMENTS.items():
        class_name = home.partition(":")[2]
        gymnasium.register(f"aixi/{class_name}-v0", entry_point, max_episode_steps=EPISODE, kwargs={"name": name})


register()
