"""Extended tiger (Veness et al. 2011, section 7.1): the tiger problem for an agent that has to stand up first."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

State = tuple[str, str]  # posture of the agent, door of the tiger


class ExtendedTiger(POMDP):
    """A tiger is behind one of two doors, gold behind the other; the agent can listen only while seated.

    The agent starts seated. Listening while seated costs 1 and reveals the tiger's side, correctly with probability
    0.85. Standing up costs nothing. Opening a door while standing costs 100 for the tiger and pays 30 for the gold;
    then the agent is seated again, and the tiger is placed behind a door at random. Any other action (opening a door
    while seated, listening or standing up while standing) changes nothing and costs 10. Only listening reveals
    anything.

    The paper does not give the costs of standing up and of the actions that change nothing: 0 for the first fits the
    optimum in its figure 7, and the second does not affect the optimum. An observation has 3 bits there, although 2
    would do. It is best to listen until one side leads by two, then to stand up and open the other door.
    """

    actions = ("stand", "listen", "open-left", "open-right")
    observations = ("nothing", "left", "right")
    observation_bits = 3
    min_reward, max_reward = -100, 30
    hidden = "where the tiger is, whether the agent is seated"
    difficulty = "memory of what was heard and of standing up; a search to depth 3, past a cycle without reward"
    optimum = 3485 / 698  # 4.9928367
    settings = Settings(depth=96, horizon=4, simulations=100, epsilon=0.99, decay=0.99999)
    schedule = Schedule(cycles=50_000, evaluation_simulations=2_500)

    def start(self) -> dict[State, float]:
        """Seat the agent and place the tiger behind a door."""
        return {("seated", "left"): 1 / 2, ("seated", "right"): 1 / 2}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Stand up, listen, or open a door."""
        posture, tiger = state
        other = {"left": "right", "right": "left"}[tiger]
        if posture == "seated" and action == "listen":
            return [Outcome(0.85, state, tiger, -1), Outcome(0.15, state, other, -1)]
        if posture == "seated" and action == "stand":
            return [Outcome(1, ("standing", tiger), "nothing", 0)]
        if posture == "standing" and action.startswith("open"):
            reward = -100 if action == f"open-{tiger}" else 30
            return [Outcome(p, anew, "nothing", reward) for anew, p in self.start().items()]
        return [Outcome(1, state, "nothing", -10)]

    def render(self) -> str:
        """Draw what is behind the doors, and whether the agent is seated."""
        posture, tiger = self.states[self.current]
        return ("[ tiger ] [ gold ]" if tiger == "left" else "[ gold ] [ tiger ]") + f"  {posture}"
