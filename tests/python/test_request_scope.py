"""What any part of a request binds is on every later line of that request, and on no other."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from typing import Any

import pytest

import logboom
from logboom.asgi import LoggingMiddleware

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


async def serve(app: Any, *, access: bool = False, **changes: Any) -> None:
    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], **changes}
    await LoggingMiddleware(app, access=access)(scope, nothing, nothing)


def test_a_thread_a_task_and_a_group_bind_for_the_whole_request():
    seen: dict[str, Any] = {}

    async def in_a_task() -> None:
        logboom.bind(task=1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(logboom.bind, thread=1)
        await asyncio.create_task(in_a_task())
        await asyncio.gather(*(asyncio.to_thread(logboom.bind, **{f"n{n}": n}) for n in range(20)))
        with logboom.bound(block=1):
            logboom.bind(within=1)
            seen["inside"] = logboom.context()
        token = logboom.bind(taken=1)
        logboom.reset(token)
        logboom.unbind("n0")
        seen["end"] = logboom.context()
        with pytest.raises(RuntimeError, match="already been used"):
            logboom.reset(token)

    asyncio.run(serve(app))
    assert {"thread", "task", "block", "within", "n19"} <= set(seen["inside"])
    binds = {"thread", "task", "within", *(f"n{n}" for n in range(1, 20))}
    assert set(seen["end"]) == {"request_id", *binds}
    assert logboom.context() == {}


def test_thousands_of_requests_at_once_see_nothing_of_each_other(json_lines):
    written, logger = json_lines("tests.scope"), logging.getLogger("tests.scope")
    logboom.install()
    count = 2000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def bind(**fields: Any) -> None:
            await asyncio.sleep(0)
            logboom.bind(**fields)

        number = scope["number"]
        logboom.bind(number=number)
        await asyncio.gather(bind(a=number), bind(b=number))
        if number % 100 == 0:
            await asyncio.to_thread(logboom.bind, c=number)
        logger.info("%d", number)

    async def all_of_them() -> None:
        await asyncio.gather(*(serve(app, number=number) for number in range(count)))

    asyncio.run(all_of_them())
    lines = written.all()
    assert len(lines) == count
    for line in lines:
        number = int(line["message"])
        found = {line[name] for name in ("number", "a", "b")} | {line.get("c", number)}
        assert found == {number}
    assert len({line["request_id"] for line in lines}) == count


def test_threads_that_bind_at_once_lose_nothing():
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        together = threading.Barrier(4)

        def bind(thread: int) -> None:
            together.wait(30)
            for number in range(200):
                logboom.bind(**{f"t{thread}_{number}": number})

        await asyncio.gather(*(asyncio.to_thread(bind, thread) for thread in range(4)))
        seen.update(logboom.context())

    asyncio.run(serve(app))
    assert len(seen) == 4 * 200 + 1


def test_a_request_within_a_request_has_its_own():
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        logboom.bind(inner=1)
        seen.append(sorted(logboom.context()))

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        logboom.bind(outer=1)
        await serve(inner)
        seen.append(sorted(logboom.context()))

    asyncio.run(serve(outer))
    assert seen == [["inner", "request_id"], ["outer", "request_id"]]


class Held:
    """Something that a request binds and that can be watched."""


def test_what_a_request_bound_goes_with_it():
    watched: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        one = Held()
        watched.append(weakref.ref(one))
        logboom.bind(one=one, itself=logboom.context)

    asyncio.run(serve(app))
    gc.collect()
    assert watched[0]() is None


class Binds:
    """A value whose text binds something else."""

    def __str__(self) -> str:
        logboom.bind(other=1)
        return "text"


def test_a_value_that_binds_while_it_is_bound():
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            logboom.bind(one=Binds())
        finally:
            seen.update(logboom.context())

    asyncio.run(asyncio.wait_for(serve(app), 30))
    assert seen["one"].__class__ is Binds


def test_what_is_bound_within_a_block_is_on_the_request_and_what_the_block_gives_is_not():
    seen: list[dict[str, Any]] = []

    async def handler() -> None:
        with logboom.bound(deeper=1):
            token = logboom.bind(gone=1)
            await asyncio.to_thread(logboom.bind, user=7)
            logboom.reset(token)
            seen.append(logboom.context())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with logboom.bound(tenant="a"):
            await asyncio.create_task(handler())
            logboom.unbind("tenant")
            seen.append(logboom.context())
            await serve(inner)
        seen.append(logboom.context())

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        logboom.bind(inner=1)

    asyncio.run(serve(app))
    names = [sorted(one.keys() - {"request_id"}) for one in seen]
    assert names == [["deeper", "tenant", "user"], ["user"], ["user"]]
    assert logboom.context() == {}
