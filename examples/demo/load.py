"""The load: a real HTTP client that sends the same requests to every server, in turns.

Turns, because a machine is not equally fast all the time: each server gets a slice of the requests,
then the next one does, so that all of them see the same machine. Only the slices are timed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from .servers import Sample, Server

SLICES, LARGEST_SLICE = 50, 100
WARM_UP_REQUESTS = 50
REQUEST_DEADLINE = 20.0
FAILURES_UNTIL_DEAD = 20


@dataclass
class Run:
    """What happened to one server."""

    title: str
    server: Server
    requests: int
    samples: list[Sample] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    failures: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    ending: str = ""

    @property
    def dead(self) -> bool:
        """Whether it is no use to ask it for more."""
        return len(self.failures) >= FAILURES_UNTIL_DEAD

    def take_sample(self) -> None:
        """Look at the server's process, if there still is one."""
        if sample := self.server.sample(len(self.answered)):
            self.samples.append(sample)


async def send_all(runs: list[Run], concurrency: int, on_answer: Callable[[Run], None]) -> None:
    """Send every server its requests, then SIGTERM right after the last response."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    clients = [
        httpx.AsyncClient(
            base_url=run.server.url, limits=limits, timeout=REQUEST_DEADLINE, trust_env=False
        )
        for run in runs
    ]
    try:
        for run, client in zip(runs, clients, strict=True):
            for _ in range(WARM_UP_REQUESTS):
                await client.get("/ready")
            run.take_sample()
        for numbers in slices(runs[0].requests):
            for run, client in zip(runs, clients, strict=True):
                await send_slice(run, client, numbers, concurrency, on_answer)
    finally:
        for client in clients:
            await client.aclose()


def slices(requests: int) -> list[range]:
    """Cut the numbers of the requests into turns."""
    size = min(-(-requests // SLICES), LARGEST_SLICE)
    return [range(start, min(start + size, requests)) for start in range(0, requests, size)]


async def send_slice(
    run: Run,
    client: httpx.AsyncClient,
    numbers: range,
    concurrency: int,
    on_answer: Callable[[Run], None],
) -> None:
    """Send one server its turn, with several requests on the way at any time."""
    waiting = iter(numbers)

    async def send_some() -> None:
        for number in waiting:
            if run.dead:
                return
            await send_one(run, client, number)
            on_answer(run)

    start = time.perf_counter()
    await asyncio.gather(*(send_some() for _ in range(concurrency)))
    run.seconds += time.perf_counter() - start
    if numbers.stop == run.requests:
        run.server.terminate()
    run.take_sample()


async def send_one(run: Run, client: httpx.AsyncClient, number: int) -> None:
    """Send a request, and note what came back."""
    try:
        response = await client.get(f"/work/{number}")
    except httpx.HTTPError as error:
        run.failures[number] = type(error).__name__
        return
    if response.status_code == 200:
        run.answered.add(number)
    else:
        run.failures[number] = f"{response.status_code}, {reason(response)}"


def reason(response: httpx.Response) -> str:
    """Give what the application said went wrong, or else the beginning of what it sent."""
    try:
        return str(response.json()["error"])
    except (ValueError, LookupError, TypeError):
        return response.text[:200]
