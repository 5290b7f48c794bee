"""Ctrl-C, SIGTERM and SIGHUP: each ends a command at once, with one line on stderr that says how to go on.

A signal raises `Stopped` in the main thread, a KeyboardInterrupt: whatever handles Ctrl-C handles all three. Python
does that between two of its own instructions, so searches are cut into short chunks (`planners/time_slices.py`). What
can't be cut, such as compiling, is ended by a thread that sees that nothing has heard the signal. That loses nothing:
files are written whole or not at all, and rows one by one, so that a command may be killed at any time.

Code in C, or of the user's own, may swallow the exception: what a signal has not ended in a second gets it once more.

A signal that was ignored when the program was started, as by `nohup` or in the background of a script, stays ignored.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
DEAF_SECONDS = 0.09  # until a signal that no Python code has heard ends the program: it is to be heard within 0.1
SWALLOWED_SECONDS = 1.0  # until a signal is sent again that ended nothing: code in C may have swallowed the exception
AGAIN_SECONDS = 0.01  # until a signal is sent again that was heard where nothing can be raised
SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it

_leave_now = os._exit
_how = [""]  # how to go on with what is being done
_answered = [True]  # whether the last signal has been dealt with


def can_go_on(how: str) -> None:
    """Say how to go on if the command is stopped from now on, as in "the same command goes on from run/"."""
    _how[0] = how


def answered() -> None:
    """Say that a signal was heard, and that the command goes on all the same: to print what there is."""
    _answered[0] = True


class Stopped(KeyboardInterrupt):
    """A signal has ended the command.

    Attributes
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Ear:
    """Hears signals in a `with` block; one that ends it, or Ctrl-C, is one line on stderr and exit code 128 + signal.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line: with `--out DIR`, the same command goes on from there.
    program : bool, default: False
        Whether the program is about to end. If not, signals are handled afterwards as they were before.

    Attributes
    ----------
    number : int
        Of the signal that was heard; 0 if none was.
    """

    def __init__(self, arguments: Sequence[str], *, program: bool = False) -> None:
        self.program = program
        self._arguments = arguments
        self.number = 0
        self._when = -1.0  # it was heard last, as `time.monotonic` has it
        self._ended = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        can_go_on(_resumes(self._arguments))
        if threading.current_thread() is not threading.main_thread():
            return self  # others can't hear
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._again
        reading, self._line = os.pipe()
        os.set_blocking(self._line, False)
        self._woken = signal.set_wakeup_fd(self._line, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reading,), daemon=True).start()
        for number in SIGNALS:
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                self._before[number] = handler
                signal.signal(number, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ended = True
        stopped = isinstance(error, KeyboardInterrupt) or (self.number and isinstance(error, Exception))
        if stopped:  # other errors come of a signal, too: code in C, for example, makes an ImportError of it
            self._say()
        if self._before:
            for number, handler in self._before.items():
                signal.signal(number, signal.SIG_DFL if self.program else handler)
            signal.set_wakeup_fd(self._woken)
            sys.unraisablehook = self._unraisable
            os.close(self._line)
        if stopped and self.program:
            self._leave()
        if stopped:
            sys.exit(self._code())

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._when = time.monotonic()
        if not self._ended:
            self.number, _answered[0] = number, False
            again = threading.Timer(SWALLOWED_SECONDS, self._insist, (number, self._when))
            again.daemon = True
            again.start()
            raise Stopped(number)

    def _insist(self, number: int, when: float) -> None:
        """Send a signal again that has ended nothing, if no other has come."""
        if not _answered[0] and self._when == when:
            self._send(number)

    def _again(self, told: sys.UnraisableHookArgs) -> None:
        """Send a signal again that was heard in a destructor or a callback of C, from where nothing can be raised."""
        if not isinstance(told.exc_value, Stopped):
            self._unraisable(told)
        elif not self._ended:
            threading.Timer(AGAIN_SECONDS, self._send, (told.exc_value.number,)).start()

    def _send(self, number: int) -> None:
        if not self._ended:
            os.kill(os.getpid(), number)

    def _watch(self, reading: int) -> None:
        """End the program if a signal has come that is not heard soon."""
        while numbers := os.read(reading, 1):
            began = time.monotonic()
            time.sleep(DEAF_SECONDS)
            if numbers[0] in self._before and not self._ended and self._when < began - DEAF_SECONDS:
                self.number = numbers[0]
                self._say()
                _leave_now(self._code())
        os.close(reading)

    def _leave(self) -> NoReturn:
        """End the program: without waiting for other threads, nor for Python to take itself apart."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        atexit._run_exitfuncs()
        _leave_now(self._code())

    def _code(self) -> int:
        return 128 + (self.number or signal.SIGINT)

    def _say(self) -> None:
        """Print the line, and show the cursor again."""
        with contextlib.suppress(OSError, ValueError, AttributeError):  # of a terminal that has been closed
            stderr = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # a display that still stands hides controls
            cursor = SHOW_CURSOR if stderr.isatty() else ""
            print(f"{cursor}aixi: stopped{'; ' * bool(_how[0])}{_how[0]}", file=stderr, flush=True)


def _resumes(arguments: Sequence[str]) -> str:
    """How to go on with a command, as far as its arguments tell before they are read."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, _, value = argument.partition("=")
        if name == "--out" and (folder := value or following):
            return f"the same command goes on from {folder}"
    return ""
