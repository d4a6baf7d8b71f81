# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type sftp: the files of the partner are looked at where the server has them."""
import os

import pytest

from conftest import BAD, BASE, GOOD, PROGRAM
from lines import Line
from server import Server, until
from sftp_servers import Scripted, Sshd

TASKS = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, stable_for: 0, retry: {tries: 1}}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, retry: {tries: 1}}
"""
BIG = "name,email#key\n" + "".join(f"Partner number {i} with a long name,p{i}@x.test\n" for i in range(20000))


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def over(project, sshd):
    """Configures the project with its drop folder behind a server; a line that breaks may be between."""
    started = []

    def configure(tasks=TASKS, line=None, settings=None, **more):
        if line:
            started.append(line)
        settings = settings or sshd.settings(project.drop_folder, port=line.port if line else None, **more)
        project.config(tasks, base=BASE.replace("{type: file, directory: drop}", settings))
    yield configure
    for line in started:
        line.stop()


@pytest.fixture
def scripted(project):
    started = []

    def start(**options):
        started.append(Scripted(project.drop_folder, **options))
        return started[-1]
    yield start
    for server in started:
        server.stop()


def imported(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


def test_both_ways(project, over):
    over()
    project.call("check")
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.drop("ü + %.csv", "email#key,name\nzoe@x.test,Zoe\n")
    project.call("run", status=1)
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test", "zoe@x.test"]
    assert project.names() == ["done/a.csv", "done/b.csv", "done/ü + %.csv", "errors/b.csv", "out/all.csv"]
    tree = project.tree()
    assert tree["done/a.csv"] == GOOD.encode() and b"#Error" in tree["errors/b.csv"] and b"zoe@x.test" in tree["out/all.csv"]


def test_one_connection_for_all_jobs_of_a_run(project, over, sshd):
    over()
    for n in range(5):
        project.drop(f"{n}.csv", BAD if n == 3 else f"email#key,name\nn{n}@x.test,N{n}\n")
    before = sshd.logins()
    project.call("run", status=1)
    assert project.names("errors") == ["errors/3.csv"] and project.names("out") == ["out/all.csv"]
    assert sshd.logins() == before + 1


def test_name_that_is_taken_gets_a_number(project, over):
    over()
    project.drop("a.csv", "old", folder="done")
    project.drop("a.csv")
    project.call("run")
    assert project.tree("done") == {"done/a.csv": b"old", "done/a-1.csv": GOOD.encode()}


@pytest.mark.parametrize("after, left", [("delete", []), ("keep", ["in/a.csv"]), ("{rename}", ["in/seen-a.csv"])])
def test_after_import(project, over, after, left):
    action = "rename, new_name: 'seen-${obj.name}'" if after == "{rename}" else after
    over(f"import_tasks:\n  in: {{storage: drop, path: in, pattern: partner, stable_for: 0, after_import: {action}}}\n")
    project.drop("a.csv")
    project.call("run")
    project.call("run")
    assert project.names() == left
    assert imported(project) == [("a.csv", "done", 2)]


def test_duplicates_by_content(project, over):
    over(TASKS.replace("pattern: partner, after", "pattern: partner, avoid_duplicates: content, after"))
    project.drop("a.csv")
    project.call("run")
    project.drop("again.csv")
    project.call("run")
    assert imported(project) == [("a.csv", "done", 2)]
    assert project.rows("SELECT name, state FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id") == [
        ("a.csv", "done"), ("again.csv", "duplicate")]


def test_path_that_is_missing_is_empty(project, over):
    over(TASKS.replace("path: in", "path: not/yet"))
    project.call("run")
    assert project.names() == ["out/all.csv"]


def test_serve_does_it_by_itself(project, over):
    over(TASKS.replace("retry: {tries: 1}", "schedule: every second") + "serve: {workers: 2}\n")
    with Server(PROGRAM, project.folder, "serve"):
        project.drop("a.csv")
        until("the import", lambda: "dave@x.test" in project.emails())
        until("the file is put away", lambda: project.names("done") == ["done/a.csv"] and not project.names("in"))
        until("the export", lambda: b"dave@x.test" in project.tree("out").get("out/all.csv", b""))
    assert imported(project) == [("a.csv", "done", 2)]


# ---------------------------------------------------------------- lines that break

@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_in_a_download(project, over, sshd, breaks):
    line = Line(sshd.port, limit=300_000, breaks=breaks)
    over(line=line, timeout="1s", connect_timeout="5s")
    project.drop("big.csv", BIG)
    done = project.call("run", status=None)
    assert line.broken > 0 and "big.csv" in done.stdout + done.stderr
    assert ("connection was lost" if breaks == "drop" else "nothing came for 1 s") in done.stdout + done.stderr
    assert len(project.emails()) == 2 and imported(project) == []
    line.heal()
    over(line=line)     # a machine that is busy may be silent for a second
    project.call("run")
    assert imported(project) == [("big.csv", "done", 20000)]
    assert project.tree("done") == {"done/big.csv": BIG.encode()} and project.names("in") == []


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_in_an_upload(project, over, sshd, breaks):
    line = Line(sshd.port)
    over(line=line, timeout="1s", connect_timeout="5s")
    project.call("import", "partner", project.drop("x.csv", BIG, folder="hand"))
    line.limit, line.way, line.breaks = 300_000, "up", breaks
    project.call("run", status=None)
    assert line.broken > 0
    assert [name for name in project.names("out") if ".pattimpex-tmp-" not in name] == [], "half a file is seen"
    line.heal()
    over(line=line)
    project.call("retry", "attachment", "2", status=None)
    project.call("run", status=None)
    assert project.tree("out")["out/all.csv"].count(b"\n") == 20003
    assert [name for name in project.names("out") if ".pattimpex-tmp-" not in name] == ["out/all.csv"]


def test_server_that_is_gone_for_a_while(project, over, sshd):
    line = Line(sshd.port)
    over(line=line)
    project.drop("a.csv")
    line.stop()
    done = project.call("run", status=None)
    assert "cannot be connected to" in done.stdout + done.stderr and done.returncode in (1, 3)
    assert "a.csv" in os.listdir(project.drop_folder / "in")
    over()
    project.call("run", status=None)
    assert project.names("done") == ["done/a.csv"] and imported(project) == [("a.csv", "done", 2)]


# ---------------------------------------------------------------- a server that breaks the rules

def test_server_without_extensions(project, over, scripted):
    over(TASKS.replace("file_name: all.csv", "file_name: all.csv, on_exists: replace"), settings=scripted().settings(project.folder))
    project.drop("all.csv", "old", folder="out")
    project.drop("a.csv")
    project.call("run")
    assert project.names() == ["done/a.csv", "out/all.csv"]
    assert b"dave@x.test" in project.tree("out")["out/all.csv"]


@pytest.mark.parametrize("lie", [5, -5])
def test_size_that_is_a_lie(project, over, scripted, lie):
    server = scripted()
    server.lies["a.csv"] = lie
    over(settings=server.settings(project.folder))
    project.drop("a.csv")
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n")
    done = project.call("run", status=None)
    assert ("fewer" if lie > 0 else "more") in done.stdout + done.stderr
    assert imported(project) == [("b.csv", "done", 1)] and project.names("in") == ["in/a.csv"]
    server.lies.clear()
    project.call("run")
    assert imported(project) == [("b.csv", "done", 1), ("a.csv", "done", 2)]


def test_disk_that_is_full(project, over, scripted):
    server = scripted()
    server.full = True
    over(settings=server.settings(project.folder))
    done = project.call("run", "out", status=None)
    assert "out/all.csv: cannot write: the server says: Failure" in done.stdout + done.stderr
    assert project.names("out") == []
    server.full = False
    project.call("run", "out", status=None)
    assert [name for name in project.names("out")][0] == "out/all.csv"


@pytest.mark.parametrize("ways", [["password"], ["keyboard-interactive"], ["publickey", "keyboard-interactive"]])
def test_password(project, over, scripted, ways):
    server = scripted(ways=ways)
    over(settings=server.settings(project.folder))
    project.call("check")
    assert server.asked == [ways[-1]]


def test_wrong_password_is_tried_once_and_shown_nowhere(project, over, scripted):
    server = scripted(password="the right one")
    over(TASKS.replace("tries: 1", "tries: 3"), settings=server.settings(project.folder).replace("the right one", "hunter2-secret"))
    done = project.call("run", status=None)
    assert "refuses the login of user shop, with the password" in done.stdout + done.stderr
    assert server.asked == ["password", "password"], "once a task"
    check, effective = project.call("check", status=2), project.call("check", "--effective", status=None)
    for shown in (done.stdout, done.stderr, project.dump(), check.stderr, effective.stdout, effective.stderr):
        assert "hunter2" not in shown


def test_server_with_another_key_gets_nothing(project, over, scripted):
    server = scripted()
    settings = server.settings(project.folder)
    hosts = project.folder / "known_hosts"
    other = Scripted(project.drop_folder)
    hosts.write_text(f"[127.0.0.1]:{server.port} {other.key.get_name()} {other.key.get_base64()}\n")
    other.stop()
    over(settings=settings)
    done = project.call("check", status=2)
    assert "somebody may be in between" in done.stderr and server.asked == []
