"""The live page: who gets it, what is sent, and that the agent does not notice."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest

from aixi_approx.cli import main
from aixi_approx.envs import make
from aixi_approx.experiments import Collection, Experiment, run
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.viewer import broadcast as broadcasting
from aixi_approx.viewer import live, spectator
from aixi_approx.viewer.broadcast import Broadcast
from aixi_approx.viewer.live import LiveServer
from aixi_approx.viewer.scenes import STEP
from aixi_approx.viewer.spectator import Spectator

AIXI = str(Path(sys.executable).with_name("aixi"))
HEAD = {"environment": {"name": "</script>\n\u2028"}, "parts": [{"name": "learning", "first": 0, "cycles": 10}]}
QUICK = {"cycles": 60, "evaluate": 20, "depth": 8, "horizon": 2, "simulations": 20, "evaluation_simulations": 20}


@pytest.fixture
def server() -> Iterator[tuple[Broadcast, LiveServer]]:
    broadcast = Broadcast(HEAD)
    with LiveServer(broadcast) as found:
        yield broadcast, found
    broadcast.end()


def place(server: LiveServer) -> tuple[int, str]:
    """The port and the token of a server."""
    port, token = server.url.removeprefix("http://127.0.0.1:").split("/?token=")
    return int(port), token


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


class Listener:
    """A client that listens to the events."""

    def __init__(self, server: LiveServer) -> None:
        port, token = place(server)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.connection.request("GET", f"/events?token={token}")
        self.answer = self.connection.getresponse()
        assert self.answer.getheader("Content-Type") == "text/event-stream"

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Each event and its data, to the end."""
        kind = ""
        for line in self.answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)


def step_of(cycle: int, picture: str | None = None) -> tuple[Any, ...]:
    return (cycle, 0, 1, -1.0, 0, 0.5, -1.0, picture)


# ------------------------------------------------------------------------------------------------ who gets something


def test_the_page_is_for_whoever_has_its_address(server: tuple[Broadcast, LiveServer]) -> None:
    port, token = place(server[1])
    answer, page = ask(port, f"/?token={token}")
    assert answer.status == 200
    assert b"events?token=" + token.encode() in page
    assert b"connect-src 'self'" in page
    expected = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(page)),
        "Cache-Control": "no-store",
        "Content-Security-Policy": "frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    assert expected.items() <= dict(answer.getheaders()).items()
    assert answer.getheader("Server") is None
    head, nothing = ask(port, f"/?token={token}", "HEAD")
    assert (head.status, head.getheader("Content-Length"), nothing) == (200, str(len(page)), b"")


@pytest.mark.parametrize("path", ["/", "/events", "/?token=", "/?token=WRONG", "/nothing", "/?token=%00&token={token}"])
def test_without_the_token_there_is_nothing(path: str, server: tuple[Broadcast, LiveServer]) -> None:
    port, token = place(server[1])
    answer, text = ask(port, path.format(token=token))
    assert (answer.status, text) == (403, b"403 Forbidden\n")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example"])
def test_under_another_name_there_is_nothing(host: str, server: tuple[Broadcast, LiveServer]) -> None:
    """As a page of somebody else would ask whose name leads here."""
    port, token = place(server[1])
    answer, text = ask(port, f"/?token={token}", Host=host)
    assert (answer.status, text) == (403, b"403 Forbidden\n")
    for own in (f"localhost:{port}", f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert ask(port, f"/?token={token}", Host=own)[0].status == 200


def test_nothing_of_a_request_comes_back(server: tuple[Broadcast, LiveServer]) -> None:
    port, token = place(server[1])
    for path in ("marker", "../marker", "events/", "page.js", "%2e%2e/etc/passwd"):
        answer, text = ask(port, f"/{path}?token={token}&x=<marker>")
        assert (answer.status, text) == (404, b"404 Not Found\n")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "MARKER"):
        answer, text = ask(port, f"/?token={token}", method)
        assert (answer.status, text) == (405, b"405 Method Not Allowed\n")
    for request in (b"marker\r\n\r\n", b"GET / HTTP/marker\r\n\r\n", b"GET /" + b"m" * 70_000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(request)
            text = client.recv(10_000)
        assert b"mark" not in text
        assert b"Traceback" not in text


def test_it_listens_on_this_machine_only(server: tuple[Broadcast, LiveServer]) -> None:
    assert server[1]._server.server_address[0] == "127.0.0.1"


def test_there_are_not_too_many_at_a_time(
    server: tuple[Broadcast, LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, token = place(server[1])
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(live.CLIENTS)]
    time.sleep(0.3)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(port, f"/?token={token}")
    for client in clients:
        client.close()
    for _ in range(100):
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionError):
            if ask(port, f"/?token={token}")[0].status == 200:
                return
        time.sleep(0.05)
    raise AssertionError("those who went still count")


# ----------------------------------------------------------------------------------------------------- what is sent


def test_listeners_get_a_beginning_and_what_is_new(server: tuple[Broadcast, LiveServer]) -> None:
    broadcast, found = server
    broadcast.tell("step", step_of(0, "a\nb"))
    time.sleep(0.3)
    one, two = iter(Listener(found)), iter(Listener(found))
    for events in (one, two):
        kind, data = next(events)
        assert kind == "begin"
        assert data["environment"]["name"] == HEAD["environment"]["name"]  # type: ignore[index]
        assert data["steps"] == {name: [value] for name, value in zip(STEP, (*step_of(0)[:-1], 0), strict=True)}
        assert (data["pictures"], data["first_picture"]) == (["a\nb"], 0)
    broadcast.tell("step", step_of(1, "c\nd"))
    broadcast.tell("step", step_of(2, "a\nb"))
    broadcast.tell("step", step_of(3))
    broadcast.tell("status", "learning")
    broadcast.tell("point", (0, -1.0, float("nan")))
    broadcast.tell("score", {"reward": 1.0, "low": None, "high": None, "score": 0.5})
    broadcast.end()
    for events in (one, two):
        kind, data = next(events)
        assert kind == "update"
        assert data["steps"]["cycle"] == [1, 2, 3]
        assert data["steps"]["picture"] == [1, 0, -1], "a picture that is known is not sent again"
        assert data["pictures"] == ["c\nd"]
        assert data["status"] == "learning"
        assert data["curve"] == {"cycle": [0], "reward": [-1], "loss": [None]}
        assert data["score"]["reward"] == 1
        assert list(events) == [("end", {})]
    late = list(Listener(found))
    assert (late[0][0], late[-1][0]) == ("begin", "end")
    assert [c for _, data in late for c in data.get("steps", {"cycle": []})["cycle"]] == [0, 1, 2, 3]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasting, "PICTURES", 10)
    broadcast = Broadcast(HEAD)
    behind = broadcast.listen()
    assert b"event: begin" in next(behind)
    for cycle in range(3_000):
        broadcast.tell("step", step_of(cycle, f"{cycle:04}" * 250))
        if cycle % 100 == 99:
            broadcast._take()
    assert broadcast._size == sum(map(len, broadcast._messages)) <= broadcasting.BYTES
    chunk = next(behind)
    assert chunk.startswith(b"event: begin"), "who is too far behind begins anew"
    data = json.loads(chunk.split(b"\ndata: ")[1])
    assert data["steps"]["cycle"] == list(range(3_000 - broadcasting.STEPS, 3_000))
    assert data["first_picture"] == 2_990
    assert data["steps"]["picture"] == [-1] * (broadcasting.STEPS - 10) + list(range(2_990, 3_000))
    broadcast.end()
    assert list(behind) == [broadcasting.END]


def test_who_is_a_little_behind_gets_several_messages_at_once() -> None:
    broadcast = Broadcast(HEAD)
    behind = broadcast.listen()
    next(behind)
    for cycle in range(5):
        broadcast.tell("step", step_of(cycle))
        broadcast._take()
    assert next(behind).count(b"event: update") == 5
    behind.close()
    assert broadcast.listeners == 0
    broadcast.tell("step", step_of(5))
    broadcast._take()
    assert not broadcast._messages, "for nobody, no messages are made"
    broadcast.end()


def test_one_who_reads_nothing_is_dropped_and_stops_nobody(
    server: tuple[Broadcast, LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live._Handler, "timeout", 1.0)
    broadcast, found = server
    deaf, hearing = Listener(found), iter(Listener(found))
    assert next(hearing)[0] == "begin"
    assert broadcast.listeners == 2
    cycle, slowest, until = 0, 0.0, time.monotonic() + 10
    while broadcast.listeners == 2 and time.monotonic() < until:
        for _ in range(100):
            began = time.perf_counter()
            broadcast.tell("step", step_of(cycle, f"{cycle:06}" * 500))
            slowest = max(slowest, time.perf_counter() - began)
            cycle += 1
        next(hearing)
    assert broadcast.listeners == 1
    assert slowest < 0.5, "telling waits for nobody"
    broadcast.tell("status", "the others hear on")
    assert any(data.get("status") == "the others hear on" for _, data in hearing)
    deaf.connection.close()


# -------------------------------------------------------------------------------------------- what the agent notices


def watched(experiment: Experiment, folder: Path | None = None, *, watch: bool = True, **given: Any) -> Any:
    """The rows of a run with somebody who watches, and what was sent."""
    rows = Collection()
    seen = Spectator(experiment, make(experiment.environment), folder=folder, show=rows, **given)
    events: list[bytes] = []
    listener = threading.Thread(target=lambda: events.extend(seen.broadcast.listen()))
    if watch:
        listener.start()
        seen.broadcast.wait(5, listening=True)
    result = run(experiment, folder, watch=seen.watch, perceived=seen.perceived)
    seen.tell_result(result)
    if watch:
        listener.join(10)
    text = b"".join(events).decode()
    found = [block.split("\ndata: ") for block in text.split("\n\n") if block.startswith("event")]
    return rows, [(kind.removeprefix("event: "), json.loads(data)) for kind, data in found]


NO_SEARCH = {"simulations": None, "evaluation_simulations": None}
AGENTS: dict[str, dict[str, Any]] = {
    "dpuct": {},
    "dpuct with a memo": {"planner": PlannerSpec(memo=True)},
    "rhouct": {"planner": "rhouct"},
    "true": {"model": "true", "depth": None},
    "policy": {"policy": "learned"},
    "policy alone": {"policy": "learned", "evaluation_simulations": 0},
    "majority": {"planner": "majority:2"},
    "self-aixi": {"planner": "self-aixi"},
    "expectimax": {"planner": "expectimax", **NO_SEARCH},
    "q-learning": {"planner": "q-learning", "depth": None, "horizon": None, **NO_SEARCH},
    "aiqi": {"planner": "aiqi", **NO_SEARCH},
    "goes on learning": {"learn_in_evaluation": True},
}


@pytest.fixture
def thorough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who watches has every decision explained."""
    for constant in ("EVERY", "EVERY_PACED", "SLOW"):
        monkeypatch.setattr(spectator, constant, 0.0)
    monkeypatch.setattr(spectator, "CREDIT", 1e6)


def moments_of(events: list[tuple[str, Any]]) -> dict[int, Any]:
    return {int(cycle): moment for _, data in events for cycle, moment in data.get("moments", {}).items()}


@pytest.mark.usefixtures("thorough")
@pytest.mark.parametrize("name", AGENTS)
def test_the_cycles_are_those_of_a_run_without_a_page(name: str) -> None:
    given = {**QUICK, **AGENTS[name]}
    experiment = Experiment.of("tiger", seed=2, **given)
    plain = Collection()
    run(experiment, watch=plain)
    rows, events = watched(experiment, pace=1e9)
    assert (rows.learning, rows.evaluation) == (plain.learning, plain.evaluation)
    by_cycle = {row.cycle: row for row in [*plain.learning, *plain.evaluation]}
    moments = moments_of(events)
    assert list(moments) == list(by_cycle), "each decision was explained"
    for cycle, moment in moments.items():
        row = by_cycle[cycle]
        assert moment["cycle"] == cycle
        assert (moment["action"], moment["explored"]) == (row.action, bool(row.explored))
        assert (moment["came"]["observation"], moment["came"]["reward"]) == (row.observation, row.reward)
        if moment["came"]["surprise"] is not None and row.log_loss:
            assert moment["came"]["surprise"] == pytest.approx(row.log_loss, abs=1e-4)
        assert sum(p for _, p in moment["truth"]["belief"]) == pytest.approx(1)
    shown = [c for _, data in events for c in data.get("steps", {"cycle": []})["cycle"]]
    assert shown == list(by_cycle), "each cycle was shown once"


@pytest.mark.usefixtures("thorough")
def test_what_is_sent_is_what_the_page_takes() -> None:
    experiment = Experiment.of("cheese-maze", seed=1, **QUICK)
    rows, events = watched(experiment, pace=1e9)
    begin = events[0][1]
    assert begin["format"] == 1
    assert begin["environment"]["name"] == "cheese-maze"
    assert ["planner", "dpuct"] in begin["agent"]
    assert [part["first"] for part in begin["parts"]] == [0, 60]
    updates = [data for kind, data in events if kind == "update"]
    assert {kind for kind, _ in events} == {"begin", "update", "end"}
    pictures: list[Any] = list(begin["pictures"])
    total, count = 0.0, 0
    for update in updates:
        pictures += update.get("pictures", [])
        steps = update.get("steps", {name: [] for name in STEP})
        assert tuple(steps) == STEP
        for cycle, reward, mean, picture in zip(
            *(steps[n] for n in ("cycle", "reward", "mean", "picture")), strict=True
        ):
            total, count = (reward, 1) if cycle in (0, 60) else (total + reward, count + 1)
            assert mean == pytest.approx(total / count, rel=1e-5)
            assert 0 <= picture < len(pictures)
    curve = [update["curve"] for update in updates if "curve" in update][-1]
    assert curve["cycle"] == list(range(80))
    assert curve["reward"] == [row.reward for row in [*rows.learning, *rows.evaluation]]
    assert curve["loss"][60:] == [None] * 20
    trees = [tree for update in updates for tree in update.get("trees", [])]
    assert trees[-1]["cycle"] == 60
    assert len(trees) > 3
    score = [update["score"] for update in updates if "score" in update][-1]
    assert score["low"] <= score["reward"] <= score["high"]


def test_for_nobody_nothing_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spectator, "_moment", lambda *_: pytest.fail("nobody asked"))
    rows, events = watched(Experiment.of("tiger", **QUICK), watch=False)
    assert len(rows.learning) == 60
    assert not events


def test_explaining_takes_a_tenth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long one takes."""
    spent = []

    def moment(*_: object) -> Any:
        spent.append(time.perf_counter())
        time.sleep(0.1)
        return Explained()

    class Explained:
        cycle = 0

        def as_json(self) -> dict[str, Any]:
            return {}

    monkeypatch.setattr(Spectator, "_moment", moment)
    monkeypatch.setattr(spectator, "CREDIT", 0.05)
    monkeypatch.setattr(spectator, "EVERY", 0.0)
    began = time.perf_counter()
    watched(Experiment.of("tiger", **{**QUICK, "cycles": 3_000, "evaluate": 0}))
    seconds = time.perf_counter() - began
    assert 1 <= len(spent) <= 2 + seconds * spectator.SHARE / 0.1


def test_what_cannot_be_explained_or_drawn_goes_on(monkeypatch: pytest.MonkeyPatch, thorough: None) -> None:
    experiment = Experiment.of("tiger", **QUICK)
    plain = Collection()
    run(experiment, watch=plain)

    def fail(*_: object, **__: object) -> Any:
        raise ArithmeticError("no words")

    monkeypatch.setattr("aixi_approx.agent.Agent.explain", fail)
    monkeypatch.setattr(spectator, "picture_of", fail)
    monkeypatch.setattr(spectator, "STATUS_SECONDS", 0.0)
    rows, events = watched(experiment, pace=1e9)
    assert (rows.learning, rows.evaluation) == (plain.learning, plain.evaluation)
    assert not moments_of(events)
    assert any("can't explain itself: no words" in data.get("status", "") for _, data in events)


@pytest.mark.usefixtures("thorough")
def test_a_run_that_is_resumed_is_judged_by_all_of_its_past(tmp_path: Path) -> None:
    whole = watched(Experiment.of("tiger", seed=5, **QUICK), pace=1e9)[1]
    run(Experiment.of("tiger", seed=5, **{**QUICK, "cycles": 40}), tmp_path / "run")
    _, events = watched(Experiment.of("tiger", seed=5, **QUICK), tmp_path / "run", pace=1e9)
    moments, expected = moments_of(events), moments_of(whole)
    assert min(moments) == 40
    for cycle, moment in moments.items():
        assert moment["truth"] == expected[cycle]["truth"]
    curves = [[data["curve"] for _, data in each if "curve" in data][-1] for each in (whole, events)]
    assert curves[0] == curves[1]


def test_a_run_is_held_up_while_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectator, "PACE", 50.0)
    experiment = Experiment.of("coin-flip", **{**QUICK, "cycles": 10})
    seconds = {}
    for watch in (False, True):
        began = time.perf_counter()
        watched(experiment, watch=watch)
        seconds[watch] = time.perf_counter() - began
    assert seconds[True] > 0.35 > seconds[False]
    began = time.perf_counter()
    watched(experiment, watch=False, pace=50.0)
    assert time.perf_counter() - began > 0.55, "a pace that is asked for holds whether somebody watches or not"


# ------------------------------------------------------------------------------------------------------ the command

SHORT = ["coin-flip", "--cycles", "40", "--evaluate", "20", "--simulations", "8", "--evaluation-simulations", "8"]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the command refuses."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    return err


def test_files_are_those_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["run", *SHORT, "--out", "plain", "--json"])
    plain = json.loads(capsys.readouterr().out)
    main(["watch", *SHORT, "--out", "seen", "--json", "--no-browser", "--exit"])
    out, err = capsys.readouterr()
    seen = json.loads(out)
    for name in ("learning.csv", "evaluation.csv"):
        assert (tmp_path / "seen" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    for content in (plain, seen):
        del content["learning_seconds"], content["evaluation_seconds"]
    assert seen == plain
    assert err.startswith("The agent is shown at http://127.0.0.1:")
    main(["watch", *SHORT, "--out", "seen", "--no-browser"])
    assert "nothing was done again, nor shown" in capsys.readouterr().out


def test_the_browser_is_opened_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_page(url: str) -> bool:
        assert "token" not in url, "arguments of a program can be read by others"
        file = Path(unquote(urlsplit(url).path))
        assert file.parent.stat().st_mode & 0o077 == 0, "others can read the file"
        opened.append(url)
        path = unescape(file.read_text()).partition("url=")[2].partition('"')[0].replace("/?", "/events?")
        threading.Thread(target=lambda: opened.append(urlopen(path).read().decode())).start()
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", open_page)
    main(["watch", *SHORT, "--exit", "--pace", "inf"])
    for _ in range(100):
        if len(opened) == 2:
            break
        time.sleep(0.05)
    assert '"cycle":[0' in opened[1], "the page sees the first cycle"
    assert opened[1].endswith("event: end\ndata: {}\n\n")


@pytest.mark.parametrize("screen", [True, False])
def test_without_a_browser_one_opens_the_page_oneself(
    screen: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("webbrowser.open", lambda url: False if screen else pytest.fail("w3m would block"))
    if screen:
        monkeypatch.setenv("DISPLAY", ":0")
    main(["watch", *SHORT, "--exit"])
    err = capsys.readouterr().err
    assert err.count("There is no browser to open: open the address yourself.\n") == 1


def test_ports_that_cannot_be_had(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(["watch", *SHORT, "--no-browser", "--port", str(port)], capsys)
        assert line.startswith(f"aixi: port {port} is taken by another program: name another one")
    for wrong in ("0", "65536", "x"):
        assert "--port" in refused(["watch", *SHORT, "--no-browser", "--port", wrong], capsys)
    for wrong in ("0", "-1", "x", "nan", "1e-300"):
        assert "pace" in refused(["watch", *SHORT, "--no-browser", "--pace", wrong], capsys)

    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(live._Server, "server_bind", forbidden)
    line = refused(["watch", *SHORT, "--no-browser", "--port", "80"], capsys)
    assert line.startswith("aixi: port 80 is not open to this user: name one from 1024 on")


@pytest.mark.parametrize("cycles", ["1000000", "40"], ids=["while it learns", "after the run"])
def test_ctrl_c_ends_it_while_clients_are_connected(cycles: str, tmp_path: Path) -> None:
    arguments = ["watch", "coin-flip", "--cycles", cycles, "--evaluate", "0", "--no-browser"]
    process = subprocess.Popen(
        [AIXI, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stderr
        url = process.stderr.readline().split()[-1]
        clients = [urlopen(url.replace("/?", "/events?"), timeout=60) for _ in range(3)]
        for client in clients[1:]:  # the first reads nothing
            while not client.readline().startswith(b"event: update" if cycles == "1000000" else b"event: begin"):
                pass
        if cycles == "40":
            while "The run has ended" not in process.stderr.readline():
                pass
        began = time.perf_counter()
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert time.perf_counter() - began < 2.0  # the real figure is a tenth of a second
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 130
    assert err.splitlines()[-1] == ("aixi: stopped" if cycles == "1000000" else "aixi: stopped; the run had ended")
    assert "Traceback" not in err
