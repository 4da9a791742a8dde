"""``python -m tensorgrad.testing.conformance``."""

from tensorgrad.testing.conformance.cli import main
from tensorgrad.testing.leaving import leave_with

if __name__ == "__main__":
    leave_with(main)
