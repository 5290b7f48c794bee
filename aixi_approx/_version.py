"""The version, which stands in pyproject.toml too; a test holds the two together."""

__version__ = "0.10.0"
