# SPDX-License-Identifier: Apache-2.0
"""packaging/pattimpex.service: what it names is there, and what it relies on is what `serve` does. systemd itself is not run here."""
import pathlib
import re
import shlex
import shutil
import signal
import subprocess

import pytest

from conftest import PROGRAM
from server import Server, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "pattimpex.service"
PREFIX = "/usr/local"       # of ./dev install
QUIET = "serve: {workers: 1}\n"


def setting(name):
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)
    return value


def seconds(span):
    """What systemd.time(7) calls a time span, as far as the unit has such."""
    return sum(int(number) * {"s": 1, "min": 60}[unit] for number, unit in re.findall(r"(\d+)(s|min)", span))


def command(project, name, **values):
    """A command line of the unit with the built program and the test's own configuration."""
    line = setting(name)
    for before, after in values.items():
        line = line.replace(f"${before}", str(after))
    words = [word.replace(f"{PREFIX}/bin/pattimpex", PROGRAM).replace("/etc/pattimpex/pattimpex.yaml", str(project.folder / "pattimpex.yaml"))
             for word in shlex.split(line)]
    assert shutil.which(words[0]), f"{name}: there is no {words[0]}"
    return words


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong(tmp_path):
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(f"{PREFIX}/bin/pattimpex", PROGRAM))
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], text=True, capture_output=True, timeout=60)
    ours = [line for line in (found.stdout + found.stderr).splitlines() if UNIT.name in line]
    assert found.returncode == 0 and ours == []


def test_names_what_install_and_the_documents_make():
    assert shlex.split(setting("ExecStart"))[0] == f"{PREFIX}/bin/pattimpex"
    assert f"${{2:-{PREFIX}}}" in (ROOT / "dev").read_text()
    documented = (ROOT / "docs" / "running.md").read_text()
    assert f"--home-dir /var/lib/{setting('StateDirectory')} " in documented and setting("WorkingDirectory") == f"/var/lib/{setting('StateDirectory')}"
    assert shlex.split(setting("ExecStart"))[2] in documented
    assert "useradd --system" in documented and f" {setting('User')}\n" in documented


def test_serve_speaks_what_the_unit_relies_on(project):
    """Type=notify: READY=1 by the main process. WatchdogSec: WATCHDOG=1 well within it. ExecReload: a SIGHUP to the main process. KillMode=mixed:
    SIGTERM to the main process alone ends all of them."""
    assert setting("Type") == "notify" and setting("KillMode") == "mixed"
    project.config(QUIET)
    exec_start = command(project, "ExecStart")
    with Server(exec_start[0], project.folder, *exec_start[1:], env={"WATCHDOG_USEC": "400000"}) as server:
        server.told("READY=1")
        server.told("WATCHDOG=1")
        subprocess.run(command(project, "ExecReload", MAINPID=server.pid), check=True)
        assert "MONOTONIC_USEC=" in server.told("RELOADING=1")
        server.told("READY=1")
        children = server.children()
        server.tell(signal.SIGTERM)
        server.told("STOPPING=1")
        assert server.ends() == 0
        until("all have ended", lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children))


def test_times_fit(project):
    """systemd waits for longer than serve takes at most, and for a sign of life longer than an idle process is silent."""
    source = (ROOT / "src" / "daemon" / "supervisor.c").read_text()
    grace, silence = (int(re.search(rf"#define {name} \((\d+) \* G_TIME_SPAN_SECOND\)", source)[1]) for name in ("KILL_GRACE", "LONGEST_SILENCE"))
    assert seconds(setting("TimeoutStopSec")) > 30 + grace
    assert seconds(setting("WatchdogSec")) > silence
