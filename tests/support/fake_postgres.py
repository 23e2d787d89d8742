"""A server that speaks just enough of PostgreSQL's protocol to refuse a connection, or to say what it is."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@contextmanager
def refusing(sqlstate: str, message: str) -> Iterator[int]:
    """Refuse every connection on a free port of 127.0.0.1; yield the port."""
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": message}
    body = b"".join(key.encode() + text.encode() + b"\0" for key, text in fields.items()) + b"\0"
    with _answering(_message(b"E", body)) as port:
        yield port


@contextmanager
def telling(**parameters: str) -> Iterator[int]:
    """Let everybody in who asks, and tell these parameters, such as the version; yield the port."""
    told = [_message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()]
    with _answering(_message(b"R", struct.pack("!i", 0)), *told, _message(b"Z", b"I")) as port:
        yield port


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@contextmanager
def _answering(*messages: bytes) -> Iterator[int]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while True:
                size, code = struct.unpack("!ii", self.rfile.read(8))
                self.rfile.read(size - 8)
                if code not in (SSL_REQUEST, GSS_REQUEST):
                    break
                self.wfile.write(b"N")
            self.wfile.write(b"".join(messages))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
