# SPDX-License-Identifier: Apache-2.0
"""Free ports of the loopback for servers that are told theirs."""
import pathlib
import random
import socket

FIRST_GIVEN = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port():
    """None of those that connections are given: one that just goes out could take it before the server does."""
    end = int(FIRST_GIVEN.read_text().split()[0])
    for _ in range(1000):
        port = random.randrange(min(10_000, end // 2), end)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            pass        # somebody has it
    raise OSError("there is no free port")
