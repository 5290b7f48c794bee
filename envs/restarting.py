"""Discounted environments: NAME?discount=0.95 begins anew with probability 0.05 after every cycle, which is seen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, overload

from aixi_approx.coding import bits_for
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.discounted import RESTART, Anew, DiscountedPOMDP
from aixi_approx.randomness import ENVIRONMENT, draw, restored_stream, stream

OPTION = "discount="


def split(name: str) -> tuple[str, float | None]:
    """Return a name without its discount, and the discount, if it has one.

    Raises
    ------
    EnvironmentFault
        If that is no number from 0 to 1, 0 excluded.

    Examples
    --------
    >>> split("tiger?discount=0.95"), split("tiger")
    (('tiger', 0.95), ('tiger', None))
    """
    before, mark, options = name.rpartition("?")
    if not mark or not any(option.startswith(OPTION) for option in options.split("&")):
        return name, None
    given = [option.removeprefix(OPTION) for option in options.split("&") if option.startswith(OPTION)]
    others = "&".join(option for option in options.split("&") if not option.startswith(OPTION))
    if len(given) > 1:
        raise EnvironmentFault(f"{name}: {' and '.join(given)} are two discounts: leave one out")
    try:
        discount = float(given[-1])
    except ValueError:
        discount = -1.0
    if not 0 < discount <= 1:
        raise EnvironmentFault(f"{name}: {given[-1]!r} is no discount: write a number such as {OPTION}0.95")
    return before + (mark + others if others else ""), discount


def named(name: str, discount: float | None) -> str:
    """Return the name of an environment with another discount than it has; 1 is none.

    >>> named("locks:3", 0.95), named("gym:CliffWalking-v1?bins=4&discount=0.9", None)
    ('locks:3?discount=0.95', 'gym:CliffWalking-v1?bins=4&discount=0.9')
    """
    if discount is None:
        return name
    if ">" in name:
        raise EnvironmentFault(f"{name}: a discount belongs to each part: write tiger?{OPTION}{discount:g}>locks:1@50")
    plain = split(name)[0]
    return f"{plain}{'&' if '?' in plain else '?'}{OPTION}{discount:g}"


def maker(plain: Callable[[], Environment], discount: float | None) -> Callable[[], Environment]:
    """Return what makes an environment with a discount: that which is given, or else that which it declares."""

    def new() -> Environment:
        made = plain()
        share = made.discount if discount is None else discount
        if not (isinstance(share, int | float) and 0 < share <= 1):
            raise EnvironmentFault(f"{made.title}: discount is {share!r}: declare a number from 0 to 1, 0 excluded")
        environment, declared = made, made.discount
        if share == 1 or isinstance(made, DiscountedPOMDP | Restarting):
            made.discount = share
        elif isinstance(made, POMDP):
            environment = DiscountedPOMDP(made, discount=share)
        else:
            environment = Restarting(made, discount=share)
        environment.title = named(made.title, None if share == declared else discount)
        return environment

    return new


class Restarting(Anew):
    """An environment without a finite definition that begins anew with probability 1 - discount after every cycle.

    Parameters
    ----------
    inner : Environment
        What begins anew.
    discount : float
        Of its rewards.
    """

    def __init__(self, inner: Environment, *, discount: float) -> None:
        self.inner, self.discount = inner, discount
        self.actions, self.observations = inner.actions, _AndRestart(inner.observations)
        self.declare_rewards([inner.coding])
        self.observation_bits = max(inner.coding.observation_bits, bits_for(len(self.observations)))
        self.hidden, self.difficulty = inner.hidden, inner.difficulty
        self.settings, self.schedule = inner.settings, inner.schedule
        self.reset(0)

    @property
    def approximations(self) -> str:  # type: ignore[override]
        """Those of what begins anew."""
        return self.inner.approximations

    def reset(self, seed: int) -> None:
        """Begin the first time."""
        self.inner.reset(seed)
        self.random = stream(seed, ENVIRONMENT, 1)

    def step(self, action: int) -> Percept:
        """Take a step, and begin anew now and then."""
        percept = self.inner.checked_step(action)
        if draw(self.random) < self.discount:
            return percept
        self.inner.checked_reset(int(draw(self.random) * (1 << 53)))
        return Percept(len(self.inner.observations), percept.reward)

    def legal(self) -> Sequence[int]:
        """Return what is legal in what begins anew."""
        return self.inner.legal()

    def keep(self) -> dict[str, Any] | None:
        """Return where it stands, if what begins anew can say so."""
        kept = self.inner.keep()
        return None if kept is None else {"inner": kept, "random": self.random.copy()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go where it stood."""
        self.inner.restore(kept["inner"])
        self.random = restored_stream(kept["random"])

    def render(self) -> str:
        """Draw what begins anew."""
        return self.inner.render()


class _AndRestart(Sequence[Hashable]):
    """The observations of an environment, and RESTART after them."""

    def __init__(self, inner: Sequence[Hashable]) -> None:
        self.inner = inner

    def __len__(self) -> int:
        return len(self.inner) + 1

    @overload
    def __getitem__(self, number: int) -> Hashable: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Hashable]: ...
    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        return RESTART if number in (len(self.inner), -1) else self.inner[number]
