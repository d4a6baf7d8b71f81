# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for measurements: what its processes and the client's take together. No measurement itself."""
import contextlib
import os
import pathlib
import signal
import sys
import time

import usage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "flows"))
import postgres  # noqa: E402 (the path comes first)

LIMIT = 60
TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """CPU seconds of a process and those that it waited for; the number of its parent."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS, int(fields[1])


class Measured(postgres.Cluster):
    """As the tests have it, but with the durability that people have, and planned for disks that do not turn."""

    def start(self, port=None):
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write("fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 512MB\nrandom_page_cost = 1.1\n"
                           "checkpoint_timeout = 1h\n")     # none but those that a measurement asks for
        super().start(port)

    def renew(self):
        """Starts it again: where the memory of its processes lies is drawn once a server, and is good or bad luck for all that it is asked."""
        self.stop_process(signal.SIGINT)
        super().start(self.port)

    def children(self):
        return pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def is_backend(self, pid):
        with contextlib.suppress(FileNotFoundError):     # it has ended meanwhile
            return b"127.0.0.1" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        return False

    def cpu(self):
        """Of all its processes, once those of ended connections are gone."""
        end = time.monotonic() + LIMIT
        while any(self.is_backend(pid) for pid in self.children()):
            if time.monotonic() > end:
                raise TimeoutError("a connection stays open")
            time.sleep(0.01)
        while True:
            with contextlib.suppress(FileNotFoundError):     # a process ended, and is its parent's now: once more
                return sum(stat(pid)[0] for pid in [self.process.pid, *self.children()])

    def run(self, command):
        """CPU seconds of the command, of the server meanwhile, and what was printed."""
        before = self.cpu()
        client, _, output = usage.run(command)
        return client, self.cpu() - before, output
