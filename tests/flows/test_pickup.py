# SPDX-License-Identifier: Apache-2.0
"""Which files of a storage are taken when, alike over every type of storage."""
import pytest

from conftest import BASE, GOOD, PROGRAM
from server import Server, until
from sftp_servers import Sshd

ZOE = "email#key,name\nzoe@x.test,Zoe\n"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(params=["file", "sftp"])
def shop(request, project, sshd):
    """A project whose task has these settings: shop.task("order: time")."""
    storage = {"file": "{type: file, directory: drop}", "sftp": sshd.settings(project.drop_folder)}[request.param]
    project.type = request.param

    def task(more="stable_for: 0", action="after_import: move, move_path: done", path="in"):
        project.config(f"import_tasks:\n  in: {{storage: drop, path: {path}, pattern: partner, {action}, {more}}}\n",
                       base=BASE.replace("{type: file, directory: drop}", storage))
    project.task = task
    return project


def fetched(project):
    return [name for (name,) in project.rows("SELECT name FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id")]


def test_clock_of_a_server_is_not_believed(shop):
    shop.task("stable_for: 1s")
    shop.drop("a.csv", age=7200)
    done = shop.call("run", "--wait", "0")
    if shop.type == "file":
        assert shop.names() == ["done/a.csv"]
        return
    assert "1 file still being written" in done.stdout and shop.names() == ["in/a.csv"]
    shop.drop("a.csv", GOOD + "erin@x.test,5,6,FR\n", age=7200)
    shop.call("run", "--wait", "0")
    assert shop.names() == ["in/a.csv"], "taken although it has changed since the last listing"
    shop.call("run")
    assert shop.names() == ["done/a.csv"]


def test_serve_lists_again_what_it_saw_for_the_first_time(project, sshd):
    project.config("import_tasks:\n  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, stable_for: 1s,"
                   " schedule: '0 0 29 2 *'}\nserve: {workers: 1}\n", base=BASE.replace("{type: file, directory: drop}", sshd.settings(project.drop_folder)))
    project.drop("a.csv")
    project.call("run", "--wait", "0")
    project.execute("DELETE FROM pattimpex_sighting")
    project.execute("UPDATE pattimpex_job SET state = 'pending' WHERE kind = 'fetch'")
    with Server(PROGRAM, project.folder, "serve"):
        until("the import", lambda: "dave@x.test" in project.emails())
    assert project.names() == ["done/a.csv"]


def test_folder_that_is_missing_is_told_and_empty(shop):
    shop.task(path="not/yet")
    assert "in: nothing to fetch: the storage has no folder not/yet" in shop.call("run").stdout
    assert shop.json("run")["jobs"][0]["missing_path"] == "not/yet"
