"""``python -m tensorgrad.testing.conformance``."""

from __future__ import annotations

import sys

from tensorgrad.testing.conformance.cli import main

sys.exit(main())
