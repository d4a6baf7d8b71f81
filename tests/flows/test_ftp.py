# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type ftp: the files of the partner are looked at where the server has them."""
import os
import re

import pytest

from conftest import BAD, BASE, GOOD
from ftp_servers import Scripted, Vsftpd, make_certificate
from lines import Line

TASKS = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, stable_for: 0, retry: {tries: 1}}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, retry: {tries: 1}}
"""
BIG = "name,email#key\n" + "".join(f"Partner number {i} with a long name,p{i}@x.test\n" for i in range(20000))


@pytest.fixture(scope="module")
def vsftpd(tmp_path_factory):
    """By its kind of TLS; each is started with its first use."""
    started = {}

    def get(tls="none"):
        if tls not in started:
            started[tls] = Vsftpd(tmp_path_factory.mktemp(f"vsftpd-{tls}"), tls)
        return started[tls]
    yield get
    for server in started.values():
        server.stop()


@pytest.fixture
def scripted(project):
    started = []

    def start(**options):
        started.append(Scripted(project.drop_folder, **options))
        return started[-1]
    yield start
    for server in started:
        server.stop()


def over(project, settings, tasks=TASKS):
    project.config(tasks, base=BASE.replace("{type: file, directory: drop}", settings))


def imported(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


def said(done):
    return done.stdout + done.stderr


# ---------------------------------------------------------------- vsftpd

@pytest.mark.parametrize("tls, more", [("none", {}), ("explicit", {}), ("implicit", {}), ("none", {"active": "true"})])
def test_both_ways(project, vsftpd, tls, more):
    over(project, vsftpd(tls).settings(project.drop_folder, **more))
    project.call("check")
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.drop("ü + %.csv", "email#key,name\nzoe@x.test,Zoe\n")
    project.call("run", status=1)
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test", "zoe@x.test"]
    assert project.names() == ["done/a.csv", "done/b.csv", "done/ü + %.csv", "errors/b.csv", "out/all.csv"]
    tree = project.tree()
    assert tree["done/a.csv"] == GOOD.encode() and b"#Error" in tree["errors/b.csv"] and b"zoe@x.test" in tree["out/all.csv"]


def test_one_login_for_all_jobs_of_a_run(project, vsftpd):
    server = vsftpd()
    over(project, server.settings(project.drop_folder))
    for n in range(5):
        project.drop(f"{n}.csv", BAD if n == 3 else f"email#key,name\nn{n}@x.test,N{n}\n")
    before = server.logins()
    project.call("run", status=1)
    assert project.names("errors") == ["errors/3.csv"] and project.names("out") == ["out/all.csv"]
    assert server.logins() == before + 1


def test_file_that_is_kept_is_taken_once(project, vsftpd):
    over(project, vsftpd().settings(project.drop_folder), TASKS.replace("after_import: move, move_path: done", "after_import: keep"))
    project.drop("a.csv", age=400 * 86400)
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n", age=90)
    project.call("run")
    project.call("run")
    assert imported(project) == [("a.csv", "done", 2), ("b.csv", "done", 1)] and project.names("in") == ["in/a.csv", "in/b.csv"]


def test_by_hand(project, vsftpd):
    over(project, vsftpd("explicit").settings(project.drop_folder))
    (project.folder / "a b.csv").write_text("mine")
    assert project.call("storage", "put", "drop", "a b.csv", "new/ü.csv").stdout == "drop: put new/ü.csv\n"
    assert [entry["name"] for entry in project.json("storage", "ls", "drop", "new")] == ["ü.csv"]
    assert project.call("storage", "get", "drop", "new/ü.csv", "-o", "-").stdout == "mine"
    project.call("storage", "rm", "drop", "new/ü.csv")
    assert project.names() == []
    assert "it has .. in it" in project.call("storage", "get", "drop", "../../etc/passwd", "-o", "-", status=2).stderr


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_while_listing(project, vsftpd, breaks):
    line = Line(vsftpd().port, limit=200, breaks=breaks)
    over(project, vsftpd().settings(project.drop_folder, port=line.port, timeout="1s", connect_timeout="5s"))
    project.drop("a.csv")
    done = project.call("run", "in", status=None)
    assert line.broken > 0 and done.returncode != 0 and "port" in said(done) and imported(project) == []
    line.heal()
    over(project, vsftpd().settings(project.drop_folder, port=line.port))       # a machine that is busy may be silent for a second
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]
    line.stop()


# ---------------------------------------------------------------- certificates

def test_certificate_that_nobody_signed(project, vsftpd):
    server = vsftpd("explicit")
    project.drop("a.csv")
    over(project, server.settings(project.drop_folder, ca_file="/etc/ssl/certs/ca-certificates.crt"))
    done = project.call("run", "in", status=None)
    assert "certificate" in said(done) and "nothing was sent to it" in said(done) and imported(project) == []
    over(project, server.settings(project.drop_folder, tls_verify="false"))
    done = project.call("run", "in")
    assert "warning: storage drop: tls_verify: false" in done.stderr and imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
def test_certificate_is_trusted_by_hand(project, vsftpd, tls):
    server, known = vsftpd(tls), project.folder / "known" / "certificates"
    settings = server.settings(project.drop_folder, known_certificates=known).replace(f"ca_file: {server.folder}/certificate, ", "")
    over(project, settings)
    shown = project.json("storage", "trust", "drop")
    assert re.fullmatch("SHA256:[A-Za-z0-9+/]{43}", shown["key"]) and shown["trusted"] is False
    assert "certificate" in project.call("storage", "check", "drop", status=2).stdout
    assert project.json("storage", "trust", "drop", "--yes")["trusted"] is True
    assert known.read_text() == f"127.0.0.1:{server.port} {shown['key']}\n"
    project.call("storage", "check", "drop")
    assert project.json("storage", "trust", "drop")["trusted"] is True
    known.unlink()
    over(project, settings.replace("}", f", certificate: '{shown['key']}'}}"))
    project.call("storage", "check", "drop")
    other = "SHA256:" + "A" * 43
    over(project, settings.replace("}", f", certificate: '{other}'}}"))
    assert "pinned" in project.call("storage", "check", "drop", status=2).stdout
    assert f"shows the key {shown['key']}, but {other} is known" in project.call("storage", "trust", "drop", status=2).stderr


def test_certificate_of_somebody_else(project, vsftpd):
    make_certificate(project.folder / "other")
    over(project, vsftpd("implicit").settings(project.drop_folder, ca_file=project.folder / "other"))
    assert "nothing was sent to it" in project.call("storage", "check", "drop", status=2).stdout


def test_active_with_tls_is_refused_where_files_would_go_in_clear(project, vsftpd):
    over(project, vsftpd("explicit").settings(project.drop_folder, active="true"))
    done = project.call("storage", "ls", "drop", status=None)
    assert done.returncode == 0 or "would send files in clear" in done.stderr       # a libcurl without that fault lists it


def test_server_without_tls_gets_no_password(project, scripted):
    server = scripted()
    over(project, server.settings().replace("tls: none", "tls: explicit"))
    assert 'correct "tls"' in project.call("storage", "check", "drop", status=2).stdout
    assert not {"USER", "PASS"} & {verb for verb, _ in server.heard}


# ---------------------------------------------------------------- a server that breaks the rules

@pytest.mark.parametrize("facts", [True, False])
def test_server_with_and_without_facts(project, scripted, facts):
    server = scripted(facts=facts)
    over(project, server.settings())
    project.drop("a.csv")
    project.drop("ü .csv", "email#key,name\nzoe@x.test,Zoe\n", age=400 * 86400)
    project.call("run")
    assert project.names() == ["done/a.csv", "done/ü .csv", "out/all.csv"]
    assert ("MLSD" in dict(server.heard)) is facts and ("LIST" in dict(server.heard)) is not facts


def test_server_without_size_and_time(project, scripted):
    server = scripted(facts=False)
    server.unknown = {"SIZE", "MDTM"}
    over(project, server.settings(), TASKS.replace("after_import: move, move_path: done", "after_import: keep"))
    project.drop("a.csv", age=200)
    project.call("run", "in")
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("breaks", ["drop", "stall", "hang up"])
def test_download_ends_too_early(project, scripted, breaks):
    server = scripted()
    server.cut, server.breaks = 300_000, breaks
    over(project, server.settings(timeout="1s"))
    project.drop("big.csv", BIG)
    done = project.call("run", "in", status=None)
    assert server.broken > 0 and "big.csv" in said(done)
    assert imported(project) == [] and len(project.emails()) == 2
    server.cut = None
    over(project, server.settings())        # a machine that is busy may be silent for a second
    project.call("run", "in")
    assert imported(project) == [("big.csv", "done", 20000)] and project.names() == ["done/big.csv"]


def test_transfer_that_is_not_confirmed(project, scripted):
    server = scripted()
    server.unfinished = True
    over(project, server.settings())
    project.drop("a.csv")
    assert "426" in said(project.call("run", "in", status=None)) and imported(project) == []
    server.unfinished = False
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("lie", [5, -5])
def test_size_that_is_a_lie(project, scripted, lie):
    server = scripted(facts=False)
    server.lies["a.csv"] = lie
    over(project, server.settings())
    project.drop("a.csv")
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n")
    done = project.call("run", "in", status=None)
    assert "a.csv" in said(done)
    assert imported(project) == [("b.csv", "done", 1)] and project.names("in") == ["in/a.csv"]
    server.lies.clear()
    project.call("run", "in")
    assert imported(project) == [("b.csv", "done", 1), ("a.csv", "done", 2)]


def test_upload_of_which_not_all_arrives(project, scripted):
    server = scripted()
    server.keeps = 10
    over(project, server.settings())
    done = project.call("run", "out", status=None)
    assert re.search(r"out/all.csv: the server has 10 of its \d+ bytes", said(done)) and project.names("out") == []


def test_disk_that_is_full(project, scripted):
    server = scripted()
    server.full = True
    over(project, server.settings())
    assert "make room and run again" in said(project.call("run", "out", status=None)) and project.names("out") == []


def test_server_that_does_not_rename_over(project, scripted):
    server = scripted()
    server.renames = "new"
    over(project, server.settings(), TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"))
    project.drop("all.csv", "old", folder="out")
    project.call("run", "out")
    assert project.names("out") == ["out/all.csv"] and b"alice@x.test" in project.tree("out")["out/all.csv"]


def test_server_that_does_not_rename_leaves_the_old_file(project, scripted):
    server = scripted()
    server.renames = ""
    over(project, server.settings(), TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"))
    project.drop("all.csv", "old", folder="out")
    assert "out/all.csv: cannot replace" in said(project.call("run", "out", status=None))
    assert project.tree("out") == {"out/all.csv": b"old"}


def test_replacing_that_ends_half_way_keeps_both(project, scripted):
    server = scripted()
    server.renames = "new, once"
    over(project, server.settings(), TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"))
    project.drop("all.csv", "old", folder="out")
    done = project.call("run", "out", status=None)
    assert "rename the one that is wanted to" in said(done)
    left = project.tree("out")
    assert len(left) == 2 and b"old" in left.values() and any(b"alice@x.test" in text for text in left.values())


def test_wrong_password_is_tried_once_and_shown_nowhere(project, scripted):
    server = scripted()
    over(project, server.settings().replace('"open sesame"', "{file: password}"))
    (project.folder / "password").write_text("hunter2 is wrong")
    project.drop("a.csv")
    done = project.call("run", "in", status=None)
    assert "Access denied" in said(done) and 'correct "user" and "password"' in said(done) and "hunter2" not in said(done)
    assert [verb for verb, _ in server.heard].count("PASS") == 1
    assert "hunter2" not in str(project.rows("SELECT * FROM pattimpex_job"))
    assert os.listdir(project.drop_folder / "in") == ["a.csv"]


def test_names_cannot_become_commands(project, scripted):
    server = scripted()
    over(project, server.settings())
    for place in ("a\r\nDELE x", "a\nb", "in/\x01"):
        assert "control character" in project.call("storage", "rm", "drop", place, status=2).stderr
    project.config(TASKS, base=BASE.replace("{type: file, directory: drop}", server.settings(directory='"/in\\r\\nDELE x"')))
    assert "directory: it has a control character" in project.call("storage", "ls", "drop", status=2).stderr
    assert not server.heard
