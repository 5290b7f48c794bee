"""`python -m aixi_approx.cli`: the command line where a module has to be named, as under MPI."""

from aixi_approx.cli import main

if __name__ == "__main__":
    main()
