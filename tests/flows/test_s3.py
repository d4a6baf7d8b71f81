# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type s3: the files of the partner are looked at where the server has them."""
import os
import shutil
import subprocess

import pytest

from conftest import BAD, BASE, GOOD, PROGRAM
from s3_servers import KEY, SECRET, S3rver
from server import Server, until
from lines import Line

TASKS = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, retry: {tries: 1}}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, retry: {tries: 1}}
"""
BIG = "name,email#key\n" + "".join(f"Partner number {i} with a long name,p{i}@x.test\n" for i in range(20000))


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    server = S3rver(tmp_path_factory.getbasetemp())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def simple(tmp_path_factory):
    server = S3rver(tmp_path_factory.getbasetemp(), "--no-conditions")
    yield server
    server.stop()


@pytest.fixture
def over(project, s3, monkeypatch):
    """Configures the project with its drop folder behind a server; a line that breaks may be between."""
    monkeypatch.setenv("SECRET", SECRET)
    started = []

    def configure(tasks=TASKS, line=None, server=None, **more):
        if line:
            started.append(line)
        settings = (server or s3).settings(project.drop_folder, port=line.port if line else None, **more)
        project.config(tasks, base=BASE.replace("{type: file, directory: drop}", settings))
    yield configure
    for line in started:
        line.stop()


def imported(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


@pytest.mark.parametrize("kind", ["s3", "simple"])
def test_both_ways(project, over, request, kind):
    over(server=request.getfixturevalue(kind))
    project.call("check")
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.drop("ü + %.csv", "email#key,name\nzoe@x.test,Zoe\n")
    project.call("run", status=1)
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test", "zoe@x.test"]
    assert project.names() == ["done/a.csv", "done/b.csv", "done/ü + %.csv", "errors/b.csv", "out/all.csv"]
    tree = project.tree()
    assert tree["done/a.csv"] == GOOD.encode() and b"#Error" in tree["errors/b.csv"] and b"zoe@x.test" in tree["out/all.csv"]


def test_name_that_is_taken_gets_a_number(project, over):
    over()
    project.drop("a.csv", "old", folder="done")
    project.drop("a.csv")
    project.call("run")
    assert project.tree("done") == {"done/a.csv": b"old", "done/a-1.csv": GOOD.encode()}


@pytest.mark.parametrize("after, left", [("delete", []), ("keep", ["in/a.csv"]), ("{rename}", ["in/seen-a.csv"])])
def test_after_import(project, over, after, left):
    action = "rename, new_name: 'seen-${obj.name}'" if after == "{rename}" else after
    over(f"import_tasks:\n  in: {{storage: drop, path: in, pattern: partner, after_import: {action}}}\n")
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


def test_serve_does_it_by_itself(project, over):
    over(TASKS.replace("retry: {tries: 1}", "schedule: every second") + "serve: {workers: 2}\n")
    with Server(PROGRAM, project.folder, "serve"):
        project.drop("a.csv")
        until("the import", lambda: "dave@x.test" in project.emails())
        until("the file is put away", lambda: project.names("done") == ["done/a.csv"] and not project.names("in"))
        until("the export", lambda: b"dave@x.test" in project.tree("out").get("out/all.csv", b""))
    assert imported(project) == [("a.csv", "done", 2)]


def test_big_files_go_and_move_in_parts(project, over):
    over(part_size="5MiB", copy_limit="5MiB")
    body = os.urandom(11 * 1024 * 1024)
    (project.folder / "big").write_bytes(body)
    project.call("storage", "put", "drop", "big", "deep/er/")
    assert project.tree() == {"deep/er/big": body}
    project.config("import_tasks: {in: {storage: drop, path: deep/er, after_import: move, move_path: done}}\n",
                   base=(project.folder / "pattimpex.yaml").read_text().partition("import_tasks")[0])
    project.call("run")
    assert project.tree() == {"done/big": body}


# ---------------------------------------------------------------- lines that break

@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_in_a_download(project, over, s3, breaks):
    line = Line(s3.port, limit=300_000, breaks=breaks)
    over(line=line, timeout="1s", connect_timeout="1s")
    project.drop("big.csv", BIG)
    done = project.call("run", status=None)
    assert line.broken > 0 and "big.csv" in done.stdout + done.stderr
    assert len(project.emails()) == 2 and imported(project) == []
    line.heal()
    project.call("run")
    assert imported(project) == [("big.csv", "done", 20000)]
    assert project.tree("done") == {"done/big.csv": BIG.encode()} and project.names("in") == []


@pytest.mark.parametrize("breaks", ["drop", "stall"])
def test_line_breaks_in_an_upload(project, over, s3, breaks):
    line = Line(s3.port)
    over(line=line, timeout="1s", connect_timeout="1s")
    project.call("import", "partner", project.drop("x.csv", BIG, folder="hand"))
    line.limit, line.way, line.breaks = 300_000, "up", breaks
    project.call("run", status=None)
    assert line.broken > 0 and project.names("out") == [], "half a file is seen"
    line.heal()
    project.call("retry", "attachment", "2", status=None)
    project.call("run", status=None)
    assert project.tree("out")["out/all.csv"].count(b"\n") == 20003 and project.names("out") == ["out/all.csv"]


# ---------------------------------------------------------------- another program

@pytest.fixture
def rclone(project, s3):
    """Runs rclone on the server's bucket, below the partner's folder."""
    where = f"partner:files/{project.drop_folder.relative_to(s3.root)}"
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": s3.endpoint, "ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET}
    env = {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, "RCLONE_CONFIG": os.devnull,
           **{f"RCLONE_CONFIG_PARTNER_{name}": value for name, value in settings.items()}}

    def run(command, *arguments):
        places = [where + argument[1:] if argument.startswith("@") else argument for argument in map(str, arguments)]
        return subprocess.run(["rclone", command, "--retries", "1", "--low-level-retries", "1", *places], env=env, check=True, capture_output=True, timeout=60).stdout
    return run


@pytest.mark.skipif(not shutil.which("rclone"), reason="needs rclone")
def test_rclone_reads_what_was_written_and_the_other_way(project, over, rclone):
    over(part_size="5MiB")
    small, big = b"a,b\n1,2\n", os.urandom(6 * 1024 * 1024)
    for name, body in (("ü + %.csv", small), ("big", big)):
        (project.folder / name).write_bytes(body)
        project.call("storage", "put", "drop", name, f"ours/{name}")
        assert rclone("cat", f"@/ours/{name}") == body
        rclone("copyto", project.folder / name, f"@/theirs/{name}")
        project.call("storage", "get", "drop", f"theirs/{name}", "-o", "back")
        assert (project.folder / "back").read_bytes() == body
        os.remove(project.folder / "back")
    assert sorted(rclone("lsf", "-R", "@/ours").decode().split("\n")) == ["", "big", "ü + %.csv"]
