"""What is done to the parameters of a model: gradients clipped, all packed into one vector, computed from others."""

from tensorgrad.nn.utils import parametrizations, parametrize
from tensorgrad.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_
from tensorgrad.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "vector_to_parameters",
]
