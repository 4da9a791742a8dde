"""Writes docs/reference.md, a line for each public op, from the records that the ops are tested by.

    python scripts/make_reference.py

Needs hypothesis. A test fails when the page is not what this script would write.
"""

from __future__ import annotations

from pathlib import Path

from tensorgrad.testing.records import FAMILIES, WITHOUT_RECORD

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

INTRODUCTION = """\
# The ops, one line each

This page is made by `scripts/make_reference.py` from the records in `tensorgrad/testing/records`, by which the ops are
tested; what it says is what is tested. `help(tg.name)` tells more.

- *Shapes*: those of the arrays. *any*: whatever they are; *broadcast*: any that broadcast against each other.
- *Values*: those that the op has derivatives at, kinks aside.
- *At kinks*: the gradient that it gives where there is no derivative.
- *Derivatives*: the orders that are compared with finite differences. Higher ones come from the same rules.

What a line says can be tried ([ops.md](ops.md#test-it-from-a-record) tells what is tested from a record):

```python
from tensorgrad.testing import check_op
from tensorgrad.testing.records import SPECS

check_op(next(spec for spec in SPECS if spec.name == "softmax"), examples=5)
```
"""

HEAD = "| op | what it gives | shapes | values | at kinks | derivatives |\n| --- | --- | --- | --- | --- | --- |"


def reference() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for family, specs in FAMILIES.items():
        # Of several records of one op the one that has no name of its own is about the usual call.
        lines = [spec.line() for spec in sorted(specs, key=lambda spec: spec.name) if not spec.variant]
        parts.append(f"## {family}\n\n{HEAD}\n" + "\n".join(lines) + "\n")
    others = "\n".join(f"- `{name}` {why}." for name, why in WITHOUT_RECORD.items())
    parts.append(f"## Public functions that are no ops\n\n{others}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(reference())
    print(f"{PAGE} has {sum(line.startswith('| `') for line in PAGE.read_text().splitlines())} ops")
