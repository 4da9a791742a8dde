"""What training needs besides gradients: figures that say how good a model is."""

from tensorgrad.training import metrics

__all__ = ["metrics"]
