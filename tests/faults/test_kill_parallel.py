# SPDX-License-Identifier: Apache-2.0
"""process_multi: SIGKILL at every step boundary of split, chunks and finish; also of one of several programs that work on the same file."""
import functools
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
from server import run_at_once  # noqa: E402  (the path comes first)
from test_kill import ATTEMPTS, CONFIG, PROGRAM, TWO_DAYS, Shop, undisturbed_in

SEEDS = range(int(os.environ.get("KILL_SEEDS", "6")))
FILES = {
    "1.csv": "email#key,name,country_id|code\n" + "".join(
        f"{'abcdefg'[n % 7]}@x.test,{'' if n == 9 else f'Name {n}'},{'XX' if n == 4 else 'FR'}\n" for n in range(14)),
    "2.csv": "email#key,visits\ncarol@x.test,7\n",
}


def parallel_shop(folder, url=None):
    shop = Shop(folder, url=url)
    for path in (shop.folder / "drop" / "in").iterdir():
        path.unlink()
    config = CONFIG.split("export_tasks")[0].replace("chunk_size: 2", "chunk_size: 3\n    process_multi: 2")
    shop.configure(config)
    for name, text in FILES.items():
        shop.drop(name, text)
    return shop


def spools(shop):
    return sorted(str(path.relative_to(shop.folder)) for path in (shop.folder / "filestore" / "spools").glob("*"))


def outcome(shop):
    messages = shop.rows("SELECT json_extract(m.value, '$[0]'), json_extract(m.value, '$[4]')"
                         " FROM pattimpex_chunk c, json_each(c.messages) m ORDER BY 1, 2")
    return {**shop.outcome(), "messages": messages}


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder:
        shop = parallel_shop(folder)
        hooks = undisturbed_in(shop)[0]
        assert spools(shop) == []
        return hooks, outcome(shop)


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        hooks = undisturbed()[0]
        first, last = hooks.index("split-written"), len(hooks) - 1 - hooks[::-1].index("finish-committed")
        metafunc.parametrize("kill_at", range(first, last + 2), ids=[f"{n}-{hooks[n - 1]}" for n in range(first, last + 2)])


def run_to_the_end(shop):
    for _ in range(ATTEMPTS):
        again = shop.run()
        assert again.returncode in (0, 1), f"exit {again.returncode}\n{again.stdout}\n{again.stderr}"
        if not shop.unfinished():
            break
    expected, found = undisturbed()[1], outcome(shop)
    for what, wanted in expected.items():
        assert found[what] == wanted, what


def check_left_spools(shop):
    """What a killed split left is removed when it is old, by the next file that is finished."""
    if not spools(shop):
        return
    for path in (shop.folder / "filestore" / "spools").glob("*"):
        shop.age(path, TWO_DAYS)
    shop.drop("3.csv", FILES["1.csv"].replace("@x.test", "@y.test"))
    shop.run()
    assert spools(shop) == []


def test_steps_are_passed():
    hooks, found = undisturbed()
    assert {"split-written", "split-committed", "part-filled", "part-committed", "finish-begun", "finish-committed"} <= set(hooks)
    assert ("1.csv", "failed", 14, 7, 5, 0, 2, 0) in found["imported"]
    assert [row for row, _ in found["messages"]] == [2, 6, 11]


def test_kill(kill_at, tmp_path):
    shop = parallel_shop(tmp_path)
    killed = shop.run(PATTIMPEX_KILL_AT=str(kill_at))
    assert killed.returncode == -signal.SIGKILL, f"was not killed\n{killed.stdout}\n{killed.stderr}"
    run_to_the_end(shop)
    check_left_spools(shop)


@pytest.mark.parametrize("seed", SEEDS)
def test_kill_one_of_several(seed, tmp_path):
    """Whoever comes to the hook, behind the split, that is drawn; hooks are counted over all three."""
    shop = parallel_shop(tmp_path)
    hooks = undisturbed()[0]
    kill_at = random.Random(seed).randrange(hooks.index("split-committed") + 2, len(hooks))
    counted = tmp_path / "hooks"
    several = {"PATTIMPEX_KILL_AT": str(kill_at), "PATTIMPEX_KILL_COUNT": str(counted)}
    held = run_at_once(PROGRAM, shop, workers=3, environments=[several] * 3)
    assert counted.stat().st_size >= kill_at, "nobody was killed"
    assert held > 1, "one worker did all"
    run_to_the_end(shop)
    check_left_spools(shop)


# ---- by hand

def one_file_shop(folder):
    shop = parallel_shop(folder)
    (shop.folder / "drop" / "in" / "2.csv").unlink()
    return shop


@functools.cache
def hooks_of_one_file():
    with tempfile.TemporaryDirectory() as folder:
        shop = one_file_shop(folder)
        log = shop.folder / "hooks"
        shop.run(PATTIMPEX_HOOK_LOG=str(log))
        return log.read_text().split()


def split_shop(folder):
    """Killed when the rows have been spread and no chunk is loaded yet."""
    shop = one_file_shop(folder)
    killed = shop.run(PATTIMPEX_KILL_AT=str(hooks_of_one_file().index("split-committed") + 1))
    assert killed.returncode == -signal.SIGKILL
    assert shop.rows("SELECT DISTINCT state FROM pattimpex_chunk") == [("pending",)], "not killed behind the split"
    return shop


def call(shop, *arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=shop.folder, text=True, capture_output=True, timeout=120)


def file_row(shop):
    return shop.rows("SELECT state, n_rows, n_failed FROM pattimpex_file")


def test_failed_chunk_holds_its_part_until_it_is_retried(tmp_path):
    shop = split_shop(tmp_path)
    (spool,) = (shop.folder / "filestore" / "spools").iterdir()
    (spool / "0").rename(shop.folder / "kept")
    failed = shop.run()
    assert failed.returncode == 1
    ((state, rows, _),) = file_row(shop)
    assert state == "failed" and 0 < rows < 14
    ((job, error),) = shop.rows("SELECT id, error FROM pattimpex_job WHERE kind = 'chunk' AND state = 'failed'")
    assert "spools" in error and "retry the whole file" in error
    shown = call(shop, "files", "1").stdout
    assert "1 failed" in shown and f"(job {job})" in shown
    refused = call(shop, "retry", "1", "--failed")
    assert refused.returncode == 2 and "chunks that were not loaded" in refused.stderr
    assert spool.is_dir(), "the rows that were not loaded are kept"
    (shop.folder / "kept").rename(spool / "0")
    call(shop, "retry", "job", str(job))
    shop.run()
    assert file_row(shop) == [("failed", 14, 2)]
    assert shop.rows("SELECT error FROM pattimpex_file") == [(None,)]
    assert shop.rows("SELECT count(*) FROM pattimpex_job WHERE state <> 'done'") == [(0,)]
    assert shop.rows("SELECT name, email FROM partner WHERE id > 1 ORDER BY email") == [
        ("Name 7", "a@x.test"), ("Name 8", "b@x.test"), ("Name 2", "c@x.test"), ("Name 10", "d@x.test"), ("Name 11", "e@x.test"),
        ("Name 12", "f@x.test"), ("Name 13", "g@x.test")]
    assert spools(shop) == []


def test_chunk_that_is_set_done_is_left_out(tmp_path):
    shop = split_shop(tmp_path)
    ((job, rows),) = shop.rows("SELECT job_id, n_rows FROM pattimpex_chunk WHERE job_id IS NOT NULL ORDER BY job_id LIMIT 1")
    assert call(shop, "set-done", "job", str(job)).returncode == 0
    shop.run()
    ((state, loaded, _),) = file_row(shop)
    assert state in ("done", "failed") and loaded == 14 - rows
    assert shop.rows("SELECT count(*) FROM pattimpex_job WHERE state <> 'done'") == [(0,)]


def test_cancelled_file_is_not_continued(tmp_path):
    shop = split_shop(tmp_path)
    assert call(shop, "cancel", "1").returncode == 0
    shop.run()
    assert file_row(shop) == [("cancelled", 0, 0)]
    assert shop.rows("SELECT DISTINCT state FROM pattimpex_chunk") == [("cancelled",)]
    assert set(shop.rows("SELECT state FROM pattimpex_job WHERE kind IN ('chunk', 'finish')")) == {("cancelled",)}
    assert shop.rows("SELECT count(*) FROM partner") == [(1,)]


def test_cancelled_chunk_ends_the_file_as_failed(tmp_path):
    shop = split_shop(tmp_path)
    ((job,),) = shop.rows("SELECT job_id FROM pattimpex_chunk WHERE job_id IS NOT NULL ORDER BY job_id LIMIT 1")
    assert call(shop, "cancel", "job", str(job)).returncode == 0
    shop.run()
    ((error,),) = shop.rows("SELECT error FROM pattimpex_file WHERE state = 'failed'")
    assert f"retry job {job}" in error
    call(shop, "retry", "job", str(job))
    shop.run()
    assert file_row(shop) == [("failed", 14, 2)]


def test_whole_file_is_tried_again(tmp_path):
    shop = split_shop(tmp_path)
    (spool,) = (shop.folder / "filestore" / "spools").iterdir()
    (spool / "1").unlink()
    shop.run()
    call(shop, "retry", "1")
    assert shop.rows("SELECT state, n_rows, n_failed FROM pattimpex_file ORDER BY id")[1] == ("failed", 14, 2)
    check_left_spools(shop)
