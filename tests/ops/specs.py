"""One record for every public op, from which all tests of ``test_ops.py`` are made."""

from __future__ import annotations

from tests.ops.array_specs import ARRAY_SPECS
from tests.ops.creation_specs import CREATION_SPECS
from tests.ops.network_specs import NETWORK_SPECS

SPECS = [*ARRAY_SPECS, *CREATION_SPECS, *NETWORK_SPECS]
WITHOUT_RECORD = {"broadcast_shapes": "takes shapes and gives one, no arrays"}
"""Public functions that are no ops."""
