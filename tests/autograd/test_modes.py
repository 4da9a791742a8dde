"""no_grad and its kin: blocks, decorators, generators, threads, exceptions."""

from __future__ import annotations

import threading

import pytest

import tensorgrad as tg


def tracked():
    return (tg.tensor(1.0, requires_grad=True) * 2).requires_grad


def test_blocks_nest():
    assert tracked()
    with tg.no_grad():
        assert not tracked()
        with tg.enable_grad():
            assert tracked()
            with tg.set_grad_enabled(False):
                assert not tracked()
            assert tracked()
        assert not tracked()
    assert tracked()


def test_an_exception_restores():
    with pytest.raises(ZeroDivisionError), tg.no_grad():
        raise ZeroDivisionError
    assert tracked()


# Made in the test: set_grad_enabled(False) acts at once, until it is known to be a decorator.
@pytest.mark.parametrize("make", [lambda: tg.no_grad, lambda: tg.no_grad(), lambda: tg.set_grad_enabled(False)])
def test_decorator(make):
    @make()
    def inside():
        """Docs."""
        return tracked()

    assert inside() is False
    assert inside.__doc__ == "Docs."
    assert tracked()


def test_a_decorated_function_may_recurse():
    @tg.no_grad()
    def inside(depth):
        return tracked() or (depth and inside(depth - 1))

    assert not inside(3)
    assert tracked()


def test_a_decorated_generator_does_not_leak_between_its_items():
    @tg.no_grad()
    def items():
        received = yield tracked()
        try:
            yield (received, tracked())
        except KeyError:
            yield ("caught", tracked())
        return "end"

    generator = items()
    assert next(generator) is False
    assert tracked()
    assert generator.send("hello") == ("hello", False)
    assert generator.throw(KeyError()) == ("caught", False)
    assert tracked()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "end"


def test_closing_a_decorated_generator_runs_its_end_in_the_mode():
    seen = []

    @tg.no_grad()
    def items():
        try:
            yield 1
        finally:
            seen.append(tracked())

    generator = items()
    next(generator)
    generator.close()
    assert seen == [False]
    assert tracked()


def test_blocks_may_end_in_any_order():
    def suspended():
        with tg.no_grad():
            yield

    generator = suspended()
    next(generator)
    with tg.enable_grad():
        generator.close()
        assert tracked()
    assert tracked()
    generator = suspended()
    next(generator)
    block = tg.no_grad()
    block.__enter__()
    generator.close()
    assert not tracked(), "the block that is still open counts"
    block.__exit__(None, None, None)
    assert tracked()


def test_one_instance_may_be_used_again_and_nested():
    mode = tg.no_grad()
    with mode, mode:
        assert not tracked()
    assert tracked()
    with mode:
        assert not tracked()
    assert tracked()


def test_set_grad_enabled_as_a_call():
    tg.set_grad_enabled(False)
    assert not tracked()
    tg.set_grad_enabled(True)
    assert tracked()
    with tg.no_grad():
        tg.set_grad_enabled(True)
        assert tracked()
    assert tracked()
    with tg.no_grad():
        pass
    assert tracked()


def test_threads_have_modes_of_their_own():
    results = {}
    inside, done = threading.Event(), threading.Event()

    def other():
        with tg.no_grad():
            inside.set()
            done.wait(10)
            results["other"] = tracked()

    with tg.no_grad():
        thread = threading.Thread(target=lambda: results.setdefault("fresh", tracked()))
        thread.start()
        thread.join()
    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    results["here"] = tracked()
    done.set()
    thread.join()
    assert results == {"fresh": True, "here": True, "other": False}


def test_a_decorated_coroutine_does_not_leak_while_it_waits():
    import asyncio

    @tg.no_grad()
    async def inside():
        seen = [tracked()]
        await asyncio.sleep(0)
        return [*seen, tracked()]

    async def main():
        task = asyncio.create_task(inside())
        seen = [tracked()]
        await asyncio.sleep(0)
        return [*seen, tracked()], await task

    assert asyncio.run(main()) == ([True, True], [False, False])


def test_what_cannot_be_decorated():
    with pytest.raises(TypeError, match="asynchronous generator"):

        @tg.no_grad()
        async def items():
            yield 1

    with pytest.raises(TypeError, match="no_grad takes no arguments but a function to decorate, not bool"):
        tg.no_grad(False)


def test_is_grad_enabled():
    assert tg.is_grad_enabled()
    with tg.no_grad():
        assert not tg.is_grad_enabled()


@pytest.mark.parametrize("at", range(6))
def test_an_interrupt_in_the_switch_itself_leaves_the_mode_as_it_was(at, monkeypatch):
    from tensorgrad.autograd import modes

    refresh, calls = modes._State.refresh, []

    def interrupted(self):
        refresh(self)
        calls.append(1)
        if len(calls) == at + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(modes._State, "refresh", interrupted)
    try:
        for _ in range(2):
            with tg.no_grad():
                pass
    except KeyboardInterrupt:
        pass
    assert tracked()
