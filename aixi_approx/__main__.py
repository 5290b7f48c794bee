"""`python -m aixi_approx` is the command `aixi`, also where that is not on the path."""

import runpy

if __name__ == "__main__":
    runpy.run_module("aixi_approx.cli", run_name="__main__", alter_sys=True)
