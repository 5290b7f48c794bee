"""What a live page is sent: one thread tells what happens and never waits, each listener takes it at its own pace.

What the agent's thread tells goes into a queue without a lock. A thread of the broadcast takes it from there, keeps
what a page that is opened later begins with, and makes messages of the rest, once for all listeners: server-sent
events. A listener that falls behind gets several messages at once; one that is too far behind begins anew. All that is
kept is bounded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from aixi_approx.viewer.page import json_in_html, packed_pictures
from aixi_approx.viewer.scenes import STEP

QUEUE = 4_096  # that is told and not yet taken: the broadcast takes it ten times a second
TICK = 0.1  # seconds from one message to the next
CURVE_SECONDS = 1.0  # from one curve to the next
STEPS = 600  # that a page begins with
MOMENTS = 40  # that it begins with, at some kilobytes each
PICTURES = STEPS  # among which an equal one is looked for
TREES = 32
POINTS = 2_000  # of a curve; a run has some hundreds
BYTES = 1_000_000  # of messages that are kept for those who are behind
BEGIN_SECONDS = 2.0  # that a beginning serves others who come
PULSE = 5.0  # seconds of silence after which a sign of life is sent
END = b"event: end\ndata: {}\n\n"


class _Kept:
    """What a page that is opened now begins with."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self.head = dict(head)
        self.steps: deque[tuple[Any, ...]] = deque(maxlen=STEPS)
        self.moments: dict[str, Any] = {}
        self.trees: deque[Any] = deque(maxlen=TREES)
        self.curve: deque[tuple[int, float, float | None]] = deque(maxlen=POINTS)
        self.pictures: deque[str] = deque()
        self.first_picture = 0
        self._numbers: dict[str, int] = {}
        self._curve_due = 0.0

    def take(self, told: list[tuple[str, Any]]) -> dict[str, Any]:
        """Take in what was told, and return it as an update."""
        steps: list[tuple[Any, ...]] = []
        pictures: list[str] = []
        update: dict[str, Any] = {"moments": {}, "trees": []}
        for kind, value in told:
            if kind == "step":
                steps.append((*value[:-1], self._picture(value[-1], pictures)))
            elif kind == "moment":
                update["moments"][str(value.cycle)] = value.as_json()
            elif kind == "tree":
                update["trees"].append(value.as_json())
            elif kind == "point":
                self.curve.append(value)
            else:
                update[kind] = self.head[kind] = value
        self.steps += steps
        self.trees += update["trees"]
        self.moments |= update["moments"]
        for cycle in list(self.moments)[:-MOMENTS]:
            del self.moments[cycle]
        if steps:
            update["steps"] = _columns(steps)
        if pictures:
            update["pictures"] = packed_pictures(pictures)
        now = time.monotonic()
        if now >= self._curve_due or "score" in update:
            self._curve_due = now + CURVE_SECONDS
            update["curve"] = self._curve()
        return {name: value for name, value in update.items() if value}

    def _picture(self, picture: str | None, new: list[str]) -> int:
        """The number of a picture, which is a new one if no recent one is equal."""
        if picture is None:
            return -1
        if picture not in self._numbers:
            self._numbers[picture] = self.first_picture + len(self.pictures)
            self.pictures.append(picture)
            new.append(picture)
            if len(self.pictures) > PICTURES:
                del self._numbers[self.pictures.popleft()]
                self.first_picture += 1
        return self._numbers[picture]

    def _curve(self) -> dict[str, list[Any]]:
        return {name: [point[i] for point in self.curve] for i, name in enumerate(("cycle", "reward", "loss"))}

    def beginning(self) -> dict[str, Any]:
        """All of it, as a page takes it."""
        steps = [(*step[:-1], step[-1] if step[-1] >= self.first_picture else -1) for step in self.steps]
        return {
            **self.head,
            "steps": _columns(steps),
            "pictures": packed_pictures(self.pictures),
            "first_picture": self.first_picture,
            "moments": self.moments,
            "trees": list(self.trees),
            "curve": self._curve(),
        }


class Broadcast:
    """Sends what one thread tells to any number of listeners.

    Parameters
    ----------
    head : mapping of str to object
        What a page shows of the run as a whole: format, version, environment, agent, parts, thinned.

    Attributes
    ----------
    listeners : int
        How many there are.

    Examples
    --------
    >>> broadcast = Broadcast({"environment": {"name": "tiger"}})
    >>> broadcast.tell("status", "learning")
    >>> broadcast.end()
    >>> b"".join(broadcast.listen()).count(b"event: ")     # begin, end
    2
    """

    def __init__(self, head: Mapping[str, Any]) -> None:
        self.listeners = 0
        self._told: deque[tuple[str, Any]] = deque(maxlen=QUEUE)
        self._kept = _Kept(head)
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque()
        self._size = 0  # of the messages, in bytes
        self._next = 0  # number of the next message; those before it are in the queue, as far as they are kept
        self._begin, self._begin_at, self._begin_made = b"", -1, 0.0
        self._ended = False
        threading.Thread(target=self._run, daemon=True, name="broadcast").start()

    def tell(self, kind: str, value: Any) -> None:
        """Tell something, without waiting.

        Parameters
        ----------
        kind : str
            `step`: the columns `STEP`, with the picture itself, or None, at the end; `moment`: an Explanation; `tree`:
            a TreeInWords; `point` of the curve: cycle, reward, log loss; or a part of the head, `score` or `status`.
        value : object
            It must not be changed afterwards.
        """
        self._told.append((kind, value))

    def end(self) -> None:
        """Say that nothing more will come."""
        self._take()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, seconds: float, *, listening: bool) -> bool:
        """Wait until there is a listener, or until there is none any more; return whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.listeners) == listening, seconds)

    def listen(self) -> Iterator[bytes]:
        """Yield server-sent events, whenever the next ones are asked for: a beginning, updates, an end."""
        with self._changed:
            self.listeners += 1
            self._changed.notify_all()
        try:
            at = -1
            while True:
                with self._changed:
                    if at == self._next and self._ended:
                        break
                    if at == self._next:
                        self._changed.wait(PULSE)
                    behind = self._next - at
                    if at < 0 or behind > len(self._messages):
                        chunk, at = self._beginning()
                    elif behind:
                        chunk, at = b"".join(list(self._messages)[-behind:]), self._next
                    else:
                        chunk = b": \n\n"
                if not (self._ended and chunk == b": \n\n"):
                    yield chunk
            yield END
        finally:
            with self._changed:
                self.listeners -= 1
                self._changed.notify_all()

    def _beginning(self) -> tuple[bytes, int]:
        """What a new listener gets, and the number of the message that follows; the same for those who come soon."""
        now = time.monotonic()
        old = now - self._begin_made > BEGIN_SECONDS or self._next - self._begin_at > len(self._messages)
        if self._begin_at < 0 or (old and self._begin_at != self._next):
            self._begin, self._begin_at, self._begin_made = _event("begin", self._kept.beginning()), self._next, now
        return self._begin, self._begin_at

    def _run(self) -> None:
        while not self._ended:
            time.sleep(TICK)
            self._take()

    def _take(self) -> None:
        """Take what was told, and make a message of it if anybody listens."""
        with self._changed:
            told = []
            while self._told:
                told.append(self._told.popleft())
            if not told:
                return
            update = self._kept.take(told)
            self._next += 1
            if not self.listeners:
                self._messages.clear()
                self._size = 0
                return
            self._messages.append(_event("update", update))
            self._size += len(self._messages[-1])
            while self._size > BYTES:
                self._size -= len(self._messages.popleft())
            self._changed.notify_all()


def _columns(steps: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Steps as a page has them: a list for each column."""
    return {name: [step[i] for step in steps] for i, name in enumerate(STEP)}


def _event(kind: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event, whose data is JSON, which has no line breaks."""
    return f"event: {kind}\ndata: {json_in_html(data)}\n\n".encode()
