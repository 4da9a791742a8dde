"""The records of tensorgrad's own ops: one or several for each public function of :mod:`tensorgrad.ops`."""

from __future__ import annotations

from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.records.activations import ACTIVATIONS
from tensorgrad.testing.records.attention import ATTENTION
from tensorgrad.testing.records.creation import CASTING, CREATION
from tensorgrad.testing.records.elementwise import ELEMENTWISE, POWERS, TRIGONOMETRY
from tensorgrad.testing.records.functions import FUNCTIONS as FUNCTIONS
from tensorgrad.testing.records.indexing import INDEXING
from tensorgrad.testing.records.linalg import LINALG
from tensorgrad.testing.records.logic import LOGIC
from tensorgrad.testing.records.losses import LOSSES
from tensorgrad.testing.records.margin_losses import DISTANCES, MARGIN_LOSSES
from tensorgrad.testing.records.normalization import DROPOUT, NORMALIZATION
from tensorgrad.testing.records.recurrent import RECURRENT
from tensorgrad.testing.records.reductions import REDUCTIONS
from tensorgrad.testing.records.resizing import RESIZING, TABLES
from tensorgrad.testing.records.shape import ARRANGEMENT, SHAPE
from tensorgrad.testing.records.transposed import TRANSPOSED
from tensorgrad.testing.records.windows import CONVOLUTION, POOLING

FAMILIES: dict[str, list[OpSpec]] = {
    "Arithmetic and rounding": ELEMENTWISE,
    "Powers, exponentials, logarithms": POWERS,
    "Trigonometry": TRIGONOMETRY,
    "Comparisons, logic, choice": LOGIC,
    "Reductions and running totals": REDUCTIONS,
    "Shapes": SHAPE,
    "Order and repetition": ARRANGEMENT,
    "Indexing and sorting": INDEXING,
    "Products and norms": LINALG,
    "Convolution": [*CONVOLUTION, *TRANSPOSED],
    "Pooling": POOLING,
    "Activations": ACTIVATIONS,
    "Attention": ATTENTION,
    "Losses": [*LOSSES, *MARGIN_LOSSES],
    "Distances": DISTANCES,
    "Normalisation": NORMALIZATION,
    "Dropout": DROPOUT,
    "Recurrent layers": RECURRENT,
    "Sizes of images": RESIZING,
    "Tables and products of inputs": TABLES,
    "Dtypes and devices": CASTING,
    "New arrays": CREATION,
}
"""The records by family, under the family's heading in the documentation."""

SPECS: list[OpSpec] = [spec for family in FAMILIES.values() for spec in family]
"""All records."""

WITHOUT_RECORD = {"broadcast_shapes": "takes shapes and gives one, no arrays"}
"""Public functions that are no ops, and why."""
