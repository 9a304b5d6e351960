"""Where the ranges of a store are judged: in processes of this machine, or on a cluster of Dask's.

Each gives what came of the ranges in their order, and does again what a worker that was lost had in hand.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from typing import Any

from casework.audit.parts import Job, Judged, judge
from casework.errors import EngineError, InputError

#: How often a range is begun again after the loss of whoever judged it: one that kills its worker every time is told of.
TRIES = 4
#: How long a scheduler may take to answer, in seconds.
_ANSWER = 15
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
    if scheme not in _SCHEMES or not place:
        raise InputError("name the scheduler as dask://HOST:PORT (or dask+tls://HOST:PORT)",
                         "请用 dask://主机:端口（或 dask+tls://主机:端口）指定调度器", "--engine")
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise EngineError("--engine dask:// needs Dask; install it with: pip install 'casework[cluster]'",
                          "--engine dask:// 需要 Dask；请运行 pip install 'casework[cluster]'") from None
    try:
        client = Client(f"{_SCHEMES[scheme]}://{place}", timeout=_ANSWER)
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {place} ({error}); start one with: dask scheduler",
                          f"{place} 处没有 Dask 调度器应答（{error}）；请用 dask scheduler 启动") from None
    with client:
        _require_same(client.run(_release), place)
        tasks = client.map(judge, jobs, pure=False, retries=TRIES - 1)
        done: dict[object, Judged] = {}
        try:
            at = 0
            for task, judged in as_completed(tasks, with_results=True):
                done[task.key] = judged
                task.release()
                while at < len(tasks) and tasks[at].key in done:
                    yield done.pop(tasks[at].key)
                    at += 1
        except KilledWorker:
            raise _lost(f"{TRIES}") from None


def _release() -> str:
    return version("casework")


def _require_same(releases: dict[str, Any], place: str) -> None:
    """An audit by two releases would be an audit by neither."""
    mine = _release()
    if not releases:
        raise EngineError(f"the Dask scheduler at {place} has no workers; start some with: dask worker",
                          f"{place} 处的 Dask 调度器没有工作进程；请用 dask worker 启动")
    for worker, theirs in sorted(releases.items()):
        if theirs != mine:
            raise EngineError(f"worker {worker} has casework {theirs}, and this is {mine}; install the same",
                              f"工作进程 {worker} 的 casework 为 {theirs}，本机为 {mine}；请安装同一版本")


def _lost(times: str) -> EngineError:
    return EngineError(f"a range of the store was lost with its worker {times} times, perhaps for want of memory; "
                       "try fewer at once (--jobs), or audit in one process (--jobs 1)",
                       f"案件库的一段随其工作进程丢失了 {times} 次，可能是内存不足；请减少并行（--jobs）或用单进程（--jobs 1）")
