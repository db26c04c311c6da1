"""Handlers that hand on records: to sockets, a web server, syslog, another handler."""

from __future__ import annotations

import http.server
import logging
import logging.config
import logging.handlers
import os
import pickle
import socket
import socketserver
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from harness import Side, show

# What differs between any two runs.
VOLATILE = {
    *("created", "msecs", "relativeCreated", "thread", "process", "processName", "threadName"),
    *("pathname", "lineno"),
}


def _logger(handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger("app")
    logger.setLevel(1)
    logger.propagate = False
    logger.handlers = [handler]
    return logger


def _say(logger: logging.Logger) -> int:
    """Log one record of each kind; gives how many."""
    logger.debug("plain")
    logger.info("with %s and %d", "é€𝄞", 5)
    logger.warning("extra", extra={"colour": "red"})
    try:
        raise ValueError("wrong")
    except ValueError:
        logger.exception("traceback")
    logger.critical("object %s", {"a": [1]})
    logger.log(35, "a level of its own")
    return 6


def _told(attributes: dict[str, Any]) -> None:
    text = attributes.get("exc_text")
    if text:
        attributes["exc_text"] = text.splitlines()[-1]
    print(sorted((key, value) for key, value in attributes.items() if key not in VOLATILE))


def _records(data: bytes) -> None:
    """Print the records of a stream of pickles."""
    while data:
        (length,) = struct.unpack(">L", data[:4])
        _told(pickle.loads(data[4 : 4 + length]))
        data = data[4 + length :]


@contextmanager
def _receiving(family: int, address: Any) -> Iterator[tuple[Any, Callable[[], bytes]]]:
    """Listen for one connection; gives the address, and what came until it was closed."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        parts: list[bytes] = []

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                while part := connection.recv(65536):
                    parts.append(part)

        thread = threading.Thread(target=run)
        thread.start()

        def received() -> bytes:
            thread.join(60)
            return b"".join(parts)

        yield listener.getsockname(), received


def sockets(side: Side) -> None:
    with _receiving(socket.AF_INET, ("127.0.0.1", 0)) as (address, received):
        handler = side.of("SocketHandler")(*address)
        print(handler.address == address, handler.sock, handler.closeOnError, handler.retryTime)
        _say(_logger(handler))
        handler.close()
        print(handler.sock)
        _records(received())
    with _receiving(socket.AF_UNIX, "stream") as (address, received):
        handler = side.of("SocketHandler")(address, None)
        handler.createSocket()
        print(handler.sock is not None)
        _say(_logger(handler))
        handler.close()
        _records(received())
    os.remove("stream")


def a_socket_that_nobody_listens_at(side: Side) -> None:
    for close_on_error in (False, True):
        handler = side.of("SocketHandler")("missing", None)
        handler.closeOnError = close_on_error
        _say(_logger(handler))
        print(handler.sock, handler.retryTime is not None, handler.retryPeriod)
        handler.close()


def datagrams(side: Side) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        receiver.bind(("127.0.0.1", 0))
        handler = side.of("DatagramHandler")(*receiver.getsockname())
        print(isinstance(handler, side.of("SocketHandler")))
        for _ in range(_say(_logger(handler))):
            _records(receiver.recv(65536))
        handler.close()


def syslog(side: Side) -> None:
    cls = side.of("SysLogHandler")
    for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, "log")):
        with socket.socket(family, socket.SOCK_DGRAM) as receiver:
            receiver.settimeout(60)
            receiver.bind(address)
            handler = cls(receiver.getsockname(), facility=cls.LOG_LOCAL3)
            print(handler.facility, handler.socktype, handler.unixsocket)
            logger = _logger(handler)

            def burst(logger: logging.Logger = logger, receiver: Any = receiver) -> None:
                for _ in range(_say(logger)):
                    print(_without_frames(receiver.recv(65536)))

            burst()
            handler.ident = "identity: "
            burst()
            handler.append_nul = False
            burst()
            handler.facility = "local5"
            handler.setFormatter(logging.Formatter("%(name)s[%(levelname)s] %(message)s"))
            burst()
            handler.ident = "é "
            handler.append_nul = 1
            burst()
            handler.priority_map = {"INFO": "alert"}
            burst()
            handler.mapPriority = lambda name: "notice"
            burst()
            handler.facility = "no such"
            logger.info("not to be sent")
            handler.facility = 0
            del handler.mapPriority
            burst()
            handler.close()
            logger.info("after the handler was closed")
            # Up to 3.10 that is an error, which is reported.
            if hasattr(cls, "createSocket"):
                print(receiver.recv(65536))
            handler.close()
    os.remove("log")
    show(cls("/missing/socket").encodePriority, "auth", "info")
    show(cls("/missing/socket").mapPriority, "ERROR")
    show(cls, ("127.0.0.1", 1), socktype=socket.SOCK_STREAM)


def _without_frames(data: bytes) -> list[str]:
    return [line for line in data.decode().split("\n") if not line.startswith(" ")]


def syslog_subclasses(side: Side) -> None:
    base = side.of("SysLogHandler")

    class Maps(base):
        def mapPriority(self, levelName: str) -> str:
            return "emerg"

    class Encodes(base):
        def encodePriority(self, facility: Any, priority: Any) -> int:
            return 7

    class Named(base):
        ident = "app: "
        append_nul = False

    class Facts(base):
        priority_names: ClassVar[dict[str, int]] = {**base.priority_names, "warning": 1}

    class Plain(base):
        pass

    for cls in (Maps, Encodes, Named, Facts, Plain):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.settimeout(60)
            receiver.bind(("127.0.0.1", 0))
            handler = cls(receiver.getsockname())
            for _ in range(_say(_logger(handler))):
                print(cls.__name__, _without_frames(receiver.recv(65536)))
            handler.close()


def syslog_over_streams(side: Side) -> None:
    for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, "log")):
        with _receiving(family, address) as (where, received):
            handler = side.of("SysLogHandler")(where, socktype=socket.SOCK_STREAM)
            _say(_logger(handler))
            handler.close()
            print(_without_frames(received()))
    os.remove("log")


def a_syslog_daemon_that_comes_and_goes(side: Side) -> None:
    handler = side.of("SysLogHandler")("log")
    logger = _logger(handler)
    for n in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.settimeout(60)
            receiver.bind("log")
            for k in range(4):
                logger.info("daemon %d: %d", n, k)
                print(receiver.recv(65536))
        os.remove("log")
    handler.close()


class _Forms(http.server.BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[str, str, str | None, bytes]]] = []

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-length", 0)))
        path, _, query = self.path.partition("?")
        self.seen.append(
            (self.command, path, self.headers.get("Authorization"), body or query.encode())
        )
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *arguments: Any) -> None:
        pass


def web(side: Side) -> None:
    server = socketserver.TCPServer(("127.0.0.1", 0), _Forms)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    host = "{}:{}".format(*server.server_address)
    try:
        for method, credentials in (("GET", None), ("post", ("me", "secret"))):
            handler = side.of("HTTPHandler")(host, "/log", method, credentials=credentials)
            print(handler.method, handler.url, handler.secure)
            _say(_logger(handler))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    for command, path, authorization, form in _Forms.seen:
        print(command, path, authorization)
        fields = dict(urllib.parse.parse_qsl(form.decode()))
        fields.pop("exc_info", None)
        _told(fields)
    show(lambda: side.of("HTTPHandler")(host, "/", "PUT"))
    show(lambda: side.of("HTTPHandler")(host, "/", context=object()))


def memory(side: Side) -> None:
    target = side.file()
    handler = side.of("MemoryHandler")(4, target=target)
    logger = _logger(handler)
    for n in range(10):
        logger.info("line %d", n)
        print(len(handler.buffer))
    logger.error("flushes")
    print(len(handler.buffer), handler.shouldFlush(logging.makeLogRecord({"levelno": 50})))
    logger.info("kept until the end")
    handler.setTarget(None)
    handler.flush()
    print(len(handler.buffer))
    handler.setTarget(target)
    handler.close()
    print(handler.target, len(handler.buffer), handler.flushLevel, handler.flushOnClose)
    quiet = side.of("MemoryHandler")(100, 50, target, False)
    logger.handlers = [quiet]
    logger.error("never seen")
    quiet.close()


def configurations(side: Side) -> None:
    prefix = "logboom" if side.name == "logboom" else "logging.handlers"
    files = "logboom" if side.name == "logboom" else "logging"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        receiver.bind("log")
        logging.config.dictConfig(
            {
                "version": 1,
                "formatters": {"plain": {"format": "%(name)s %(message)s"}},
                "handlers": {
                    "file": {
                        "class": f"{files}.FileHandler",
                        "filename": "app.log",
                        "formatter": "plain",
                    },
                    "memory": {
                        "class": f"{prefix}.MemoryHandler",
                        "capacity": 2,
                        "target": "file",
                    },
                    "syslog": {
                        "class": f"{prefix}.SysLogHandler",
                        "address": "log",
                        "facility": "local1",
                        "formatter": "plain",
                    },
                },
                "root": {"level": "INFO", "handlers": ["memory", "syslog"]},
            }
        )
        for n in range(6):
            logging.getLogger("a").info("line %d", n)
            print(receiver.recv(65536))
        logging.shutdown()
    os.remove("log")
