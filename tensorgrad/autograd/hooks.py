"""Handles of registered hooks."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import versions


class Hook:
    """The handle of a registered hook; :meth:`remove` takes it off again."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        if not callable(hook):
            raise TypeError(f"a hook is a function, not {type(hook).__name__}.")
        self._hooks = hooks
        self._key = versions.tick()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Takes the hook off; doing it twice does no harm."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()
