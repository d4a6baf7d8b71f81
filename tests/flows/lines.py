# SPDX-License-Identifier: Apache-2.0
"""What servers of the tests need: ports, processes, how a storage on them is written, and a line to them that breaks."""
import ctypes
import signal
import socket
import threading
import time

LIMIT = 30      # seconds that a server is waited for
PR_SET_PDEATHSIG = 1


def wait_for_port(port):
    end = time.monotonic() + LIMIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nothing listens on port {port}"
            time.sleep(0.01)


def stop_listening(listener):
    """Also where a thread is in accept() still, which close() alone would leave there, listening."""
    if listener.fileno() >= 0:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def as_yaml(options):
    """The settings of a storage as one line of a configuration; None: it is not said."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in options.items() if value is not None) + "}"


class Started:
    """A server that is a process of its own: self.process."""

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)


class Line:
    """What goes to a server and back, until so many bytes went one way: then nothing goes any more (stall), or it is cut (drop). Connections beyond
    most are cut at once."""

    def __init__(self, port, limit=None, way="down", breaks="drop", most=None):
        self.to, self.limit, self.way, self.breaks, self.most = port, limit, way, breaks, most
        self.broken = self.opened = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def heal(self):
        self.limit = None

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.opened += 1
            if self.most is not None and self.opened > self.most:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            for way, source, target in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self.pump, args=(way, source, target), daemon=True).start()

    def pump(self, way, source, target):
        gone = 0
        try:
            while data := source.recv(65536):
                gone += len(data)
                if self.limit is not None and way == self.way and gone > self.limit:
                    self.broken += 1
                    if self.breaks == "stall":
                        return          # the other way goes on; both ends stay open
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        stop_listening(self.listener)
