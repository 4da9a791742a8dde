"""Tools to check gradients with, for tensorgrad's own ops and for anybody's."""

from tensorgrad.testing.gradcheck import GradientReport, assert_gradients, gradcheck

__all__ = ["GradientReport", "assert_gradients", "gradcheck"]
