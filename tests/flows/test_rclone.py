# SPDX-License-Identifier: Apache-2.0
"""Another program on the same servers: what we wrote it reads as it was, and the other way round, names, sizes, times and bytes. (S3: test_s3.py.)"""
import json
import os
import random
import shutil
import subprocess

import pytest

from conftest import BASE
from ftp_servers import Vsftpd
from sftp_servers import Sshd

pytestmark = pytest.mark.skipif(not shutil.which("rclone"), reason="needs rclone")
SIZES = {"empty": 0, "a.csv": 1, "with blank.csv": 255, "ü + % 'q'.csv": 65537, "big": 5 * 1024 * 1024 + 3}


class Sftp(Sshd):
    def peer(self):
        hosts = self.folder / f"known_hosts-{self.port}"
        return {"TYPE": "sftp", "HOST": "127.0.0.1", "PORT": self.port, "USER": self.user, "KEY_FILE": self.folder / "user", "KNOWN_HOSTS_FILE": hosts,
                "DISABLE_HASHCHECK": "true", "SHELL_TYPE": "none"}


class Ftp(Vsftpd):
    def peer(self):
        obscured = subprocess.run(["rclone", "obscure", "x"], check=True, capture_output=True, text=True).stdout.strip()
        return {"TYPE": "ftp", "HOST": "127.0.0.1", "PORT": self.port, "USER": "anonymous", "PASS": obscured, "ENCODING": "Slash,Ctl",
                "EXPLICIT_TLS": str(self.tls == "explicit").lower(), "TLS": str(self.tls == "implicit").lower(), "DISABLE_TLS13": "true"}


@pytest.fixture(scope="module", params=["sftp", "ftp", "ftp-explicit", "ftp-implicit"])
def server(request, tmp_path_factory):
    kind, _, tls = request.param.partition("-")
    folder = tmp_path_factory.mktemp(request.param)
    started = Sftp(folder) if kind == "sftp" else Ftp(folder, tls or "none")
    yield started
    started.stop()


@pytest.fixture
def rclone(project, server):
    project.config("", base=BASE.replace("{type: file, directory: drop}", server.settings(project.drop_folder)))
    env = {**os.environ, "RCLONE_CONFIG": os.devnull, "SSL_CERT_FILE": str(server.folder / "certificate"),
           **{f"RCLONE_CONFIG_PARTNER_{name}": str(value) for name, value in server.peer().items()}}

    def run(command, *arguments):
        places = [f"partner:{project.drop_folder}/{argument[1:]}" if str(argument).startswith("@") else str(argument) for argument in arguments]
        done = subprocess.run(["rclone", command, "--retries", "1", "--low-level-retries", "1", *places], env=env, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return run


@pytest.fixture
def mine(project):
    """Files of which no byte is like another's."""
    chance = random.Random(7)
    folder = project.folder / "mine"
    folder.mkdir()
    for name, size in SIZES.items():
        (folder / name).write_bytes(chance.randbytes(size))
        os.utime(folder / name, (1_700_000_000, 1_700_000_000 + size % 1000))
    return folder


def test_it_reads_what_we_wrote(project, rclone, mine):
    for name in SIZES:
        project.call("storage", "put", "drop", mine / name, "ours/deep/")
    rclone("copy", "@ours", project.folder / "back")
    assert {name: (project.folder / "back" / "deep" / name).read_bytes() for name in SIZES} == {name: (mine / name).read_bytes() for name in SIZES}
    assert {entry["Name"]: entry["Size"] for entry in json.loads(rclone("lsjson", "@ours/deep"))} == SIZES


def test_we_read_what_it_wrote(project, rclone, mine):
    rclone("copy", mine, "@theirs")
    listed = project.json("storage", "ls", "drop", "theirs")
    assert {entry["name"]: entry["size"] for entry in listed} == SIZES
    for name in SIZES:
        project.call("storage", "get", "drop", f"theirs/{name}", "-o", project.folder / "back")
        assert (project.folder / "back").read_bytes() == (mine / name).read_bytes()
        (project.folder / "back").unlink()
        os.utime(project.drop_folder / "theirs" / name, (1_600_000_000, 1_600_000_000))
    days = {entry["Name"]: entry["ModTime"][:10] for entry in json.loads(rclone("lsjson", "@theirs"))}
    ours = {entry["name"]: entry["modified"] for entry in project.json("storage", "ls", "drop", "theirs")}
    assert set(ours.values()) == {"2020-09-13T12:26:40+00:00"} and {name: when[:10] for name, when in ours.items()} == days
