"""The functions behind the layers, under PyTorch's names. Their source is in :mod:`tensorgrad.ops`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from tensorgrad.ops import activations, shrinkage
from tensorgrad.ops import dropout as dropouts
from tensorgrad.ops import softmax as softmaxes
from tensorgrad.ops.activations import (
    gelu,
    glu,
    prelu,
    sigmoid,
    softplus,
    softsign,
)
from tensorgrad.ops.activations import log_sigmoid as logsigmoid
from tensorgrad.ops.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    global_avg_pool1d,
    global_avg_pool2d,
    global_avg_pool3d,
    global_max_pool1d,
    global_max_pool2d,
    global_max_pool3d,
)
from tensorgrad.ops.attention import scaled_dot_product_attention
from tensorgrad.ops.casting import astype
from tensorgrad.ops.classification import cross_entropy, nll_loss, one_hot
from tensorgrad.ops.convolution import conv1d, conv2d, conv3d
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.distances import cosine_similarity, normalize, pairwise_distance
from tensorgrad.ops.embedding import embedding, embedding_bag
from tensorgrad.ops.geometry import same_padding
from tensorgrad.ops.likelihoods import gaussian_nll_loss, kl_div, poisson_nll_loss
from tensorgrad.ops.linalg import bilinear, linear
from tensorgrad.ops.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    half_squared_error,
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from tensorgrad.ops.margin_losses import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    hinge_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from tensorgrad.ops.max_pooling import (
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
    min_pool1d,
    min_pool2d,
    min_pool3d,
)
from tensorgrad.ops.multi_head_attention import multi_head_attention_forward
from tensorgrad.ops.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)
from tensorgrad.ops.overlap_losses import dice_loss, sigmoid_focal_loss
from tensorgrad.ops.padding import pad_last_axes as pad
from tensorgrad.ops.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    median_pool1d,
    median_pool2d,
    median_pool3d,
    sum_pool1d,
    sum_pool2d,
    sum_pool3d,
)
from tensorgrad.ops.resizing import channel_shuffle, interpolate, pixel_shuffle, pixel_unshuffle
from tensorgrad.ops.shrinkage import hardshrink, softshrink, tanhshrink
from tensorgrad.ops.softmax import gumbel_softmax
from tensorgrad.ops.transposed_convolution import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    fold,
    unfold,
)
from tensorgrad.ops.trigonometry import tanh

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dice_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "global_avg_pool1d",
    "global_avg_pool2d",
    "global_avg_pool3d",
    "global_max_pool1d",
    "global_max_pool2d",
    "global_max_pool3d",
    "glu",
    "group_norm",
    "gumbel_softmax",
    "half_squared_error",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "median_pool1d",
    "median_pool2d",
    "median_pool3d",
    "min_pool1d",
    "min_pool2d",
    "min_pool3d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "same_padding",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sigmoid_focal_loss",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "sum_pool1d",
    "sum_pool2d",
    "sum_pool3d",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
]


def _takes_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of an array and an axis, which as in PyTorch may be told the dtype to compute in."""

    @functools.wraps(function)
    def call(*args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        if dtype is not None:
            args = (astype(asarray(args[0]), dtype, copy=False), *args[1:])
        return function(*args, **kwargs)

    parameters = [*inspect.signature(function).parameters.values()]
    parameters.append(inspect.Parameter("dtype", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Any))
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__doc__ = f"{function.__doc__}\n    With a ``dtype``, as in PyTorch, ``x`` is brought to it first.\n"
    return call


def _takes_inplace(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which as in PyTorch may be told ``inplace`` as its last argument; it changes nothing."""
    signature = inspect.signature(function)
    parameters = [*signature.parameters.values()]
    count = sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters)
    last = inspect.Parameter("inplace", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=bool)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) == count + 1:
            args = args[:-1]
        else:
            kwargs.pop("inplace", None)
        return function(*args, **kwargs)

    parameters.insert(count, last)
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__doc__ = f"{function.__doc__}\n    ``inplace`` is accepted, as in PyTorch, and changes nothing.\n"
    return call


celu = _takes_inplace(activations.celu)
alpha_dropout = _takes_inplace(dropouts.alpha_dropout)
dropout = _takes_inplace(dropouts.dropout)
dropout1d = _takes_inplace(dropouts.dropout1d)
dropout2d = _takes_inplace(dropouts.dropout2d)
dropout3d = _takes_inplace(dropouts.dropout3d)
elu = _takes_inplace(activations.elu)
feature_alpha_dropout = _takes_inplace(dropouts.feature_alpha_dropout)
hardsigmoid = _takes_inplace(activations.hardsigmoid)
hardswish = _takes_inplace(activations.hardswish)
hardtanh = _takes_inplace(activations.hardtanh)
leaky_relu = _takes_inplace(activations.leaky_relu)
mish = _takes_inplace(activations.mish)
relu = _takes_inplace(activations.relu)
relu6 = _takes_inplace(activations.relu6)
rrelu = _takes_inplace(activations.rrelu)
selu = _takes_inplace(activations.selu)
silu = _takes_inplace(activations.silu)
threshold = _takes_inplace(shrinkage.threshold)
log_softmax = _takes_dtype(softmaxes.log_softmax)
softmax = _takes_dtype(softmaxes.softmax)
softmin = _takes_dtype(softmaxes.softmin)
