"""`python -m pytest_hybrideval.cli`, the same as `hybrideval`."""

from pytest_hybrideval.cli import main

if __name__ == "__main__":
    main()
