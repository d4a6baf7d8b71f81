# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type sftp: the files of the partner are looked at where the server has them."""
import functools
import hashlib
import os

import pytest

import both_ways
from both_ways import TASKS, imported, said
from lines import Line
from sftp_servers import Scripted, Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def behind(project, sshd):
    return functools.partial(sshd.settings, project.drop_folder)


@pytest.fixture
def port(sshd):
    return sshd.port


class TestPickUp(both_ways.PickUp):
    pass


class TestBreakingLines(both_ways.BreakingLines):
    words = {"drop": "connection was lost", "stall": "nothing came for 1 s"}

    def seen(self, project):
        return [name for name in project.names("out") if ".pattimpex-tmp-" not in name]


def test_both_ways(project, over):
    over()
    both_ways.check_both_ways(project)


def test_one_connection_for_all_jobs_of_a_run(project, over, sshd):
    over()
    both_ways.check_one_login(project, sshd.logins)


MANY = """
import_tasks:
  in: {storage: drop, path: in, after_import: move, move_path: done, stable_for: 0, retry: {tries: 1}}
"""


def drop_many(project, n):
    """Their names and checksums."""
    texts = {f"{i:03}": bytes([i]) * (i * 300) for i in range(n)}
    for name, text in texts.items():
        project.drop(name, text)
    return sorted((name, hashlib.sha256(text).hexdigest()) for name, text in texts.items())


def kept(project):
    return sorted(map(tuple, project.rows("SELECT name, sha256 FROM pattimpex_attachment WHERE direction = 'import'")))


@pytest.mark.parametrize("limits", [{}, {"handles": 3}, {"piece": 1000}], ids=["none", "handles", "piece"])
def test_small_files_are_begun_together(project, over, scripted, limits):
    server = scripted()
    vars(server).update(limits)
    over(MANY, settings=server.settings(project.folder))
    files = drop_many(project, 80)
    project.call("run")
    assert kept(project) == files and project.names("in") == []
    assert 1 < server.most_open <= server.handles


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_that_breaks_among_small_files(project, over, port, breaks):
    line = Line(port, limit=150_000, breaks=breaks)
    over(MANY, line=line, timeout="1s", connect_timeout="5s")
    files = drop_many(project, 40)
    project.call("run", status=None)
    assert line.broken > 0 and set(kept(project)) < set(files)
    line.heal()
    over(MANY, line=line)
    project.call("run")
    assert kept(project) == files and project.names("in") == []


def files_here(project, n):
    """Files beside the configuration: their names, and what is at the server when all were put."""
    texts = {f"{i:03}.bin": bytes([i % 256]) * (i * 200) for i in range(n)}
    for name, text in texts.items():
        (project.folder / name).write_bytes(text)
    return list(texts), {f"out/{name}": text for name, text in texts.items()}


@pytest.mark.parametrize("limits", [{}, {"handles": 3}], ids=["none", "handles"])
def test_small_files_are_put_together(project, over, scripted, limits):
    server = scripted()
    vars(server).update(limits)
    over(MANY, settings=server.settings(project.folder))
    names, expected = files_here(project, 30)
    project.call("storage", "put", "drop", *names, "out/")
    assert project.tree() == expected and 1 < server.most_open <= server.handles
    assert server.open == 0


def test_small_files_for_a_disk_that_is_full(project, over, scripted):
    server = scripted()
    server.full = True
    over(MANY, settings=server.settings(project.folder))
    names, expected = files_here(project, 5)
    done = project.call("storage", "put", "drop", *names, "out/", status=None)
    assert done.stderr.count("cannot write: the server says: Failure") == 4 and project.tree() == {"out/000.bin": b""}
    server.full = False
    project.call("storage", "put", "drop", *names, "out/")
    assert project.tree() == expected


@pytest.mark.parametrize("connections, most, expected", [(4, None, range(2, 5)), (1, None, [1]), (4, 1, [2, 3, 4])], ids=["many", "one", "refused"])
def test_many_small_files_over_several_connections(project, over, port, connections, most, expected):
    line = Line(port, most=most)
    over(MANY, line=line, connections=connections)
    names, everything = files_here(project, 150)
    project.call("storage", "put", "drop", *names, "out/")
    assert project.tree() == everything and line.opened in expected


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_that_breaks_while_small_files_are_put(project, over, port, breaks):
    line = Line(port, limit=200_000, way="up", breaks=breaks)
    over(MANY, line=line, timeout="1s", connect_timeout="5s", connections=1)
    names, expected = files_here(project, 80)
    done = project.call("storage", "put", "drop", *names, "out/", status=None)
    there = {name: text for name, text in project.tree().items() if ".pattimpex-tmp-" not in name}
    assert line.broken > 0 and done.returncode != 0 and there.items() < expected.items()
    line.heal()
    project.call("storage", "put", "drop", *names, "out/")
    assert {name: text for name, text in project.tree().items() if ".pattimpex-tmp-" not in name} == expected


def test_lines_that_break_one_by_one(project, over, port):
    line = Line(port, limit=100_000, way="up")
    over(MANY, line=line)
    names, expected = files_here(project, 80)
    project.call("storage", "put", "drop", *names, "out/", status=None)
    there = {name: text for name, text in project.tree().items() if ".pattimpex-tmp-" not in name}
    assert line.broken > 0 and there.items() <= expected.items()
    line.heal()
    project.call("storage", "put", "drop", *names, "out/")
    assert {name: text for name, text in project.tree().items() if ".pattimpex-tmp-" not in name} == expected


def test_server_that_does_not_answer_is_not_waited_for_by_each_file(project, over, port):
    line = Line(port, limit=10, way="down", breaks="stall")
    over(MANY, line=line, connect_timeout="1s")
    names, _ = files_here(project, 150)
    done = project.call("storage", "put", "drop", *names, "out/", status=None)
    assert "and 140 more files were not put" in done.stderr and project.tree() == {}
    assert 0 < line.opened <= 2


def drop_large(project):
    """Of no round size. Its name and checksum."""
    content = os.urandom(1_300_001)
    project.drop("large", content)
    return [("large", hashlib.sha256(content).hexdigest())]


@pytest.mark.parametrize("piece", [1 << 20, 20_000], ids=["whole", "less"])
def test_large_file_of_which_a_server_answers_as_it_likes(project, over, scripted, piece):
    server = scripted()
    server.piece = piece
    over(MANY, settings=server.settings(project.folder))
    files = drop_large(project)
    project.call("run")
    assert kept(project) == files and project.names("in") == []


@pytest.mark.parametrize("most, asked", [(0, 32_768), (1 << 30, 261_120), (100_000, 100_000)])
def test_large_file_is_asked_for_in_pieces_as_large_as_the_server_gives(project, over, scripted, most, asked):
    server = scripted()
    server.most_read = most
    over(MANY, settings=server.settings(project.folder))
    files = drop_large(project)
    project.call("run")
    assert kept(project) == files
    assert max(server.reads) == asked


def test_path_that_is_missing_is_empty(project, over):
    over(TASKS.replace("path: in", "path: not/yet"))
    project.call("run")
    assert project.names() == ["out/all.csv"]


def test_server_that_is_gone_for_a_while(project, over, sshd):
    line = Line(sshd.port)
    over(line=line)
    project.drop("a.csv")
    line.stop()
    done = project.call("run", status=None)
    assert "cannot be connected to" in said(done) and done.returncode in (1, 3)
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


@pytest.mark.parametrize("algorithms", ["default", "strict", "legacy"])
def test_server_with_counter_ciphers_alone(project, over, scripted, algorithms):
    over(settings=scripted().settings(project.folder, algorithms=algorithms))
    done = project.call("storage", "ls", "drop", status=None)
    assert (done.returncode == 0) == (algorithms != "strict") and ("cannot begin an SSH connection" in said(done)) == (algorithms == "strict")


@pytest.mark.parametrize("lie", [5, -5])
def test_size_that_is_a_lie(project, over, scripted, lie):
    server = scripted()
    server.lies["a.csv"] = lie
    over(settings=server.settings(project.folder))
    project.drop("a.csv")
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n")
    done = project.call("run", status=None)
    assert ("fewer" if lie > 0 else "more") in said(done)
    assert imported(project) == [("b.csv", "done", 1)] and project.names("in") == ["in/a.csv"]
    server.lies.clear()
    project.call("run")
    assert imported(project) == [("b.csv", "done", 1), ("a.csv", "done", 2)]


def test_disk_that_is_full(project, over, scripted):
    server = scripted()
    server.full = True
    over(settings=server.settings(project.folder))
    done = project.call("run", "out", status=None)
    assert "out/all.csv: cannot write: the server says: Failure" in said(done)
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
    assert "refuses the login of user shop, with the password" in said(done)
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
