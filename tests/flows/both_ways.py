# SPDX-License-Identifier: Apache-2.0
"""What both ways do over a server, whichever its type: a class of tests is taken over by the file of each type, whose fixtures are its servers.

That file has TASKS, and the fixture `behind`: settings of a storage on the partner's folder, from what is to be set otherwise (port ...)."""
import pytest

from conftest import BAD, GOOD, PROGRAM
from lines import Line
from server import Server, until

TASKS = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, stable_for: 0, retry: {tries: 1}}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, retry: {tries: 1}}
"""
BIG = "name,email#key\n" + "".join(f"Partner number {i} with a long name,p{i}@x.test\n" for i in range(20000))


def imported(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


def said(done):
    return done.stdout + done.stderr


def check_both_ways(project):
    project.call("check")
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.drop("ü + %.csv", "email#key,name\nzoe@x.test,Zoe\n")
    project.call("run", status=1)
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test", "zoe@x.test"]
    assert project.names() == ["done/a.csv", "done/b.csv", "done/ü + %.csv", "errors/b.csv", "out/all.csv"]
    tree = project.tree()
    assert tree["done/a.csv"] == GOOD.encode() and b"#Error" in tree["errors/b.csv"] and b"zoe@x.test" in tree["out/all.csv"]


def check_one_login(project, logins):
    """logins: how often somebody has logged in so far."""
    for n in range(5):
        project.drop(f"{n}.csv", BAD if n == 3 else f"email#key,name\nn{n}@x.test,N{n}\n")
    before = logins()
    project.call("run", status=1)
    assert project.names("errors") == ["errors/3.csv"] and project.names("out") == ["out/all.csv"]
    assert logins() == before + 1


class PickUp:
    """What becomes of a file that is taken."""

    def test_name_that_is_taken_gets_a_number(self, project, over):
        over()
        project.drop("a.csv", "old", folder="done")
        project.drop("a.csv")
        project.call("run")
        assert project.tree("done") == {"done/a.csv": b"old", "done/a-1.csv": GOOD.encode()}

    @pytest.mark.parametrize("after, left", [("delete", []), ("keep", ["in/a.csv"]), ("{rename}", ["in/seen-a.csv"])])
    def test_after_import(self, project, over, request, after, left):
        action = "rename, new_name: 'seen-${obj.name}'" if after == "{rename}" else after
        tasks = request.module.TASKS.partition("export_tasks")[0]
        over(tasks.replace("after_import: move, move_path: done", f"after_import: {action}"))
        project.drop("a.csv")
        project.call("run")
        project.call("run")
        assert project.names() == left
        assert imported(project) == [("a.csv", "done", 2)]

    def test_duplicates_by_content(self, project, over, request):
        over(request.module.TASKS.replace("pattern: partner, after", "pattern: partner, avoid_duplicates: content, after"))
        project.drop("a.csv")
        project.call("run")
        project.drop("again.csv")
        project.call("run")
        assert imported(project) == [("a.csv", "done", 2)]
        assert project.rows("SELECT name, state FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id") == [
            ("a.csv", "done"), ("again.csv", "duplicate")]

    def test_serve_does_it_by_itself(self, project, over, request):
        over(request.module.TASKS.replace("retry: {tries: 1}", "schedule: every second") + "serve: {workers: 2}\n")
        with Server(PROGRAM, project.folder, "serve"):
            project.drop("a.csv")
            until("the import", lambda: "dave@x.test" in project.emails())
            until("the file is put away", lambda: project.names("done") == ["done/a.csv"] and not project.names("in"))
            until("the export", lambda: b"dave@x.test" in project.tree("out").get("out/all.csv", b""))
        assert imported(project) == [("a.csv", "done", 2)]


class BreakingLines:
    """The fixture `port` is the server's. words: what is told of each way to break."""
    patience = {"timeout": "1s", "connect_timeout": "5s"}
    words = {"drop": "", "stall": ""}

    def seen(self, project):
        """Of what lies in out, what a partner would take for a file."""
        return project.names("out")

    @pytest.mark.parametrize("breaks", ["drop", "stall"])
    def test_download(self, project, over, port, breaks):
        line = Line(port, limit=300_000, breaks=breaks)
        over(line=line, **self.patience)
        project.drop("big.csv", BIG)
        done = project.call("run", status=None)
        assert line.broken > 0 and "big.csv" in said(done) and self.words[breaks] in said(done)
        assert len(project.emails()) == 2 and imported(project) == []
        line.heal()
        over(line=line)     # a machine that is busy may be silent for a second
        project.call("run")
        assert imported(project) == [("big.csv", "done", 20000)]
        assert project.tree("done") == {"done/big.csv": BIG.encode()} and project.names("in") == []

    @pytest.mark.parametrize("breaks", ["drop", "stall"])
    def test_upload(self, project, over, port, breaks):
        line = Line(port)
        over(line=line, **self.patience)
        project.call("import", "partner", project.drop("x.csv", BIG, folder="hand"))
        line.limit, line.way, line.breaks = 300_000, "up", breaks
        project.call("run", status=None)
        assert line.broken > 0 and self.seen(project) == [], "half a file is seen"
        line.heal()
        over(line=line)
        project.call("retry", "attachment", "2", status=None)
        project.call("run", status=None)
        assert project.tree("out")["out/all.csv"].count(b"\n") == 20003 and self.seen(project) == ["out/all.csv"]
