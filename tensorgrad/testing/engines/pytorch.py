"""PyTorch's functions and modules."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tensorgrad.testing.engines.base import Engine, Function, Source, too_coarse


class PyTorchEngine(Engine):
    """PyTorch: tensors on any device."""

    name = "pytorch"
    package = "torch"

    def __init__(self) -> None:
        super().__init__()
        self.domain_errors = (*Engine.domain_errors, self.library.linalg.LinAlgError)

    @classmethod
    def owns(cls, value: Any) -> bool:
        torch = cls.loaded()
        return torch is not None and isinstance(value, (torch.Tensor, torch.nn.Module))

    def parameters(self, value: Any) -> list[tuple[str, Any, bool]] | None:
        if not isinstance(value, self.library.nn.Module):
            return None
        return [(name, parameter, parameter.requires_grad) for name, parameter in value.named_parameters()]

    def double(self, module: Any) -> Any:
        return module.double()

    def array(self, value: np.ndarray, like: Any) -> Any:
        device = like.device if isinstance(like, self.library.Tensor) else "cpu"
        return self.library.tensor(value, device=device)

    def variable(self, value: np.ndarray, like: Any) -> Any:
        return self.array(value, like).requires_grad_()

    def numpy(self, native: Any) -> np.ndarray | None:
        if not isinstance(native, self.library.Tensor):
            return super().numpy(native)
        if native.dtype == self.library.bfloat16:
            raise too_coarse(native)
        host = native.detach().cpu()
        return np.array((host.to_dense() if host.is_sparse else host).resolve_conj().resolve_neg().numpy())

    def attached(self, output: Any) -> bool:
        return isinstance(output, self.library.Tensor)

    def active(self) -> AbstractContextManager[Any]:
        return self.library.enable_grad()

    def sources(self) -> list[Source]:
        torch = self.library

        def host() -> np.ndarray:
            return torch.get_rng_state().numpy()

        def devices() -> np.ndarray:
            return np.stack([state.numpy() for state in torch.cuda.get_rng_state_all()])

        found = [*super().sources(), Source(host, lambda state: torch.set_rng_state(torch.tensor(state)))]
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            found.append(Source(devices, lambda states: torch.cuda.set_rng_state_all(list(torch.tensor(states)))))
        return found

    def pull(
        self, call: Function, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> Sequence[Any | None]:
        return self._gradients(call(*leaves), [leaves[i] for i in wanted], cotangents, create_graph=False)

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        def gradients(*natives: Any) -> tuple[Any, ...]:
            inputs = [natives[i] for i in wanted]
            found = self._gradients(call(*natives[:leaves]), inputs, natives[leaves:], create_graph=True)
            zeros = self.library.zeros_like
            return tuple(zeros(x) if part is None else part for x, part in zip(inputs, found, strict=True))

        return gradients

    def _gradients(
        self, outputs: Sequence[Any], inputs: list[Any], cotangents: Sequence[Any], create_graph: bool
    ) -> Sequence[Any | None]:
        """Gradients through those outputs that are in the graph."""
        pairs = [
            (output, cotangent)
            for output, cotangent in zip(outputs, cotangents, strict=True)
            if self.attached(output) and output.requires_grad
        ]
        if not pairs:
            return [None] * len(inputs)
        roots, seeds = zip(*pairs, strict=True)
        found: Sequence[Any | None] = self.library.autograd.grad(
            roots, inputs, seeds, create_graph=create_graph, allow_unused=True
        )
        return found
