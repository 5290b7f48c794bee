"""A live page under load: ten clients, one that reads nothing, one that reads a byte a second, some that come and go.

    python benchmarks/mind/live.py                          # 10 minutes on Tiger
    python benchmarks/mind/live.py cheese-maze --minutes 2

The agent learns for as long, then it learns for as many cycles without a page. Printed are whether the rows of both are
the same byte for byte, cycles per second and memory of both, and what the clients got. It fails if the rows differ.
"""

from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

AIXI = str(Path(sys.executable).with_name("aixi"))
READERS, COMERS = 5, 3
STAY_SECONDS = 0.5  # of those who come and go
ROOM = 4_096  # bytes that are kept for those who read little: else the system would take in minutes of it
CYCLES = 1 << 30  # more than are learned


class Address(NamedTuple):
    """Of a live page."""

    port: int
    token: str


class Client:
    """Who listens to the page, in a thread of its own."""

    def __init__(self, name: str, do: Callable[[Client], None], address: Address) -> None:
        self.name, self.address = name, address
        self.bytes = self.events = self.moments = self.connections = 0
        self._do, self.stopped = do, False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.stopped:
            try:
                self._do(self)
            except OSError:
                time.sleep(0.2)

    def connect(self, room: int | None = None) -> socket.socket:
        """Ask for the events; the system keeps so many bytes of what is not read."""
        self.connections += 1
        client = socket.socket()
        if room:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.address.port))
        request = f"GET /events?token={self.address.token} HTTP/1.0\r\nHost: 127.0.0.1:{self.address.port}\r\n\r\n"
        client.sendall(request.encode())
        return client

    def take(self, data: bytes) -> None:
        """Count what came."""
        self.bytes += len(data)
        self.events += data.count(b"event: ")
        self.moments += data.count(b'"simulations":')


def read(client: Client, seconds: float = float("inf")) -> None:
    """Read whatever comes."""
    until = time.monotonic() + seconds
    with client.connect() as line:
        while not client.stopped and time.monotonic() < until:
            if not (data := line.recv(1 << 16)):
                return
            client.take(data)


def come_and_go(client: Client) -> None:
    """Stay for a moment."""
    read(client, STAY_SECONDS)


def read_nothing(client: Client) -> None:
    """Ask, and never read."""
    with client.connect(ROOM):
        while not client.stopped:
            time.sleep(1)


def read_slowly(client: Client) -> None:
    """Read a byte a second."""
    with client.connect(ROOM) as line:
        while not client.stopped:
            if not (data := line.recv(1)):
                return
            client.take(data)
            time.sleep(1)


class Learning:
    """An agent that learns, in a process of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.rows = folder / "learning.csv"
        self.process = subprocess.Popen(
            [AIXI, *arguments, "--out", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.peak = 0.0  # megabytes

    def cycles(self) -> int:
        """How many there are so far."""
        return self.rows.read_bytes().count(b"\n") - 1 if self.rows.exists() else 0

    def measure(self) -> None:
        """Look at the memory that it has had at most."""
        found = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        self.peak = max(self.peak, int(found[1]) / 1024 if found else 0.0)

    def go(self, seconds: float, least: int = 0) -> float:
        """Let it learn for so long, or until there are so many cycles; return cycles per second."""
        while not self.cycles():
            time.sleep(0.05)
        began, first = time.monotonic(), self.cycles()
        while time.monotonic() < began + seconds or self.cycles() < least:
            if self.process.poll() is not None:
                raise SystemExit(f"it has ended: {self.process.stderr.read() if self.process.stderr else ''}")
            time.sleep(0.2)
            self.measure()
        speed = (self.cycles() - first) / (time.monotonic() - began)
        self.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        self.process.wait(60)
        print(f"Ctrl-C: exit code {self.process.returncode} after {time.monotonic() - began:.2f} s")
        return speed


def main() -> None:
    """Learn with a page, learn without one, and compare."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts this in the background ignores it
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("environment", nargs="?", default="tiger")
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    options = [arguments.environment, "--cycles", str(CYCLES), "--evaluate", "0"]
    with tempfile.TemporaryDirectory() as place:
        seen = Learning(["watch", *options, "--no-browser"], Path(place, "seen"))
        assert seen.process.stderr
        found = re.search(r":(\d+)/\?token=(\S+)", seen.process.stderr.readline())
        assert found
        address = Address(int(found[1]), found[2])
        doing = {"reads": (read, READERS), "comes and goes": (come_and_go, COMERS)}
        doing |= {"reads nothing": (read_nothing, 1), "reads a byte a second": (read_slowly, 1)}
        clients = [Client(name, do, address) for name, (do, count) in doing.items() for _ in range(count)]
        with_page = seen.go(60 * arguments.minutes)
        for client in clients:
            client.stopped = True
        plain = Learning(["run", *options], Path(place, "plain"))
        without = plain.go(0.0, least=seen.cycles())
        rows = [each.rows.read_bytes().split(b"\n")[: seen.cycles() + 1] for each in (seen, plain)]
    same = rows[0] == rows[1]
    print(f"{arguments.environment}: {len(rows[0]) - 1:,} cycles, rows {'identical' if same else 'DIFFERENT'}")
    print(f"with a page     {with_page:8,.0f} cycles/s  {seen.peak:6,.0f} MB at most")
    print(f"without         {without:8,.0f} cycles/s  {plain.peak:6,.0f} MB at most")
    for client in clients:
        told = f"{client.connections:5,} connections  {client.events:7,} events  {client.moments:6,} moments"
        print(f"{client.name:22}  {told}  {client.bytes / 1e6:8.2f} MB")
    sys.exit(not same)


if __name__ == "__main__":
    main()
