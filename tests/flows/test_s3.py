# SPDX-License-Identifier: Apache-2.0
"""Both ways over storages of the type s3: the files of the partner are looked at where the server has them."""
import functools
import os
import shutil
import subprocess

import pytest

import both_ways
from s3_servers import KEY, SECRET, S3rver

TASKS = both_ways.TASKS.replace(" stable_for: 0,", "")


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
def behind(project, s3, monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    return functools.partial(s3.settings, project.drop_folder)


@pytest.fixture
def port(s3):
    return s3.port


class TestPickUp(both_ways.PickUp):
    pass


class TestBreakingLines(both_ways.BreakingLines):
    patience = {"timeout": "1s", "connect_timeout": "1s"}


@pytest.mark.parametrize("kind, by_host", [("s3", False), ("simple", False), ("s3", True)])
def test_both_ways(project, over, request, kind, by_host):
    server = request.getfixturevalue(kind)
    more = {"endpoint": f"http://s3.localhost:{server.port}", "addressing": "host"} if by_host else {}
    over(settings=server.settings(project.drop_folder, **more))
    both_ways.check_both_ways(project)


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
