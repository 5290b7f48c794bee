"""How fast the searches are, side by side in one process, in seconds of the processor.

    python benchmarks/search/speed.py [ENVIRONMENT ...]

On a learned model after 1,000 cycles, from nothing (no memo carried over), and on the true one, from the beginning. The
searches take turns, so that a slow spell of the machine meets them all. The ratio is the median over pairs, with the
95 % interval that order statistics give; a search that ends early makes fewer simulations than it may, so there are
also the microseconds of a decision. A minute; leave the machine alone meanwhile. Rows that stand in
benchmarks/results/search/speed.jsonl are not measured again. `--quick`: 20 seconds.
"""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

from exact_regret import Row, arguments, complete, markdown, seconds_per_simulation
from learned import learned
from scipy.stats import binom

from aixi_approx.builder import CTW, build_planner
from aixi_approx.envs import make
from aixi_approx.laws.estimate import Estimate
from aixi_approx.predictors import make_predictor
from aixi_approx.randomness import stream

EXPERIENCE = 1_000  # cycles
REPEATS = 41
TRUE = "true"


class Setting(NamedTuple):
    """Where two searches are timed."""

    model: str
    environment: str
    simulations: int
    repeats: int
    old: str
    new: str


WHERE = [
    *((CTW, name, 500) for name in ("tiger", "biased-rps", "kuhn-poker")),
    (TRUE, "tiger", 10_000),
    (TRUE, "rocksample:3-2", 10_000),
]


def clock(setting: Setting) -> Row:
    """Time both searches in turns."""
    environment = make(setting.environment)
    if setting.model == CTW:
        predictor = learned(setting.environment, EXPERIENCE, 0, "rhouct")
    else:
        predictor = make_predictor(setting.model, environment, settings=environment.settings)
    planners = [build_planner(environment, planner, model=setting.model) for planner in (setting.old, setting.new)]
    seconds: list[list[float]] = [[], []]
    made: list[list[int]] = [[], []]
    for repeat in range(setting.repeats + 1):
        for which in (0, 1) if repeat % 2 else (1, 0):
            planners[which].forget()
            began = time.process_time()
            result = planners[which].search(predictor, stream(repeat), simulations=setting.simulations)
            seconds[which].append(time.process_time() - began)
            made[which].append(result.simulations)
    return {**setting._asdict(), "seconds": [one[1:] for one in seconds], "made": [one[1:] for one in made]}  # warm


def seconds_of_setting(setting: Setting) -> float:
    """Return about how long it takes."""
    each = sum(seconds_per_simulation(setting.environment, one, setting.model) for one in (setting.old, setting.new))
    return setting.repeats * setting.simulations * each


def middle(values: list[float]) -> Estimate:
    """Return the median, and the values between which the true one lies with a probability of at least 95 %."""
    ranked = sorted(values)
    low = max(0, int(binom.ppf(0.025, len(ranked), 0.5)) - 1)
    return Estimate(median(ranked), ranked[low], ranked[len(ranked) - 1 - low])


def table(rows: list[Row]) -> str:
    """Return the speeds, in Markdown."""
    lines = []
    for row in rows:
        rates = [
            [made / seconds for made, seconds in zip(*both, strict=True)]
            for both in zip(row["made"], row["seconds"], strict=True)
        ]
        ratio = middle([new / old for old, new in zip(*rates, strict=True)])
        sooner = middle([old / new for old, new in zip(*row["seconds"], strict=True)])
        lines.append(
            [
                f"{row['environment']}, {row['model']}",
                f"{row['simulations']:,}",
                f"{median(row['made'][1]):,.0f}",
                *(f"{median(rate) / 1000:,.0f}k" for rate in rates),
                f"{ratio.mean:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
                *(f"{1e6 * median(seconds):,.0f}" for seconds in row["seconds"]),
                f"{sooner.mean:.2f} ({sooner.low:.2f} to {sooner.high:.2f})",
            ]
        )
    old, new = rows[0]["old"], rows[0]["new"]
    head = ["environment, model", "simulations allowed", f"made by {new}", f"{old}, 1/s", f"{new}, 1/s", "ratio"]
    return markdown([*head, f"{old}, us a decision", f"{new}, us a decision", "times as soon"], lines)


def main() -> None:
    """Time what is missing, and print the table."""
    given = arguments(__doc__, "speed")
    settings = [
        Setting(model, name, simulations, 15 if given.quick else REPEATS, given.old, given.new)
        for model, name, simulations in WHERE
        if not given.environments or name in given.environments
    ]
    print(table(complete(given.rows, settings, clock, seconds_of_setting, where="here")))


if __name__ == "__main__":
    main()
