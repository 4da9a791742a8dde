"""Mutants of tensorgrad's own rules that survive, and why that is no fault of the tests.

A test looks whether each of them still exists, and a whole run whether each of them still survives.
"""

from __future__ import annotations

GROUPS: list[tuple[str, dict[str, list[str]]]] = [
    (
        "makes a difference only between two devices, and the tests of a record stay on one: "
        "tests/autograd/test_tensor.py moves arrays and their gradients",
        {"casting.to_device(x)": ["_to_device(g, x_device) -> g"]},
    ),
    (
        "makes a difference only to second derivatives at a point that has no first one (a norm at zero, 0**0, the "
        "deviation of equals), where any number is as good as another",
        {
            "linalg.norm(x)": ["1 -> 2"],
            "powers.hypot(x1)": ["in _slope_of_hypot: 1 -> 2"],
            "powers.hypot(x2)": ["in _slope_of_hypot: 1 -> 2"],
            "powers.pow(x1)": ["0 -> 1"],
            "reductions.std(x)": ["1 -> 2"],
        },
    ),
    (
        "a product whose factors are exchanged",
        {
            "normalization.batch_norm(x, weight, bias)": [
                "xp.einsum(_SUM_OF_PRODUCTS, g, deviation) -> xp.einsum(_SUM_OF_PRODUCTS, deviation, g)"
            ],
            "softmax.softmax(x)": [
                "in through_softmax: xp.einsum(f'{letters},{letters}->{rest}', g, out) -> "
                "xp.einsum(f'{letters},{letters}->{rest}', out, g)"
            ],
        },
    ),
    (
        "what this rule gives is used up by the node before it, before the rule runs again: it is part of pooling and "
        "stands in no graph alone",
        {
            "windows.fold(windows)": ["gradient: in the memory of the last call's"],
            "windows.pick(x)": ["gradient: in the memory of the last call's"],
        },
    ),
    (
        "the rule runs for third derivatives only, which are compared in double precision",
        {"windows.pick(x)": ["gradient of x: wrong by 5 % unless in float64"]},
    ),
    (
        "what nobody used has a gradient of zeros, and to add them changes nothing",
        {
            "recurrent.gru(x, h, weight, bias)": [
                "by_m * r + by_new if used[2] else by_m * r -> by_m * r + by_new",
            ],
            "recurrent.lstm(x, h, c, weight, projection)": ["if used[1] -> if True"],
        },
    ),
    (
        "another order in memory, in which products are quicker",
        {
            rule: ["for_few_rows(weight, xp) -> weight"]
            for rule in (
                "recurrent.gru(x, h, weight, bias)",
                "recurrent.lstm(x, h, c, weight, projection)",
                "recurrent.rnn(x, h, weight)",
            )
        },
    ),
    (
        "makes a difference only where two threads share the sequences, which they do if there are many: "
        "tests/nn/test_recurrent.py makes them share five",
        {
            "recurrent.gru(x, h, weight, bias)": [
                "of_each(before, some) -> before",
                "in _steps: of_each(_split(each, counts), some) -> _split(each, counts)",
            ],
            "recurrent.lstm(x, h, c, weight, projection)": [
                "of_each(_before(c, cells, counts), some) -> _before(c, cells, counts)",
                "in _steps: of_each(_split(each, counts), some) -> _split(each, counts)",
            ],
            "recurrent.rnn(x, h, weight)": [
                "in _steps: of_each(_split(each, counts), some) -> _split(each, counts)",
            ],
        },
    ),
    (
        "a copy that is not needed, of the same values",
        {
            rule: [
                "in _grown: pad(g, ((0, count - g.shape[0]), (0, 0))) if g.shape[0] < count else g -> "
                "pad(g, ((0, count - g.shape[0]), (0, 0)))"
            ]
            for rule in (
                "recurrent.gru(x, h, weight, bias)",
                "recurrent.lstm(x, h, c, weight, projection)",
                "recurrent.rnn(x, h, weight)",
            )
        },
    ),
]
"""A reason, and the mutants that it explains: their names, by their rules."""

EXPLAINED: dict[tuple[str, str], str] = {
    (rule, mutant): reason for reason, rules in GROUPS for rule, mutants in rules.items() for mutant in mutants
}
"""The reason for each survivor, by its rule and its name."""
