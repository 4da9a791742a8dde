"""``python -m tensorgrad.testing``."""

import sys

from tensorgrad.testing.cli import main

if __name__ == "__main__":
    sys.exit(main())
