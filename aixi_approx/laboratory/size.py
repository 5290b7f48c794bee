"""The size of a study, known before anything of it is made: what is absurd is refused with how much it would be."""

from __future__ import annotations

import os
from typing import Any

from aixi_approx.laboratory.condition import Plan
from aixi_approx.laboratory.cost import CYCLE_SECONDS
from aixi_approx.planners.time_slices import format_duration

MOST_CONDITIONS = 1_000_000  # about a thousand times the studies of the documentation; a minute to list, 1 GB to write
CONDITION_BYTES = 1_000  # of a row, on disk; about
CYCLE_BYTES = 150  # of experience, in memory: a `Cycle` and its numbers; about
SHARE = 0.5  # of the memory that the experience of one agent may take


def check_size(plan: Plan) -> None:
    """Raise ValueError if a study is too large to be listed, or the experience of an agent to be held in memory.

    Parameters
    ----------
    plan : Plan
        Of which one seed is looked at.
    """
    one: Any = plan._replace(seeds=1)
    conditions = cycles = longest = 0
    for group in (group for run in one.runs() for group in one.groups(run)):
        longest = max(longest, group.checkpoint.experience)
        conditions += max(1, len(group.settings))
        cycles += sum(setting.cycles for setting in group.settings)
        if conditions > MOST_CONDITIONS:  # to list the others would take long
            break
    total = conditions * plan.seeds
    if total > MOST_CONDITIONS:
        space = f"{total * CONDITION_BYTES / 1e9:,.0f} GB of disk"
        seconds = cycles * plan.seeds * CYCLE_SECONDS
        raise ValueError(
            f"the study has {total:,} conditions or more, above {MOST_CONDITIONS:,}: they would take {space} and "
            f"{format_duration(seconds)} of one core at least: take fewer seeds, or a smaller grid"
        )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if longest * CYCLE_BYTES > SHARE * memory:
        raise ValueError(
            f"an experience of {longest:,} cycles would take {longest * CYCLE_BYTES / 1e9:,.0f} GB of memory in each "
            f"process, and here are {memory / 1e9:,.0f} GB: learn for fewer cycles"
        )
