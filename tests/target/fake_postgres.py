"""A server that speaks just enough of PostgreSQL's protocol to refuse a connection with a chosen error."""

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

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while True:
                size, code = struct.unpack("!ii", self.rfile.read(8))
                self.rfile.read(size - 8)
                if code not in (SSL_REQUEST, GSS_REQUEST):
                    break
                self.wfile.write(b"N")
            fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": message}
            body = b"".join(key.encode() + text.encode() + b"\0" for key, text in fields.items()) + b"\0"
            self.wfile.write(b"E" + struct.pack("!i", len(body) + 4) + body)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
