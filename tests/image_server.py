"""A web server of images and of what goes wrong with them, for tests."""

import contextlib
import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

#: Where an address leads.
MOVED = {"/moved": "/image", "/round": "/round", "/away": "file:///etc/hostname"}


def image_file(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    """The bytes of a green image file, black in a mode without colours."""
    file = io.BytesIO()
    Image.new(mode, size, "green" if mode == "RGB" else 0).save(file, kind)
    return file.getvalue()


class _Images(BaseHTTPRequestHandler):
    def log_message(self, *message):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/silent":
            self.server.closing.wait()
            return
        if self.path == "/slow-head":  # a byte now and then, so that no single read is long
            self.drip(b"HTTP/1.0 200 OK\r\nX-Long: " + 1000 * b"x")
            return
        self.send_response(302 if self.path in MOVED else 404 if self.path == "/missing" else 200)
        self.send_header("Location", MOVED.get(self.path, ""))
        self.end_headers()
        if self.path == "/image":
            self.wfile.write(image_file())
        elif self.path == "/page":
            self.wfile.write(b"<html>no image</html>")
        elif self.path == "/endless":
            with contextlib.suppress(OSError):
                while not self.server.closing.is_set():
                    self.wfile.write(bytes(1 << 20))
        elif self.path == "/slow":
            self.drip(image_file())

    def drip(self, content: bytes):
        with contextlib.suppress(OSError):  # until who asks hangs up
            for byte in content:
                if self.server.closing.is_set():
                    return
                self.wfile.write(bytes([byte]))
                time.sleep(0.1)


@contextlib.contextmanager
def serve_images():
    """Yields the server, with its `address`; `asked` lists the paths that it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Images)
    server.daemon_threads, server.asked, server.closing = True, [], threading.Event()
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
