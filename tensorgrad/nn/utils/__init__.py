"""Clipped gradients; parameters in one vector, computed from others, fused; sequences of several lengths."""

from tensorgrad.nn.utils import parametrizations, parametrize, rnn
from tensorgrad.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from tensorgrad.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tensorgrad.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_linear_bn_eval",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "rnn",
    "vector_to_parameters",
]
