"""What is seen of ``fit`` and ``evaluate``: Keras's lines, and a bar."""

from __future__ import annotations

import time
from typing import Any

from tensorgrad import training
from tensorgrad.keras.callbacks import Callback, Logs


class ProgbarLogger(Callback):
    """Shows how training goes: Keras's line for each epoch, and on a terminal a bar before it (tqdm's)."""

    def __init__(self, bar: bool | None = None) -> None:
        self._bar = training.ProgressBar(bar)
        self._epoch, self._began, self._steps, self._seen = 0, 0.0, None, 0

    @property
    def shows(self) -> bool:
        """Whether there is a bar now."""
        return self._bar.bar is not None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Says which."""
        print(f"Epoch {epoch + 1}/{self.params['epochs']}", flush=True)
        self._begin(epoch)

    def _begin(self, epoch: int) -> None:
        self._began, self._seen, self._steps = time.perf_counter(), 0, self.params.get("steps")
        self._bar.on_epoch_begin(_Place(epoch), self._steps)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar on."""
        self._seen += 1
        self._bar.on_batch_end(None, (logs or {}).get("loss", float("nan")))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the line."""
        self._end(logs or {})

    def _end(self, logs: Logs) -> None:
        self._bar.on_fit_end(None)
        seconds = time.perf_counter() - self._began
        print(line(self._seen, self._steps, seconds, logs), flush=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Takes the bar away, if there still is one."""
        self._bar.on_fit_end(None)


class EvaluationLogger(ProgbarLogger):
    """The same for ``evaluate``."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begins."""
        self._began, self._seen, self._steps = time.perf_counter(), 0, self.params.get("steps")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Counts."""
        self._seen += 1

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Writes the line."""
        self._end(logs or {})


class _Place:
    """What a bar asks a trainer for."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.batch = epoch, 0


def line(seen: int, steps: int | None, seconds: float, logs: Logs) -> str:
    """Keras's line for an epoch.

    Example:
        >>> line(5, 5, 2.0, {"loss": 0.25, "accuracy": 0.9, "val_loss": 0.5})
        '5/5 - 2s - 400ms/step - accuracy: 0.9000 - loss: 0.2500 - val_loss: 0.5000'
    """
    each = seconds / max(seen, 1)
    pace = (
        f"{each:.0f}s/step" if each >= 1 else f"{each * 1e3:.0f}ms/step" if each >= 1e-3 else f"{each * 1e6:.0f}us/step"
    )
    figures = [f"{name}: {_short(logs[name])}" for name in sorted(logs)]
    return " - ".join([f"{seen}/{steps or seen}", f"{seconds:.0f}s", pace, *figures])


def _short(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"
