"""Makes the modules of ``examples/`` importable, as they are for a program that lies there."""

from __future__ import annotations

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.append(str(EXAMPLES))
