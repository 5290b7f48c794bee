"""The figures of Veness, Ng, Hutter, Uther, Silver, A Monte-Carlo AIXI Approximation (JAIR 40, 2011), as data.

Tables are as printed. Curves were read off the vector graphics, to about 0.05 % of an axis, those of figure 10 off its
pixels, to about 0.1. Nothing in the paper says how often a number was measured, and there are no error bars.
"""

from __future__ import annotations

from typing import NamedTuple


class Domain(NamedTuple):
    """What the paper says of one environment."""

    depth: int  # table 3: bits of context
    horizon: int
    epsilon: float
    decay: float
    experience: int  # table 5: cycles for (near-)optimal play
    simulations: int  # and simulations of a search
    search_seconds: float  # and time of a search
    rhouct: float  # table 6: reward per cycle
    one_ply: float
    optimum: float  # figure 7: the dashed line
    learning: tuple[float, ...]  # figure 7: reward per cycle after each EXPERIENCE, as far as it goes
    utree: tuple[float, ...]
    active_lz: tuple[float, ...]
    search: tuple[float, ...]  # figure 8: normalised reward at each SIMULATIONS, as far as it goes


LEARNING_SIMULATIONS = 500  # table 3
EVALUATION_CYCLES = 5_000
EXPERIENCE = (250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
SIMULATIONS = (25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000)

DOMAINS = {
    "1d-maze": Domain(
        *(32, 10, 0.9, 0.99, 5_000, 250, 0.1, 0.50, 0.50, 0.5),
        learning=(0.493, 0.493, 0.489, 0.501, 0.504, 0.493, 0.501, 0.502),
        utree=(0.040, 0.339, 0.453, 0.450, 0.450, 0.285, 0.287, 0.451),
        active_lz=(0.273, 0.287, 0.306, 0.306, 0.310, 0.343, 0.362, 0.377),
        search=(0.663, 0.879, 0.964, 1.005, 0.999, 0.993, 1.001, 0.996),
    ),
    "cheese-maze": Domain(
        *(96, 8, 0.999, 0.9999, 2_500, 500, 0.5, 1.28, 1.25, 1.331),
        learning=(-1.015, -0.999, -0.993, 1.196, 1.186, 1.240, 1.262, 1.273),
        utree=(-9.00, -0.03, -0.01, -0.01, -0.01, 0.00, 0.00, 0.01),
        active_lz=(-4.49, -4.35, -4.38, -3.73, -3.65, -3.91, -3.22, -3.04),
        search=(0.454, 0.797, 0.962, 0.988, 0.994, 0.993, 0.993, 0.995),
    ),
    "tiger": Domain(
        *(96, 5, 0.99, 0.9999, 25_000, 25_000, 10.6, 1.12, 1.11, 1.095),
        learning=(-0.80, -0.80, -0.99, 0.18, 0.00, -0.10, 1.01, 1.30),
        utree=(-1.01, -1.03, -1.03, -1.07, -0.59, -0.37, -0.39, 0.27),
        active_lz=(-26.5, -25.4, -24.6, -22.5, -20.9, -20.2, -20.5, -18.6),
        search=(0.855, 0.852, 0.826, 0.909, 0.926, 0.935, 0.875, 0.871, 0.961, 0.990),
    ),
    "extended-tiger": Domain(
        *(96, 4, 0.99, 0.99999, 50_000, 25_000, 12.6, 3.97, -0.97, 4.982),
        learning=(-1.92, 0.25, 0.25, -0.71, 1.16, 2.34, 3.65, 3.98),
        utree=(-1.01, 0.01, -1.09, 0.01, -0.02, -0.05, -0.08, -0.02),
        active_lz=(-43.2, -40.7, -39.0, -35.9, -32.2, -29.5, -26.3, -26.8),
        search=(0.292, 0.856, 0.878, 0.931, 0.942, 0.943, 0.943, 0.943, 0.985, 0.990),
    ),
    "4x4-grid": Domain(
        *(96, 12, 0.9, 0.9999, 25_000, 500, 0.3, 0.24, 0.24, 0.242),
        learning=(0.234, 0.224, 0.241, 0.243, 0.237, 0.242, 0.238, 0.243),
        utree=(0.241, 0.244, 0.241, 0.240, 0.240, 0.238, 0.241, 0.241),
        active_lz=(0.020, 0.034, 0.039, 0.040, 0.028, 0.047, 0.049, 0.062),
        search=(0.530, 0.956, 0.988, 0.977, 0.989, 0.976, 1.002, 1.010),
    ),
    "tic-tac-toe": Domain(
        *(64, 9, 0.9999, 0.999999, 500_000, 2_500, 4.1, 0.60, 0.59, 0.609),
        learning=(-0.715, -0.721, -0.720, -0.348, -0.095, -0.167, 0.030, 0.170, 0.408, 0.545, 0.595),
        utree=(-1.500, -1.500, -0.958, -0.625, -0.460, -0.372, -0.302, -0.249),
        active_lz=(),
        search=(0.270, 0.360, 0.399, 0.749, 0.862, 0.899, 0.967, 0.972),
    ),
    "biased-rps": Domain(
        *(32, 4, 0.999, 0.99999, 10_000, 5_000, 2.5, 0.25, 0.20, 0.25),
        learning=(0.228, 0.236, 0.244, 0.244, 0.238, 0.251, 0.244, 0.248, 0.251, 0.254, 0.252),
        utree=(-0.005, 0.004, 0.005, -0.008, 0.019, 0.028, 0.029, 0.037),
        active_lz=(0.000, 0.020, 0.024, 0.031, 0.025, 0.042, 0.060, 0.067, 0.087, 0.100, 0.099, 0.112),
        search=(0.464, 0.513, 0.518, 0.492, 0.499, 0.583, 0.881, 0.980, 0.989),
    ),
    "kuhn-poker": Domain(
        *(42, 2, 0.99, 0.9999, 5_000_000, 250, 0.1, 0.06, 0.06, 0.0556),
        learning=(-0.057, -0.044, -0.036, 0.021, 0.032, 0.010, 0.043, 0.053, 0.057, 0.049, 0.054),
        utree=(-0.162, -0.153, -0.116, -0.090, -0.080, -0.070, -0.066, -0.044),
        active_lz=(-0.162, -0.120, -0.145, -0.127, -0.129, -0.102, -0.094, -0.085, -0.076, -0.084, -0.086),
        search=(0.258, 0.401, 0.785, 0.991, 0.969, 1.005, 0.977, 0.985),
    ),
}

# Figure 9: reward per cycle in Pac-Man of 5,000 greedy cycles after each experience, by simulations of a search.
PACMAN_EXPERIENCE = (2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
PACMAN_LEARNING = {
    500: (-3.28, -1.89, -0.44, 0.01, 0.34, 1.11, 1.47),
    1_000: (-3.01, -2.36, -0.02, 0.63, 0.68, 1.30, 1.53),
    2_000: (-2.58, -1.84, 0.27, 0.48, 1.00, 1.25, 1.53),
    5_000: (-2.07, -1.56, 0.26, 0.40, 1.08, 1.17, 1.62),
}

# Figure 10: reward per cycle in Pac-Man while learning, over the last 5,000 cycles.
PACMAN_CYCLES = (5, 10, 20, 30, 50, 75, 100, 125, 150, 175, 200, 225, 249)  # thousands
PACMAN_RECENT = (-11.1, -10.8, -9.7, -8.3, -7.0, -5.0, -3.4, -2.4, -1.4, -0.6, -0.1, 0.26, 0.52)
