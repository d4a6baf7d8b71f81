# SPDX-License-Identifier: Apache-2.0
"""Which files of a storage are taken when, alike over every type of storage."""
import pytest

from conftest import BAD, BASE, GOOD, PROGRAM
from ftp_servers import Vsftpd
from s3_servers import SECRET, S3rver
from server import Server, until
from sftp_servers import Sshd

ZOE = "email#key,name\nzoe@x.test,Zoe\n"


STARTERS = {
    "sftp": lambda folders: Sshd(folders.mktemp("sshd")),
    "ftp": lambda folders: Vsftpd(folders.mktemp("vsftpd")),
    "s3": lambda folders: S3rver(folders.getbasetemp()),
}
everywhere = pytest.mark.parametrize("shop", ["file", *STARTERS], indirect=True)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """By the type of storage; each is started with its first use."""
    started = {}

    def get(kind):
        if kind not in started:
            started[kind] = STARTERS[kind](tmp_path_factory)
        return started[kind]
    yield get
    for server in started.values():
        server.stop()


@pytest.fixture
def shop(request, project, servers, monkeypatch):
    """A project whose task has these settings: shop.task("order: time"); in a folder, or everywhere."""
    project.type = getattr(request, "param", "file")
    monkeypatch.setenv("SECRET", SECRET)
    storage = "{type: file, directory: drop}" if project.type == "file" else servers(project.type).settings(project.drop_folder)

    def task(more="stable_for: 0", action="after_import: move, move_path: done", path="in"):
        project.config(f"import_tasks:\n  in: {{storage: drop, path: {path}, pattern: partner, {action}, {more}}}\n",
                       base=BASE.replace("{type: file, directory: drop}", storage))
    project.task = task
    return project


def fetched(project):
    return [name for (name,) in project.rows("SELECT name FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id")]


@everywhere
def test_clock_of_a_server_is_not_believed(shop):
    shop.task("stable_for: 1s")
    shop.drop("a.csv", age=7200)
    done = shop.call("run", "--wait", "0")
    if shop.type in ("file", "s3"):     # our own clock; a store that shows no half-written file
        assert shop.names() == ["done/a.csv"]
        return
    assert "1 file still being written" in done.stdout and shop.names() == ["in/a.csv"]
    shop.drop("a.csv", GOOD + "erin@x.test,5,6,FR\n", age=7200)
    shop.call("run", "--wait", "0")
    assert shop.names() == ["in/a.csv"], "taken although it has changed since the last listing"
    shop.call("run")
    assert shop.names() == ["done/a.csv"]


def test_serve_lists_again_what_it_saw_for_the_first_time(project, servers):
    project.config("import_tasks:\n  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, stable_for: 1s,"
                   " schedule: '0 0 29 2 *'}\nserve: {workers: 1}\n",
                   base=BASE.replace("{type: file, directory: drop}", servers("sftp").settings(project.drop_folder)))
    project.drop("a.csv")
    project.call("run", "--wait", "0")
    project.execute("DELETE FROM pattimpex_sighting")
    project.execute("UPDATE pattimpex_job SET state = 'pending' WHERE kind = 'fetch'")
    with Server(PROGRAM, project.folder, "serve"):
        until("the import", lambda: "dave@x.test" in project.emails())
    assert project.names() == ["done/a.csv"]


@everywhere
def test_folder_that_is_missing_is_told_and_empty(shop):
    shop.task(path="not/yet")
    assert "in: nothing to fetch: the storage has no folder not/yet" in shop.call("run").stdout
    assert shop.json("run")["jobs"][0]["missing_path"] == "not/yet"


# ---------------------------------------------------------------- which files

def test_regular_expression_is_of_the_whole_name(shop):
    shop.task(r"stable_for: 0, files_regex: 'a\d+\.csv'")
    for name in ("a1.csv", "a22.csv", "xa1.csv", "a1.csv.part", "a.csv"):
        shop.drop(name, f"email#key,name\n{name}@x.test,N\n")
    shop.call("run")
    assert shop.names() == ["done/a1.csv", "done/a22.csv", "in/a.csv", "in/a1.csv.part", "in/xa1.csv"]


def test_wrong_settings_are_told(project):
    def check(more):
        project.config(f"import_tasks:\n  in: {{storage: drop, path: in, pattern: partner, {more}}}\n")
        return project.call("check", status=2).stderr
    assert "files_regex" in check("files_regex: '(a'")
    assert "files and files_regex both say" in check("files: '*.csv', files_regex: 'a.*'")
    assert "write one such as \"${obj.name}.done\"" in check("ready_file: done")
    assert "the file itself" in check("ready_file: '${obj.name}'")
    assert "write ${obj.name}, ${obj.stem} or ${obj.suffix}" in check("ready_file: '${obj.id}.done'")
    assert "-time" in check("order: newest")


@pytest.mark.parametrize("order, names", [("name", "acb"), ("-name", "bca"), ("time", "bac"), ("-time", "cab")])
def test_order(shop, order, names):
    shop.task(f"stable_for: 0, order: {order}")
    for name, age in (("1-a.csv", 200), ("2-c.csv", 100), ("3-b.csv", 300)):
        shop.drop(name, f"email#key,name\n{name}@x.test,N\n", age=age)
    shop.call("run")
    assert [name[2] for name in fetched(shop)] == list(names)


def test_max_files_leaves_the_rest_for_the_next_run(shop):
    shop.task("stable_for: 0, max_files: 2")
    for n in range(5):
        shop.drop(f"{n}.csv", f"email#key,name\nn{n}@x.test,N\n")
    assert "2 files fetched, 3 files left for the next run" in shop.call("run").stdout
    assert shop.names("in") == ["in/2.csv", "in/3.csv", "in/4.csv"]
    shop.call("run")
    assert shop.json("run")["jobs"][0]["left"] == 0
    assert shop.names("in") == [] and fetched(shop) == [f"{n}.csv" for n in range(5)]


# ---------------------------------------------------------------- sub-folders

def test_sub_folders_are_left_alone(shop):
    shop.task()
    shop.drop("a.csv", folder="in/sub")
    shop.call("run")
    assert shop.names() == ["in/sub/a.csv"]


@everywhere
def test_recursive_keeps_the_sub_folders(shop):
    shop.task("stable_for: 0, recursive: true, error_path: errors")
    shop.drop("a.csv", BAD, folder="in/x/y")
    shop.drop("a.csv", ZOE, folder="in/ü + %")
    shop.drop("a.csv")
    shop.drop("b.csv", folder="in/.hidden")
    shop.call("run", status=1)
    assert shop.names() == ["done/a.csv", "done/x/y/a.csv", "done/ü + %/a.csv", "errors/x/y/a.csv", "in/.hidden/b.csv"]
    assert shop.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test", "zoe@x.test"]


def test_what_was_put_away_beneath_is_not_fetched_again(shop):
    shop.task("stable_for: 0, recursive: true, error_path: in/errors", action="after_import: move, move_path: in/done")
    shop.drop("a.csv", BAD, folder="in/x")
    for status in (1, 0):
        shop.call("run", status=status)
    assert shop.names() == ["in/done/x/a.csv", "in/errors/x/a.csv"] and fetched(shop) == ["a.csv"]


def test_same_name_in_another_folder_is_another_file(shop):
    shop.task("stable_for: 0, recursive: true, avoid_duplicates: name")
    shop.drop("a.csv", folder="in/x")
    shop.call("run")
    shop.drop("a.csv", ZOE, folder="in/y")
    shop.drop("a.csv", folder="in/x")
    shop.call("run")
    assert shop.names() == ["done/x/a.csv", "done/y/a.csv", "in/x/a.csv"]


# ---------------------------------------------------------------- ready files

READY = "stable_for: 0, ready_file: '${obj.name}.done'"


@everywhere
def test_file_waits_for_its_ready_file(shop):
    shop.task(READY)
    shop.drop("a.csv")
    assert "1 file not ready yet" in shop.call("run").stdout
    assert shop.names() == ["in/a.csv"]
    shop.drop("a.csv.done", "")
    shop.drop("b.csv.done", "")
    shop.call("run")
    assert shop.names() == ["done/a.csv", "done/a.csv.done", "in/b.csv.done"]
    shop.drop("a.csv", ZOE)
    shop.call("run")
    assert shop.names("in") == ["in/a.csv", "in/b.csv.done"], "taken by the ready file of the one before"
    shop.drop("a.csv.done", "")
    shop.call("run")
    assert shop.names() == ["done/a-1.csv", "done/a-1.csv.done", "done/a.csv", "done/a.csv.done", "in/b.csv.done"]


@pytest.mark.parametrize("action, left", [
    ("after_import: delete", []),
    ("after_import: keep", ["in/a.csv", "in/a.ok"]),
    ("after_import: rename, new_name: 'seen-${obj.name}'", ["in/seen-a.csv", "in/seen-a.ok"]),
])
def test_ready_file_goes_with_its_file(shop, action, left):
    shop.task("stable_for: 0, ready_file: '${obj.stem}.ok'", action=action)
    shop.drop("a.csv")
    shop.drop("a.ok", "")
    for _ in range(2):
        shop.call("run")
    assert shop.names() == left and fetched(shop) == ["a.csv"]


# ---------------------------------------------------------------- what was imported before

@pytest.mark.parametrize("avoid, taken", [("no", 4), ("name", 2), ("content", 2)])
def test_duplicates(project, avoid, taken):
    project.config("import_tasks:\n  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done,"
                   f" avoid_duplicates: {avoid}}}\n")
    for name, text in (("a.csv", GOOD), ("a.csv", GOOD), ("a.csv", ZOE), ("b.csv", GOOD)):
        project.drop(name, text)
        project.call("run")
    assert project.rows("SELECT count(*) FROM pattimpex_file WHERE kind = 'import'") == [(taken,)]
    contents = project.rows("SELECT count(*) FROM pattimpex_attachment WHERE state = 'done'")
    assert contents == [(taken,)] and ("zoe@x.test" in project.emails()) == (avoid != "name")
