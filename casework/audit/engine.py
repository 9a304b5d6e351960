"""Where the ranges of a store are judged: in processes of this machine, or on a cluster of Dask's.

Each gives what came of the ranges in their order, and does again what a worker that was lost had in hand.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from typing import Any

from casework.audit.parts import Job, Judged, judge
from casework.errors import EngineError, InputError

#: How often a range is begun again after the loss of whoever judged it: one that kills its worker every time is told of.
TRIES = 4
#: How long a scheduler may take to answer, in seconds.
_ANSWER = 15
#: How often it is looked whether it is there still, in seconds.
_LOOK = 5
_SCHEMES = {"dask": "tcp", "dask+tls": "tls"}


def in_processes(jobs: Sequence[Job], workers: int) -> Iterator[Judged]:
    """Judge them in so many processes. :class:`~casework.errors.EngineError` where a range killed its process each time."""
    at, lost = 0, 0
    while at < len(jobs):
        # Begun afresh, not forked: SQLite's connections must not be carried over a fork.
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            ahead: deque[Future[Judged]] = deque()
            try:
                first = at
                for job in jobs[first:]:
                    ahead.append(pool.submit(judge, job))
                    # No further ahead than that, for what came of a range is held until its turn.
                    if len(ahead) > 2 * workers:
                        yield ahead.popleft().result()
                        at, lost = at + 1, 0
                while ahead:
                    yield ahead.popleft().result()
                    at, lost = at + 1, 0
            except BrokenProcessPool:
                lost += 1
                if lost == TRIES:
                    raise _lost(f"{TRIES}") from None
            finally:
                pool.shutdown(cancel_futures=True)


def on_dask(jobs: Sequence[Job], engine: str) -> Iterator[Judged]:
    """Judge them on the cluster whose scheduler is at ``dask://HOST:PORT`` (or ``dask+tls://``, with Dask's own settings).

    Every worker must reach the store under the same URL and have this version of casework: :class:`~casework.errors.EngineError`
    where one has not, where the scheduler does not answer, or where a range was lost with each worker that had it.
    """
    scheme, _, place = engine.partition("://")
    if scheme not in _SCHEMES or not place or "@" in place:
        raise InputError("name the scheduler as dask://HOST:PORT (or dask+tls://HOST:PORT)",
                         "请用 dask://主机:端口（或 dask+tls://主机:端口）指定调度器", "--engine")
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise EngineError("--engine dask:// needs Dask; install it with: pip install 'casework[cluster]'",
                          "--engine dask:// 需要 Dask；请运行 pip install 'casework[cluster]'") from None
    try:
        client = Client(f"{_SCHEMES[scheme]}://{place}", timeout=_ANSWER)
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {place} ({error}); start one with: dask scheduler",
                          f"{place} 处没有 Dask 调度器应答（{error}）；请用 dask scheduler 启动") from None
    try:
        with client:
            yield from _gathered(client, jobs, place)
    except KilledWorker:
        raise _lost(f"{TRIES}") from None
    except (OSError, CancelledError, RuntimeError) as error:
        raise EngineError(f"the Dask scheduler at {place} was lost ({type(error).__name__}); audit again when it is back",
                          f"{place} 处的 Dask 调度器中断（{type(error).__name__}）；恢复后请重新审计") from error


def _gathered(client: Any, jobs: Sequence[Job], place: str) -> Iterator[Judged]:
    try:
        client.wait_for_workers(1, timeout=_ANSWER)
        releases = client.run(_release)
    except TimeoutError:
        raise EngineError(f"the Dask scheduler at {place} has no workers; start some with: dask worker",
                          f"{place} 处的 Dask 调度器没有工作进程；请用 dask worker 启动") from None
    except Exception as error:  # a worker without casework fails in ways of its own
        raise EngineError(f"the workers at {place} cannot run casework ({type(error).__name__}); install it on each of them",
                          f"{place} 的工作进程无法运行 casework（{type(error).__name__}）；请在每台上安装") from error
    _require_same(releases)
    for task in client.map(judge, jobs, pure=False, retries=TRIES - 1):
        # What came of a range stays with its worker until its turn.
        yield _result(client, task)
        task.release()


def _result(client: Any, task: Any) -> Judged:
    while True:
        try:
            judged: Judged = task.result(timeout=_LOOK)
            return judged
        except TimeoutError:
            # A client whose scheduler is gone would wait for it for ever.
            if client.status != "running":
                raise ConnectionError from None


def _release() -> str:
    return version("casework")


def _require_same(releases: dict[str, str]) -> None:
    """An audit by two releases would be an audit by neither."""
    mine = _release()
    for worker, theirs in sorted(releases.items()):
        if theirs != mine:
            raise EngineError(f"worker {worker} has casework {theirs}, and this is {mine}; install the same",
                              f"工作进程 {worker} 的 casework 为 {theirs}，本机为 {mine}；请安装同一版本")


def _lost(times: str) -> EngineError:
    return EngineError(f"a range of the store was lost with its worker {times} times, perhaps for want of memory; "
                       "try fewer at once (--jobs), or audit in one process (--jobs 1)",
                       f"案件库的一段随其工作进程丢失了 {times} 次，可能是内存不足；请减少并行（--jobs）或用单进程（--jobs 1）")
