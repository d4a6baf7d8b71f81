# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type ftp: the files of the partner are looked at where the server has them."""
import os
import re

import pytest

import both_ways
from both_ways import BIG, TASKS, imported, said
from certificates import self_signed
from conftest import BASE
from ftp_servers import Scripted, Vsftpd    # Scripted: for the fixture scripted
from lines import Line


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
def behind(project, vsftpd):
    return lambda **more: vsftpd().settings(project.drop_folder, **more)


# ---------------------------------------------------------------- vsftpd

class TestPickUp(both_ways.PickUp):
    pass


@pytest.mark.parametrize("tls, more", [("none", {}), ("explicit", {}), ("implicit", {}), ("none", {"active": "true"})])
def test_both_ways(project, over, vsftpd, tls, more):
    over(settings=vsftpd(tls).settings(project.drop_folder, **more))
    both_ways.check_both_ways(project)


def test_one_login_for_all_jobs_of_a_run(project, over, vsftpd):
    server = vsftpd()
    over(settings=server.settings(project.drop_folder))
    both_ways.check_one_login(project, server.logins)


def test_file_that_is_kept_is_taken_once(project, over, vsftpd):
    over(TASKS.replace("after_import: move, move_path: done", "after_import: keep"), settings=vsftpd().settings(project.drop_folder))
    project.drop("a.csv", age=400 * 86400)
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n", age=90)
    project.call("run")
    project.call("run")
    assert imported(project) == [("a.csv", "done", 2), ("b.csv", "done", 1)] and project.names("in") == ["in/a.csv", "in/b.csv"]


def test_by_hand(project, over, vsftpd):
    over(settings=vsftpd("explicit").settings(project.drop_folder))
    (project.folder / "a b.csv").write_text("mine")
    assert project.call("storage", "put", "drop", "a b.csv", "new/ü.csv").stdout == "drop: put new/ü.csv\n"
    assert [entry["name"] for entry in project.json("storage", "ls", "drop", "new")] == ["ü.csv"]
    assert project.call("storage", "get", "drop", "new/ü.csv", "-o", "-").stdout == "mine"
    project.call("storage", "rm", "drop", "new/ü.csv")
    assert project.names() == []
    assert "it has .. in it" in project.call("storage", "get", "drop", "../../etc/passwd", "-o", "-", status=2).stderr


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_while_listing(project, over, vsftpd, breaks):
    line = Line(vsftpd().port, limit=200, breaks=breaks)
    over(settings=vsftpd().settings(project.drop_folder, port=line.port, timeout="1s", connect_timeout="5s"))
    project.drop("a.csv")
    done = project.call("run", "in", status=None)
    assert line.broken > 0 and done.returncode != 0 and "port" in said(done) and imported(project) == []
    line.heal()
    over(settings=vsftpd().settings(project.drop_folder, port=line.port))       # a machine that is busy may be silent for a second
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]
    line.stop()


# ---------------------------------------------------------------- many small files

MANY = 60


def drop_many(project, over, settings):
    over("import_tasks:\n  in: {storage: drop, path: in, after_import: keep, stable_for: 0}\n", settings=settings)
    for n in range(MANY):
        project.drop(f"{n:02}.csv", f"number {n} " * n)


def check_many(project):
    assert project.call("run", "in").stderr == ""
    taken = project.rows("SELECT name, size, state FROM pattimpex_attachment ORDER BY name")
    assert taken == [(f"{n:02}.csv", len(f"number {n} " * n), "done") for n in range(MANY)]


@pytest.mark.parametrize("tls", ["none", "explicit"])
def test_many_small_files_take_a_handful_of_logins(project, over, vsftpd, tls):
    server = vsftpd(tls)
    before = server.logins()
    drop_many(project, over, server.settings(project.drop_folder))
    check_many(project)
    assert server.logins() - before <= 4


@pytest.mark.parametrize("facts", [True, False])
def test_small_files_are_asked_for_once(project, over, scripted, facts):
    server = scripted(facts=facts)
    drop_many(project, over, server.settings())
    check_many(project)
    asked = [argument for verb, argument in server.heard if verb in ("MLST", "SIZE")]
    assert len(asked) == (MANY if facts else 0)
    assert sorted(argument for verb, argument in server.heard if verb == "RETR") == [f"/in/{n:02}.csv" for n in range(MANY)]


@pytest.mark.parametrize("refuses", ["421", "530"])
def test_server_that_takes_few_connections(project, over, scripted, refuses):
    server = scripted()
    server.most, server.refuses = 2, refuses
    drop_many(project, over, server.settings())
    check_many(project)
    assert server.refused <= 1


def test_server_that_takes_no_connection(project, over, scripted):
    server = scripted()
    server.most = 0
    over(settings=server.settings())
    assert "the server says: 421 There are too many connections" in project.call("storage", "check", "drop", status=3).stdout


@pytest.mark.parametrize("breaks", ["drop", "hang up"])
def test_line_breaks_while_reading_ahead(project, over, scripted, breaks):
    server = scripted(facts=False)
    server.cut_once, server.breaks = {"11.csv", "12.csv", "40.csv"}, breaks
    drop_many(project, over, server.settings())
    check_many(project)
    assert server.broken == 3


def files_here(project, text="number {} "):
    """Files beside the configuration: their names, and what is at the server when all were put."""
    texts = {f"{n:02}.csv": text.format(n) * n for n in range(MANY)}
    for name, written in texts.items():
        (project.folder / name).write_text(written)
    return list(texts), {f"out/{name}": written.encode() for name, written in texts.items()}


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_small_files_are_put_over_a_handful_of_connections(project, over, vsftpd, tls):
    server = vsftpd(tls)
    before = server.logins()
    over(settings=server.settings(project.drop_folder))
    names, expected = files_here(project)
    project.call("storage", "put", "drop", *names, "out/")
    assert project.tree() == expected and server.logins() - before <= 4


@pytest.mark.parametrize("facts", [True, False])
def test_files_that_are_there_are_not_sent_again(project, over, scripted, facts):
    server = scripted(facts=facts)
    over(settings=server.settings())
    names, expected = files_here(project)
    project.call("storage", "put", "drop", *names, "out/")
    assert [verb for verb, _ in server.heard].count("STOR") == MANY
    project.call("storage", "put", "drop", *names, "out/")
    assert [verb for verb, _ in server.heard].count("STOR") <= MANY + 4     # one each before it is seen that names are taken
    assert project.tree() == expected


@pytest.mark.parametrize("renames", ["over", "new"])
@pytest.mark.parametrize("facts", [True, False])
def test_many_files_are_replaced(project, over, scripted, facts, renames):
    server = scripted(facts=facts)
    server.renames = renames
    over(settings=server.settings())
    names, _ = files_here(project)
    project.call("storage", "put", "drop", *names, "out/")
    _, expected = files_here(project, text="another {} ")
    project.call("storage", "put", "drop", *names, "out/", "--on-exists", "replace")
    assert project.tree() == expected


@pytest.mark.parametrize("refuses", ["421", "530"])
def test_uploads_to_a_server_that_takes_one_connection(project, over, scripted, refuses):
    server = scripted()
    server.most, server.refuses = 1, refuses
    over(settings=server.settings())
    names, expected = files_here(project)
    assert project.call("storage", "put", "drop", *names, "out/").stderr == ""
    assert project.tree() == expected and server.refused <= 1


def test_connections_that_end_while_files_are_put(project, over, scripted):
    server = scripted()
    server.loses = 3
    over(settings=server.settings())
    names, expected = files_here(project)
    assert project.call("storage", "put", "drop", *names, "out/").stderr == ""
    assert project.tree() == expected and server.loses == 0


def test_uploads_of_which_not_all_arrives(project, over, scripted):
    server = scripted()
    server.keeps = 10
    over(settings=server.settings())
    names, expected = files_here(project)
    done = project.call("storage", "put", "drop", *names, "out/", status=None)
    assert "the server has 10 of its" in done.stderr
    assert project.tree() == {name: text for name, text in expected.items() if len(text) <= 10}


# ---------------------------------------------------------------- certificates

def test_certificate_that_nobody_signed(project, over, vsftpd):
    server = vsftpd("explicit")
    project.drop("a.csv")
    over(settings=server.settings(project.drop_folder, ca_file="/etc/ssl/certs/ca-certificates.crt"))
    done = project.call("run", "in", status=None)
    assert "certificate" in said(done) and "nothing was sent to it" in said(done) and imported(project) == []
    over(settings=server.settings(project.drop_folder, tls_verify="false"))
    done = project.call("run", "in")
    assert "warning: storage drop: tls_verify: false" in done.stderr and imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
def test_certificate_is_trusted_by_hand(project, over, vsftpd, tls):
    server, known = vsftpd(tls), project.folder / "known" / "certificates"
    settings = server.settings(project.drop_folder, known_certificates=known).replace(f"ca_file: {server.folder}/certificate, ", "")
    over(settings=settings)
    shown = project.json("storage", "trust", "drop")
    assert re.fullmatch("SHA256:[A-Za-z0-9+/]{43}", shown["key"]) and shown["trusted"] is False
    assert "certificate" in project.call("storage", "check", "drop", status=2).stdout
    assert project.json("storage", "trust", "drop", "--yes")["trusted"] is True
    assert known.read_text() == f"127.0.0.1:{server.port} {shown['key']}\n"
    project.call("storage", "check", "drop")
    assert project.json("storage", "trust", "drop")["trusted"] is True
    known.unlink()
    over(settings=settings.replace("}", f", certificate: '{shown['key']}'}}"))
    project.call("storage", "check", "drop")
    other = "SHA256:" + "A" * 43
    over(settings=settings.replace("}", f", certificate: '{other}'}}"))
    assert "pinned" in project.call("storage", "check", "drop", status=2).stdout
    assert f"shows the key {shown['key']}, but {other} is known" in project.call("storage", "trust", "drop", status=2).stderr


def test_certificate_of_somebody_else(project, over, vsftpd):
    self_signed(project.folder / "other", project.folder / "other")
    over(settings=vsftpd("implicit").settings(project.drop_folder, ca_file=project.folder / "other"))
    assert "nothing was sent to it" in project.call("storage", "check", "drop", status=2).stdout


def test_active_with_tls_is_refused_where_files_would_go_in_clear(project, over, vsftpd):
    over(settings=vsftpd("explicit").settings(project.drop_folder, active="true"))
    done = project.call("storage", "ls", "drop", status=None)
    assert done.returncode == 0 or "would send files in clear" in done.stderr       # a libcurl without that fault lists it


def test_server_without_tls_gets_no_password(project, over, scripted):
    server = scripted()
    over(settings=server.settings().replace("tls: none", "tls: explicit"))
    assert 'correct "tls"' in project.call("storage", "check", "drop", status=2).stdout
    assert not {"USER", "PASS"} & {verb for verb, _ in server.heard}


# ---------------------------------------------------------------- a server that breaks the rules

@pytest.mark.parametrize("facts", [True, False])
def test_server_with_and_without_facts(project, over, scripted, facts):
    server = scripted(facts=facts)
    over(settings=server.settings())
    project.drop("a.csv")
    project.drop("ü .csv", "email#key,name\nzoe@x.test,Zoe\n", age=400 * 86400)
    project.call("run")
    assert project.names() == ["done/a.csv", "done/ü .csv", "out/all.csv"]
    assert ("MLSD" in dict(server.heard)) is facts and ("LIST" in dict(server.heard)) is not facts


def test_server_without_size_and_time(project, over, scripted):
    server = scripted(facts=False)
    server.unknown = {"SIZE", "MDTM"}
    over(TASKS.replace("after_import: move, move_path: done", "after_import: keep"), settings=server.settings())
    project.drop("a.csv", age=200)
    project.call("run", "in")
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("breaks", ["drop", "stall", "hang up"])
def test_download_ends_too_early(project, over, scripted, breaks):
    server = scripted()
    server.cut, server.breaks = 300_000, breaks
    over(settings=server.settings(timeout="1s"))
    project.drop("big.csv", BIG)
    done = project.call("run", "in", status=None)
    assert server.broken > 0 and "big.csv" in said(done)
    assert imported(project) == [] and len(project.emails()) == 2
    server.cut = None
    over(settings=server.settings())        # a machine that is busy may be silent for a second
    project.call("run", "in")
    assert imported(project) == [("big.csv", "done", 20000)] and project.names() == ["done/big.csv"]


def test_transfer_that_is_not_confirmed(project, over, scripted):
    server = scripted()
    server.unfinished = True
    over(settings=server.settings())
    project.drop("a.csv")
    assert "426" in said(project.call("run", "in", status=None)) and imported(project) == []
    server.unfinished = False
    project.call("run", "in")
    assert imported(project) == [("a.csv", "done", 2)]


@pytest.mark.parametrize("lie", [5, -5])
def test_size_that_is_a_lie(project, over, scripted, lie):
    server = scripted(facts=False)
    server.lies["a.csv"] = lie
    over(settings=server.settings())
    project.drop("a.csv")
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n")
    done = project.call("run", "in", status=None)
    assert "a.csv" in said(done)
    assert imported(project) == [("b.csv", "done", 1)] and project.names("in") == ["in/a.csv"]
    server.lies.clear()
    project.call("run", "in")
    assert imported(project) == [("b.csv", "done", 1), ("a.csv", "done", 2)]


def test_upload_of_which_not_all_arrives(project, over, scripted):
    server = scripted()
    server.keeps = 10
    over(settings=server.settings())
    done = project.call("run", "out", status=None)
    assert re.search(r"out/all.csv: the server has 10 of its \d+ bytes", said(done)) and project.names("out") == []


def test_disk_that_is_full(project, over, scripted):
    server = scripted()
    server.full = True
    over(settings=server.settings())
    assert "make room and run again" in said(project.call("run", "out", status=None)) and project.names("out") == []


def test_server_that_does_not_rename_over(project, over, scripted):
    server = scripted()
    server.renames = "new"
    over(TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"), settings=server.settings())
    project.drop("all.csv", "old", folder="out")
    project.call("run", "out")
    assert project.names("out") == ["out/all.csv"] and b"alice@x.test" in project.tree("out")["out/all.csv"]


def test_server_that_does_not_rename_leaves_the_old_file(project, over, scripted):
    server = scripted()
    server.renames = ""
    over(TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"), settings=server.settings())
    project.drop("all.csv", "old", folder="out")
    assert "out/all.csv: cannot replace" in said(project.call("run", "out", status=None))
    assert project.tree("out") == {"out/all.csv": b"old"}


def test_replacing_that_ends_half_way_keeps_both(project, over, scripted):
    server = scripted()
    server.renames = "new, once"
    over(TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"), settings=server.settings())
    project.drop("all.csv", "old", folder="out")
    done = project.call("run", "out", status=None)
    assert "rename the one that is wanted to" in said(done)
    left = project.tree("out")
    assert len(left) == 2 and b"old" in left.values() and any(b"alice@x.test" in text for text in left.values())


def test_wrong_password_is_tried_once_and_shown_nowhere(project, over, scripted):
    server = scripted()
    over(settings=server.settings().replace('"open sesame"', "{file: password}"))
    (project.folder / "password").write_text("hunter2 is wrong")
    project.drop("a.csv")
    done = project.call("run", "in", status=None)
    assert "Access denied" in said(done) and 'correct "user" and "password"' in said(done) and "hunter2" not in said(done)
    assert [verb for verb, _ in server.heard].count("PASS") == 1
    assert "hunter2" not in str(project.rows("SELECT * FROM pattimpex_job"))
    assert os.listdir(project.drop_folder / "in") == ["a.csv"]


def test_names_cannot_become_commands(project, over, scripted):
    server = scripted()
    over(settings=server.settings())
    for place in ("a\r\nDELE x", "a\nb", "in/\x01"):
        assert "control character" in project.call("storage", "rm", "drop", place, status=2).stderr
    project.config(TASKS, base=BASE.replace("{type: file, directory: drop}", server.settings(directory='"/in\\r\\nDELE x"')))
    assert "directory: it has a control character" in project.call("storage", "ls", "drop", status=2).stderr
    assert not server.heard
