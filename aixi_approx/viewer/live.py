"""The server of a live page: on this machine only, for whoever knows its address, which has a secret in it.

It listens on the loopback interface. A request without the token of the address gets nothing, nor does one that names
another host, which a page of somebody else could bring about by a name that leads here. Nothing of a request is
repeated in an answer. A client that reads nothing is left alone after some seconds.
"""

from __future__ import annotations

import errno
import hmac
import os
import secrets
import socket
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from aixi_approx.viewer.broadcast import Broadcast
from aixi_approx.viewer.page import page_html

HOST = "127.0.0.1"
TOKEN_BYTES = 16
REQUEST_SECONDS = 10.0  # that a client may take for its request, or to read what it is sent
CLIENTS = 64  # at a time
BUFFER_BYTES = 1 << 16  # that the system keeps for a client that does not read
RETRY = b"retry: 2000\n\n"  # milliseconds until a page that has lost the connection tries again


class _Server(ThreadingHTTPServer):
    """Answers each client in a thread of its own."""

    daemon_threads, block_on_close = True, False
    allow_reuse_address = os.name == "posix"  # elsewhere that takes a port from another program
    request_queue_size = CLIENTS

    def __init__(self, broadcast: Broadcast, port: int) -> None:
        self.broadcast, self.token = broadcast, secrets.token_urlsafe(TOKEN_BYTES)
        self._free = threading.BoundedSemaphore(CLIENTS)
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Take the port, without asking for the name of the host as the base class does, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go when they like."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        """Send the page, or its events."""
        try:
            address = urlsplit(self.path)
            refusal = self._refusal(address.query)
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        if refusal:
            self._answer(refusal)
        elif address.path == "/":
            page = page_html(None, live=f"events?token={self.server.token}")
            self._answer(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8")
        elif address.path == "/events":
            self._head(HTTPStatus.OK, "text/event-stream")
            if self.command == "GET":
                self.wfile.write(RETRY)
                for chunk in self.server.broadcast.listen():
                    self.wfile.write(chunk)
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        """Send what is said before the content."""
        self.do_GET()

    def _refusal(self, query: str) -> HTTPStatus | None:
        """Why there is no answer, if there is none."""
        port = self.server.server_port
        names = {f"{host}{end}" for host in (HOST, "localhost") for end in ([f":{port}"] + [""] * (port == 80))}
        if self.headers.get("Host", "").lower() not in names:
            return HTTPStatus.FORBIDDEN
        given = parse_qs(query, max_num_fields=8).get("token", [""])
        same = hmac.compare_digest(given[0].encode(errors="replace"), self.server.token.encode())
        return None if same and len(given) == 1 else HTTPStatus.FORBIDDEN

    def _answer(self, status: HTTPStatus, content: bytes | None = None, kind: str = "text/plain") -> None:
        content = f"{status.value} {status.phrase}\n".encode() if content is None else content
        self._head(status, kind, length=len(content))
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: HTTPStatus, kind: str, *, length: int | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or one of another method; the base class would repeat it in its answer."""
        self.close_connection = True
        self._answer(HTTPStatus(code) if code in (400, 408, 414, 431, 505) else HTTPStatus.METHOD_NOT_ALLOWED)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class LiveServer:
    """Serves a live page on this machine, in a `with` block.

    Parameters
    ----------
    broadcast : Broadcast
        What is sent.
    port : int, default: 0
        Where; 0 for one that is free.

    Attributes
    ----------
    url : str
        The address of the page, with its secret.

    Raises
    ------
    ValueError
        If the port can't be had.
    """

    def __init__(self, broadcast: Broadcast, *, port: int = 0) -> None:
        try:
            self._server = _Server(broadcast, port)
        except OSError as error:
            why = {
                errno.EADDRINUSE: "is taken by another program: name another one, or none, and a free one is found",
                errno.EACCES: "is not open to this user: name one from 1024 on, or none, and a free one is found",
            }.get(error.errno or 0, f"can't be had ({error.strerror or error}): name another one, or none")
            raise ValueError(f"port {port} {why}") from error
        self.url = f"http://{HOST}:{self._server.server_port}/?token={self._server.token}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True, name="live page").start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
