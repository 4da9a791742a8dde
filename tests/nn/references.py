"""What attention and transformers should give, in NumPy and by definition."""

from __future__ import annotations

import numpy as np


def attention(layer, query, key, value, hidden=None, padding=None):
    """The layer on batch-first arrays, one head and one query at a time; the result, and the weights of each head."""
    state = {name: array.numpy() for name, array in layer.state_dict().items()}
    e, heads, d = layer.embed_dim, layer.num_heads, layer.head_dim
    projections = (
        np.split(state["in_proj_weight"], 3)
        if "in_proj_weight" in state
        else [state[f"{name}_proj_weight"] for name in "qkv"]
    )
    biases = np.split(state.get("in_proj_bias", np.zeros(3 * e)), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), projections, biases))
    batch, length, _ = q.shape
    if "bias_k" in state:
        k = np.concatenate([k, np.tile(state["bias_k"], (batch, 1, 1))], axis=1)
        v = np.concatenate([v, np.tile(state["bias_v"], (batch, 1, 1))], axis=1)
    if layer.add_zero_attn:
        k, v = (np.concatenate([x, np.zeros((batch, 1, e))], axis=1) for x in (k, v))
    weights = np.zeros((batch, heads, length, k.shape[1]))
    out = np.zeros((batch, length, e))
    for n in range(batch):
        for h in range(heads):
            part = slice(h * d, (h + 1) * d)
            for i in range(length):
                scores = k[n, :, part] @ q[n, i, part] / np.sqrt(d)
                for mask, at in ((hidden, i), (padding, n)):
                    if mask is not None:
                        row = mask[n * heads + h, at] if mask.ndim == 3 else mask[at]
                        added = np.where(row, -np.inf, 0) if mask.dtype == bool else row
                        scores[: len(row)] += added
                weights[n, h, i] = np.exp(scores) / np.exp(scores).sum() if np.isfinite(scores).any() else 0
                out[n, i, part] = weights[n, h, i] @ v[n, :, part]
    return out @ state["out_proj.weight"].T + state.get("out_proj.bias", 0), weights


def layer_norm(layer, x):
    """Each place normalised by itself."""
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + layer.eps)
    return y * layer.weight.numpy() + (0 if layer.bias is None else layer.bias.numpy())


def linear(layer, x):
    """A fully connected layer."""
    return x @ layer.weight.numpy().T + (0 if layer.bias is None else layer.bias.numpy())


def transformer_layer(layer, activation, x, blocks):
    """The blocks, which are functions of an array, and then the fully connected ones, each added to what came in."""
    blocks = [*blocks, lambda x: linear(layer.linear2, activation(linear(layer.linear1, x)))]
    for i, block in enumerate(blocks, 1):
        norm = getattr(layer, f"norm{i}")
        x = x + block(layer_norm(norm, x)) if layer.norm_first else layer_norm(norm, x + block(x))
    return x


def encoder_layer(layer, activation, x, mask=None, padding=None):
    """Attention to itself."""
    return transformer_layer(layer, activation, x, [lambda x: attention(layer.self_attn, x, x, x, mask, padding)[0]])


def decoder_layer(layer, activation, x, memory, masks=(None, None), paddings=(None, None)):
    """Attention to itself, then to a memory."""
    blocks = [
        lambda x: attention(layer.self_attn, x, x, x, masks[0], paddings[0])[0],
        lambda x: attention(layer.multihead_attn, x, memory, memory, masks[1], paddings[1])[0],
    ]
    return transformer_layer(layer, activation, x, blocks)
