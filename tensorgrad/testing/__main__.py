"""``python -m tensorgrad.testing``."""

from tensorgrad.testing.cli import main
from tensorgrad.testing.leaving import leave_with

if __name__ == "__main__":
    leave_with(main)
