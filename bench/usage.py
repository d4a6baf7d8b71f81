# SPDX-License-Identifier: Apache-2.0
"""What a command takes: shared by the measurements, no measurement itself."""
import os
import subprocess
import sys
import tempfile


def run(command):
    """CPU seconds of the command and its children, the peak of its memory in MiB, and what it printed. Ends the measurement where it fails."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(c) for c in command], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command[:2]))}: exit {process.returncode}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read()


def best(command, turns):
    return min(run(command) for _ in range(turns))
