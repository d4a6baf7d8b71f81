# SPDX-License-Identifier: Apache-2.0
"""`pattimpex storage`, alike over every type of storage."""
import json
import os

import pytest

from conftest import BASE
from ftp_servers import Vsftpd
from s3_servers import SECRET, S3rver
from sftp_servers import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    server = S3rver(tmp_path_factory.getbasetemp())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def vsftpd(tmp_path_factory):
    server = Vsftpd(tmp_path_factory.mktemp("vsftpd"))
    yield server
    server.stop()


@pytest.fixture(params=["file", "sftp", "s3"])
def shop(request, project, sshd, vsftpd, s3, monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    settings = {"file": "{type: file, directory: drop}", "sftp": sshd.settings(project.drop_folder), "ftp": vsftpd.settings(project.drop_folder),
                "s3": s3.settings(project.drop_folder)}[request.param]
    project.config("", base=BASE.replace("{type: file, directory: drop}", settings))
    project.type = request.param
    return project


def test_lists_the_storages(shop):
    found = shop.json("storage")
    assert [(one["name"], one["type"]) for one in found] == [("drop", shop.type)]
    place = {"file": "drop", "sftp": "sftp://127.0.0.1:", "s3": "s3://files/"}[shop.type]
    assert found[0]["place"].startswith(place) and "drop" in found[0]["place"]


def test_ls(shop):
    shop.drop("b.csv", "12345")
    shop.drop("a\nb.csv", "")
    shop.drop(".pattimpex-7", "x")
    shop.drop(".hidden", "x")
    assert [(row["name"], row["folder"], row["size"]) for row in shop.json("storage", "ls", "drop")] == [("in/", True, None)]
    assert "in/" in shop.call("storage", "ls", "drop").stdout
    listed = shop.json("storage", "ls", "drop", "in")
    assert [(file["name"], file["size"]) for file in listed] == [("a\nb.csv", 0), ("b.csv", 5)]
    assert "control character" in listed[0]["refused"] and listed[1]["refused"] is None and listed[1]["modified"].endswith("+00:00")
    assert ".pattimpex-7" in shop.call("storage", "ls", "--all", "drop", "in").stdout
    assert "b.csv" in shop.call("storage", "ls", "drop", "in").stdout
    assert shop.call("storage", "ls", "drop", "none").stdout == "No files: there is no folder none.\n" and shop.json("storage", "ls", "drop", "none") == []


def test_put_get_rm(shop):
    big = os.urandom(3_000_000)
    (shop.folder / "big.bin").write_bytes(big)
    assert json.loads(shop.call("storage", "put", "drop", "big.bin", "new/dir/", "--json").stdout) == {"storage": "drop", "put": "new/dir/big.bin"}
    assert shop.tree()["new/dir/big.bin"] == big
    shop.call("storage", "get", "drop", "new/dir/big.bin", "-o", "back.bin")
    assert (shop.folder / "back.bin").read_bytes() == big
    assert "there is a file of that name already" in shop.call("storage", "get", "drop", "new/dir/big.bin", status=1).stderr
    shop.call("storage", "get", "drop", "new/dir/big.bin", "-o", "not/there/back.bin", status=3)
    shop.call("storage", "get", "drop", "nothing", "-o", "nothing.bin", status=2)
    assert not list(shop.folder.glob("*.pattimpex-*")) and not (shop.folder / "nothing.bin").exists()
    shop.call("storage", "rm", "drop", "new/dir/big.bin")
    assert shop.names() == []
    assert "no such file" in shop.call("storage", "rm", "drop", "new/dir/big.bin", status=2).stderr.lower()


def test_patterns_and_several_files(shop):
    for name in ("a.csv", "b.csv", "c.txt"):
        (shop.folder / name).write_text(name)
    put = shop.json("storage", "put", "drop", "a.csv", "b.csv", "c.txt", "in/")
    assert put == [{"storage": "drop", "put": f"in/{name}"} for name in ("a.csv", "b.csv", "c.txt")]
    assert [row["name"] for row in shop.json("storage", "ls", "drop", "in/*.csv")] == ["a.csv", "b.csv"]
    assert [(row["name"], row["size"]) for row in shop.json("storage", "ls", "drop", "in/c.txt")] == [("c.txt", 5)]
    assert shop.call("storage", "get", "drop", "in/*.csv", "-o", "back/").stdout == "drop: got back/a.csv\ndrop: got back/b.csv\n"
    assert sorted(path.read_text() for path in (shop.folder / "back").iterdir()) == ["a.csv", "b.csv"]
    assert "there is a file of that name already" in shop.call("storage", "get", "drop", "in/a.csv", "-o", "back", status=1).stderr
    assert "name a folder for them" in shop.call("storage", "get", "drop", "in/*", "-o", "one", status=2).stderr
    assert "There is no folder out" in shop.call("storage", "put", "drop", "a.csv", "b.csv", "out", status=2).stderr
    assert shop.json("storage", "rm", "drop", "in/[ab].csv") == [{"storage": "drop", "removed": "in/a.csv"}, {"storage": "drop", "removed": "in/b.csv"}]
    assert "in/*.csv: there is no file that this means" in shop.call("storage", "rm", "drop", "in/*.csv", status=2).stderr
    assert shop.names() == ["in/c.txt"]


@pytest.mark.parametrize("shop", ["file", "sftp", "ftp"], indirect=True)
def test_each_of_many_files_has_its_own_outcome(shop):
    names = [f"{n:03}.csv" for n in range(70)]
    for name in names:
        (shop.folder / name).write_text(name)
    shop.drop("007.csv", "another")
    failed = shop.call("storage", "put", "drop", *names[:40], "nowhere.csv", *names[40:], "in/", status=2)
    assert [line.removeprefix("drop: put in/") for line in failed.stdout.splitlines()] == [name for name in names if name != "007.csv"]
    assert "in/007.csv: there is a file of that name already" in failed.stderr and "nowhere.csv: cannot open" in failed.stderr
    assert shop.tree() == {f"in/{name}": b"another" if name == "007.csv" else name.encode() for name in names}
    shop.call("storage", "get", "drop", "in/*", "-o", "back/")
    assert {path.name: path.read_bytes() for path in (shop.folder / "back").iterdir()} == {place[3:]: text for place, text in shop.tree().items()}


@pytest.mark.parametrize("shop", ["file", "sftp", "ftp", "s3"], indirect=True)
def test_put_goes_into_a_folder_that_is_there(shop):
    for name in ("a.csv", "b.csv"):
        (shop.folder / name).write_text(name)
    shop.drop("old.csv", "old")
    assert shop.json("storage", "put", "drop", "a.csv", "in") == {"storage": "drop", "put": "in/a.csv"}
    assert [row["put"] for row in shop.json("storage", "put", "drop", "a.csv", "b.csv", "in", "--on-exists", "replace")] == ["in/a.csv", "in/b.csv"]
    assert shop.json("storage", "put", "drop", "a.csv", "out") == {"storage": "drop", "put": "out"}
    assert "out: there is a file of that name already" in shop.call("storage", "put", "drop", "b.csv", "out", status=1).stderr
    assert "There is no folder out" in shop.call("storage", "put", "drop", "a.csv", "b.csv", "out", status=2).stderr
    assert shop.names() == ["in/a.csv", "in/b.csv", "in/old.csv", "out"]


def test_name_that_looks_like_a_pattern_is_itself(shop):
    for name in ("a*.csv", "ab.csv"):
        shop.drop(name, name)
    shop.call("storage", "rm", "drop", "in/a*.csv")
    assert shop.names() == ["in/ab.csv"]


def test_put_replaces_only_when_told(shop):
    (shop.folder / "a.csv").write_text("new")
    shop.drop("a.csv", "old")
    assert "in/a.csv: there is a file of that name already" in shop.call("storage", "put", "drop", "a.csv", "in/", status=1).stderr
    assert shop.call("storage", "put", "drop", "a.csv", "in/", "--on-exists", "number").stdout == "drop: put in/a-1.csv\n"
    shop.call("storage", "put", "drop", "a.csv", "in/a.csv", "--on-exists", "replace")
    assert shop.tree() == {"in/a.csv": b"new", "in/a-1.csv": b"new"}
    shop.call("storage", "put", "drop", "-", "in/piped.csv", input="from a pipe")
    assert shop.call("storage", "get", "drop", "in/piped.csv", "-o", "-").stdout == "from a pipe"


def test_nothing_outside_of_it_is_touched(shop):
    for place in ("../shop.db", "/etc/passwd", "in/../../shop.db"):
        assert shop.call("storage", "get", "drop", place, "-o", "-", status=2).stdout == ""
        shop.call("storage", "rm", "drop", place, status=2)
    assert (shop.folder / "shop.db").exists()


def test_check(shop):
    assert shop.json("storage", "check") == [{"name": "drop", "ok": True, "error": None}]
    shop.call("storage", "check", "drop", "--no-probe")
    if shop.type == "s3":       # has no directories that could be missing
        return
    os.rename(shop.drop_folder, shop.folder / "elsewhere")
    done = shop.call("storage", "check", status=3)
    assert "make it, or correct the setting" in done.stdout and "1 of 1 storages cannot be used" in done.stderr


def test_wrong_usage(shop):
    assert "did you mean drop?" in shop.call("storage", "ls", "drp", status=2).stderr
    assert "did you mean drop?" in shop.call("storage", "check", "drp", status=2).stderr
    for arguments in (["ls"], ["get", "drop"], ["frobnicate"], ["put", "drop"], ["rm", "drop"]):
        assert "usage: pattimpex storage" in shop.call("storage", *arguments, status=2).stderr
    assert "it is fail, replace or number" in shop.call("storage", "put", "drop", "x", "--on-exists", "perhaps", status=2).stderr


def test_needs_no_database(shop):
    os.remove(shop.folder / "shop.db")
    shop.call("storage", "check")
    assert not (shop.folder / "shop.db").exists()
