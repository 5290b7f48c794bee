"""A study with axes of its own: how much agents explore while they learn, and the constant of UCB when they decide."""

from aixi_approx.laboratory import Axis, Study


def explore(run, epsilon):
    """Explore with the same probability in each cycle."""
    return run._replace(settings=run.settings._replace(epsilon=epsilon, decay=1.0))


def search(setting, ucb):
    """Search with another constant."""
    return setting._replace(planner=setting.planner._replace(ucb=ucb))


study = Study(
    environments=("corridor:2",),
    experience=(20, 60),
    simulations=(2, 8),
    seeds=2,
    cycles=10,
    sampled_decisions=2,
    axes=(Axis("epsilon", (0.2, 0.9), run=explore), Axis("constant", (0.1,), setting=search)),
)
