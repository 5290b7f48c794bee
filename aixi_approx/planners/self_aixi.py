"""Self-AIXI: the best action, given that all later ones are those that the agent predicts of itself.

Catt, Grau-Moya, Hutter, Aitchison, Genewein, Deletang, Li, Veness (NeurIPS 2023), definition 10:

    a = argmax over a of Q(h, a)        Q = value of a and then of acting as zeta says, in the environment that xi says

Here Q is a mean over rollouts, the same number for each first action. Zeta learns the actions that are found in this
way, and so becomes the policy that is better than itself by one step. It has to be able to leave what it does: the
random actions of the agent, and the estimators of zeta, which rule nothing out (Kim, Lee 2026, section 5).
"""

from __future__ import annotations

from aixi_approx.planners.pouct import FlatPOUCT
from aixi_approx.planners.rho_uct import FlatMonteCarlo

OPTIONS = ("horizon", "simulations", "seconds", "policy", "lessons", "memo")


class SelfAIXI(FlatMonteCarlo):
    """Takes the action that is best if all later ones are those of the policy, on a model that learns.

    Parameters
    ----------
    coding, horizon, **options
        As in `FlatMonteCarlo`. The policy is needed.
    """

    options = OPTIONS
    needs_policy = True

    def guided_share(self, trust: float) -> float:
        """Every simulation acts as the policy does."""
        return 1.0


class SelfAImu(FlatPOUCT):
    """Takes the action that is best if all later ones are those of the policy, on the true model.

    Parameters
    ----------
    pomdp, horizon, **options
        As in `FlatPOUCT`. The policy is needed.
    """

    options = OPTIONS[:-1]
    needs_policy = True

    def guided_share(self, trust: float) -> float:
        """Every simulation acts as the policy does."""
        return 1.0
