# SPDX-License-Identifier: Apache-2.0
"""`serve`, `worker` and `scheduler` as tests have them: started, looked at, told things, always ended."""
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

LIMIT = 60      # seconds that a state is waited for: far more than it takes


def until(what, ask, limit=LIMIT):
    """The first true answer."""
    end = time.monotonic() + limit
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.01)


def title(pid):
    """What ps shows of a process; "" when there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def state(pid):
    """R, S, T (stopped), Z ...; "" when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def pending(pid, number):
    """Whether a signal was sent to a process that has not heard it yet."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def ready(source):
    return select.select([source], [], [], 0)[0]


def run_at_once(program, project, task=(), workers=3, environments=None):
    """`run` and workers beside it, of which each holds at its first chunk of a part until all do that can have one, so that all of them take part in
    a file that is spread. environments: of each process. Returns how many held, when nothing is left to do."""
    folder = project.folder
    subprocess.run([program, "jobs"], cwd=folder, stdout=subprocess.DEVNULL, check=True)     # there are tables to be looked at
    processes = [subprocess.Popen([program, *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "PATTIMPEX_PAUSE_AT": "part-committed:1", **(environment or {})})
                 for command, environment in zip([["run", *task]] + [["worker"]] * (workers - 1), environments or [{}] * workers)]

    def holding():
        return [process.pid for process in processes if state(process.pid) == "T"]

    def unfinished():
        return project.rows("SELECT 1 FROM pattimpex_job WHERE state IN ('waiting', 'pending', 'started')")

    def all_hold():
        ((chunks,),) = project.rows("SELECT count(*) FROM pattimpex_chunk WHERE part > 0")
        alive = sum(process.poll() is None for process in processes)
        return (chunks and len(holding()) >= min(alive, chunks)) or (processes[0].poll() is not None and not unfinished())
    try:
        until("every worker holds a chunk", all_hold)
        held = holding()
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        processes[0].wait(LIMIT)
        until("nothing is left", lambda: not unfinished())
        return len(held)
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                os.kill(process.pid, signal.SIGCONT)
            process.wait(LIMIT)


class Server:
    """A running command; what it logs as objects, what it tells systemd."""

    def __init__(self, program, folder, *arguments, env=None):
        self.folder = pathlib.Path(folder)
        number = len(list(self.folder.glob("log-*")))
        self.log_path = self.folder / f"log-{number}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0pattimpex-test-{os.getpid()}-{id(self)}")
        name = self.socket.getsockname().decode().replace("\0", "@")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([program, *arguments, "--log-format", "json", "--log-level", "debug"], cwd=folder, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, "NOTIFY_SOCKET": name, **(env or {})})
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self.process.poll() is None:
            for pid in self.children():
                self.tell(signal.SIGCONT, pid)
            self.tell(signal.SIGTERM)
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.socket.close()

    def tell(self, number, pid=None):
        try:
            os.kill(pid or self.pid, number)
        except ProcessLookupError:
            pass

    def ends(self):
        """The exit status."""
        return self.process.wait(LIMIT)

    # ---- what it tells

    def told(self, wanted):
        """Waits for a notification that begins so."""
        def ask():
            assert self.process.poll() is None or ready(self.socket), f"it has ended\n{self.log_path.read_text()}"
            return ready(self.socket) and [message for message in [self.socket.recv(4096).decode()]
                                           if any(line.startswith(wanted) for line in message.splitlines())]
        return until(f"the notification {wanted}", ask)[0]

    def log(self):
        lines = self.log_path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def logged(self, text, **fields):
        """Waits for a line of the log that has the text."""
        def ask():
            return [line for line in self.log() if text in line["text"] and all(line[k] == v for k, v in fields.items())]
        try:
            return until(f"a line of the log with {text!r}", ask)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_path.read_text()}") from None

    # ---- its processes

    def children(self):
        return children(self.pid)

    def pids(self, name):
        return [pid for pid in self.children() if title(pid).startswith(f"pattimpex: {name}")]

    def pid_of(self, name):
        return until(f"a process {name}", lambda: self.pids(name))[0]

    def paused_worker(self, *but):
        """One that stops itself at a hook (PATTIMPEX_PAUSE_AT)."""
        return until("a worker that pauses", lambda: [pid for pid in self.pids("worker") if state(pid) == "T" and pid not in but])[0]
