"""Conformance: whether an environment, a predictor, a planner or a rollout policy keeps to its interface."""
