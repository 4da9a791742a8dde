"""Names of layers begin anew in each test, and random numbers, too."""

from __future__ import annotations

import pytest

from tensorgrad.keras import utils


@pytest.fixture(autouse=True)
def _from_the_beginning():
    utils.clear_session()
    utils.set_random_seed(0)
