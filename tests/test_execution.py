"""Tasks: the same results wherever and in whatever order they are carried out; ends that leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path
from typing import Any

import distributed
import pytest
from worker_tasks import Cell, die, fail, hold, measure, session, touch

from aixi_approx.cli import main
from aixi_approx.execution import cluster as cluster_module
from aixi_approx.execution import tasks as tasks_module
from aixi_approx.execution.engines import InProcess, engine
from aixi_approx.execution.processes import Processes, cores
from aixi_approx.execution.tasks import AHEAD, Engine, Task, run_all

HERE = Engine(InProcess(), lambda: 1, lambda: None)
TASKS = [Task(measure, (Cell(f"cell-{i}", i), [])) for i in range(12)]


def collect(place: Engine, tasks: list[Task]) -> dict[str, int]:
    """Return the sizes of cells, and of those that follow from them."""
    sizes: dict[str, int] = {}

    def finish(task: Task, cell: Cell) -> Iterator[Task]:
        assert cell.name == task.arguments[0].name
        assert cell.name not in sizes
        sizes[cell.name] = cell.size
        if cell.name.count("-") < 3:
            yield from (Task(measure, (Cell(f"{cell.name}-{j}", j), [cell])) for j in range(2))

    run_all(place, tasks, finish=finish)
    return sizes


def by_hand() -> dict[str, int]:
    sizes = {}
    for i in range(12):
        sizes[f"cell-{i}"] = i**2
        for j in range(2):
            sizes[f"cell-{i}-{j}"] = i**2 + j**2
            for k in range(2):
                sizes[f"cell-{i}-{j}-{k}"] = i**2 + j**2 + k**2
    return sizes


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("where", ["here", "2", "dask"])
def test_results_depend_neither_on_the_engine_nor_on_the_order(where: str, order: int, cluster: str) -> None:
    with engine(cluster.replace("tcp", "dask") if where == "dask" else where) as place:
        assert place.workers() == (1 if where == "here" else 2)
        assert collect(place, TASKS[::order]) == by_hand()


def test_names_of_engines() -> None:
    for where, workers in (("processes:3", 3), ("7", 7), ("processes", cores()), ("", cores()), (None, cores())):
        with engine(where) as place:
            assert place.workers() == workers


class Hand(Executor):
    """Ends tasks when it is told to, the last first."""

    def __init__(self) -> None:
        self.begun: list[tuple[Future, Any]] = []
        self.order: list[Any] = []
        self.most = 0

    def submit(self, function: Callable, /, *arguments: Any, **options: Any) -> Future:
        future: Future = Future()
        self.begun.append((future, arguments[0]))
        self.order.append(arguments[0])
        self.most = max(self.most, len(self.begun))
        return future

    def end_one(self) -> None:
        if self.begun:
            future, number = self.begun.pop()
            future.set_result(number)


def test_few_are_made_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "LOOK_SECONDS", 0.001)
    hand, ended, made = Hand(), [], []

    def make(numbers: range) -> Iterator[Task]:
        for number in numbers:
            made.append(number)
            assert len(made) - len(ended) <= 3 * AHEAD, "it is made before a worker is free for it"
            yield Task(abs, (number,))

    def finish(task: Task, result: int) -> Iterator[Task]:
        assert task.arguments == (result,)
        ended.append(result)
        return make(range(10 * result, 10 * result + 2)) if 4 < result < 20 else iter(())

    run_all(Engine(hand, lambda: 3, lambda: None), make(range(20)), finish=finish, watch=hand.end_one)
    assert hand.most == 3 * AHEAD
    assert hand.order == made
    assert sorted(made) == sorted(ended) == [*range(20), *(10 * i + j for i in range(5, 20) for j in range(2))]


def test_what_follows_goes_before_what_was_given_after_it() -> None:
    follow, order = {0: [10, 11], 10: [20], 2: [12]}, []

    def finish(task: Task, result: int) -> list[Task]:
        order.append(result)
        return [Task(abs, (number,)) for number in follow.get(result, [])]

    run_all(HERE, [Task(abs, (i,)) for i in range(5)], finish=finish)
    assert order == [0, 1, 10, 11, 20, 2, 12, 3, 4], "two are made at a time"


def test_many_tasks_are_no_burden() -> None:
    """What follows from one after the other is not nested."""
    seen = 0

    def finish(task: Task, result: int) -> Iterator[Task]:
        nonlocal seen
        seen += 1
        return iter([Task(abs, (result - 1,))] if result % 2 else [])

    run_all(HERE, (Task(abs, (i,)) for i in range(30_000)), finish=finish)
    assert seen == 45_000


def test_it_is_watched_while_tasks_run(tmp_path: Path) -> None:
    looks: list[str] = []

    def watch() -> None:
        looks.append("")
        if len(looks) == 2:
            touch(tmp_path, "go")

    with engine("1") as place:
        run_all(place, [Task(hold, (tmp_path, "a"))], finish=lambda *_: (), watch=watch)
    assert len(looks) > 2


# ---------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("where", ["here", "2", "dask"])
def test_what_a_task_raises_is_raised(where: str, cluster: str) -> None:
    with engine(cluster if where == "dask" else where) as place, pytest.raises(LookupError, match="no such cell"):
        run_all(place, [Task(abs, (1,)), Task(fail, ())], finish=lambda *_: ())


def test_what_ended_beside_a_failure_is_kept() -> None:
    kept: list[int] = []
    with pytest.raises(LookupError):
        run_all(
            HERE, [Task(fail, ()), Task(abs, (1,)), Task(abs, (2,))], finish=lambda _, result: kept.append(result) or ()
        )
    assert kept == [1]


def test_a_process_that_is_killed_is_one_line(tmp_path: Path) -> None:
    kept: list[Any] = []

    def finish(task: Task, result: Any) -> list[Task]:
        kept.append(result)
        touch(tmp_path, "kept")
        return []

    with engine("2") as place, pytest.raises(RuntimeError, match="a worker is gone: killed, out of memory"):
        run_all(place, [Task(die, (tmp_path, "kept")), Task(touch, (tmp_path, "other"))], finish=finish)
    assert kept == ["other"]


def test_a_cluster_that_is_lost_is_one_line() -> None:
    hand = Hand()

    def lose() -> None:
        future, _ = hand.begun[0]
        future.cancel()
        future.set_running_or_notify_cancel()

    with pytest.raises(RuntimeError, match="out of reach"):
        run_all(
            Engine(hand, lambda: 1, lambda: None, (CancelledError,)),
            [Task(abs, (1,))],
            finish=lambda *_: (),
            watch=lose,
        )


@pytest.mark.parametrize("where", ["1", "dask"])
def test_an_interruption_gives_up_what_has_not_ended(where: str, tmp_path: Path, cluster: str) -> None:
    """What a process does ends at once; what a cluster has not begun is not begun."""
    running = ["a"] if where == "1" else ["a", "b"]

    def watch() -> None:
        if all((tmp_path / name).exists() for name in running):
            raise KeyboardInterrupt

    tasks = [Task(hold, (tmp_path, name)) for name in running] + [Task(touch, (tmp_path, "late"))]
    with engine(cluster if where == "dask" else where) as place:
        with pytest.raises(KeyboardInterrupt):
            run_all(place, tasks, finish=lambda *_: (), watch=watch)
        if where == "dask":
            with engine(cluster) as other:  # its workers have answered: they know what is given up
                touch(tmp_path, "go")
                assert within_half_a_minute(lambda: all((tmp_path / f"{name} ended").exists() for name in running))
                run_all(other, [Task(abs, (i,)) for i in range(9)], finish=lambda *_: ())
    assert not (tmp_path / "late").exists()
    assert (tmp_path / "a ended").exists() == (where == "dask")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("tigre", "no engine 'tigre': there are processes:4 (or just 4), here, dask://HOST:8786, mpi"),
        ("4:processes", "no engine '4:processes': there are"),
        ("processes:-1", "no engine 'processes:-1': there are"),
        ("dask://", "no engine 'dask://': there are"),
        ("0", "0: at least one process is needed"),
        ("dask://host:many", "tcp://host:many is not an address of a Dask scheduler: "),
        (
            "dask://127.0.0.1:1",
            "no Dask scheduler answers at tcp://127.0.0.1:1: was it started, with 'dask scheduler'?",
        ),
        ("dask://127.0.0.1", "no Dask scheduler answers at tcp://127.0.0.1:8786: "),
    ],
)
def test_no_such_place(where: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CLUSTER_SECONDS", 0.2)
    with pytest.raises(ValueError) as raised, engine(where):  # noqa: PT011
        pass
    assert str(raised.value).startswith(message)


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CLUSTER_SECONDS", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp://", dashboard_address=":0") as empty,
        pytest.raises(ValueError, match="has no workers: start some, 'dask worker tcp://"),
        engine(empty.scheduler_address),
    ):
        pass


def test_workers_with_another_version_or_none(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "__version__", "9.9")
    with pytest.raises(ValueError, match=r"worker tcp://.* has aixi_approx 0\S+: install 9.9 there"), engine(cluster):
        pass
    monkeypatch.setitem(sys.modules, "aixi_approx", None)
    with pytest.raises(ValueError, match=r"worker tcp://.* has no aixi_approx \(.*\): install 9.9"), engine(cluster):
        pass


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for where, package in (("dask://127.0.0.1:1", "distributed"), ("mpi", "mpi4py")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ValueError, match=rf"is not installed: pip install '?{where[:3]}"):
            engine(where).__enter__()


def test_mpi_has_to_be_started_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mpi4py", "mpi4py.MPI", "mpi4py.futures"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys.modules["mpi4py"], "MPI", None, raising=False)
    monkeypatch.setattr(sys.modules["mpi4py.futures"], "MPIPoolExecutor", None, raising=False)
    with pytest.raises(ValueError, match=r"mpiexec -n 4 python -m mpi4py\.futures -m aixi_approx\.cli"):
        engine("mpi").__enter__()


def test_the_command_line_as_a_module() -> None:
    asked = subprocess.run([sys.executable, "-m", "aixi_approx.cli", "--version"], capture_output=True, text=True)
    assert asked.stdout.startswith("aixi, version ")
    assert callable(main)


# ---------------------------------------------------------------------------------------------------- what is left


def test_processes_are_deaf_to_ctrl_c(tmp_path: Path) -> None:
    """Whichever thread begins them."""

    def interrupt(folder: Path) -> None:
        folder.mkdir()
        with Processes(1) as pool:
            pid = pool.submit(os.getpid).result()
            held = pool.submit(hold, folder, "a")
            assert within_half_a_minute((folder / "a").exists)
            os.kill(pid, signal.SIGINT)
            touch(folder, "go")
            held.exception()

    interrupt(tmp_path / "main")
    thread = threading.Thread(target=interrupt, args=(tmp_path / "other",))
    thread.start()
    thread.join()
    assert all((tmp_path / name / "a ended").exists() for name in ("main", "other"))


SCRIPT = """
import signal, sys
from pathlib import Path
from aixi_approx.execution.engines import engine
from aixi_approx.execution.tasks import Task, run_all
from worker_tasks import hold

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, if pytest runs in the background
    with engine("2") as place:
        run_all(place, [Task(hold, (Path(sys.argv[1]), name)) for name in "abcd"], finish=lambda *_: ())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind(number: int, tmp_path: Path) -> None:
    """Ctrl-C reaches all processes of a terminal; a kill only one."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert within_half_a_minute(lambda: all((tmp_path / name).exists() for name in "ab"))
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        errors = process.communicate(timeout=30)[1]
        assert process.returncode == -number
        assert errors.count("Traceback") == (number == signal.SIGINT)  # that of the script itself
        assert ("leaked semaphore" in errors) == (number == signal.SIGKILL)  # what is left is cleaned up by Python
        assert within_half_a_minute(lambda: not session(process.pid))
        assert not list(tmp_path.glob("* ended"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def within_half_a_minute(condition: Callable[[], bool]) -> bool:
    for _ in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False
