# SPDX-License-Identifier: Apache-2.0
"""SIGKILL during imports of workbooks and of JSON, with records within records: every row exactly once.

Which step boundaries are struck is drawn from a seed that each test prints; PATTIMPEX_SEED=N draws the same ones again.
"""
import json
import os
import random
import signal
import sqlite3

import openpyxl
import pytest

from test_kill import ATTEMPTS, Shop

SEED = int(os.environ.get("PATTIMPEX_SEED") or random.SystemRandom().randrange(1_000_000))
KILLS = 8       # of one format
ROWS = 23
BAD = {5, 17}   # rows whose country nobody knows
MORE_SCHEMA = """
ALTER TABLE partner ADD COLUMN parent_id integer REFERENCES partner (id);
CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE partner_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL REFERENCES tag (id),
                          PRIMARY KEY (partner_id, tag_id));
INSERT INTO tag (name) VALUES ('Gold'), ('Silver');
"""
PATTERN = """
    model: partner
    format: KIND
    chunk_size: 3
"""


def items():
    """Children have no key: a row that is loaded twice shows."""
    return [{"email#key": f"p{i}@x.test", "name": f"P{i}", "visits": i, "country_id|code": "XX" if i in BAD else "FR",
             "partner_ids|1|name": f"child of {i}", "partner_ids|1|tag_ids|1|name": "Gold", "partner_ids|2|name": f"other of {i}",
             "tag_ids|1|name": "Silver", "tag_ids|2|name": "Gold"} for i in range(ROWS)]


def nested(item):
    return {**{k: item[k] for k in ("email#key", "name", "visits")}, "country_id": {"code": item["country_id|code"]},
            "partner_ids": [{"name": item["partner_ids|1|name"], "tag_ids": [{"name": "Gold"}]}, {"name": item["partner_ids|2|name"]}],
            "tag_ids": [{"name": "Silver"}, {"name": "Gold"}]}


def write(path, kind):
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(list(items()[0]))
        for item in items():
            book.active.append(list(item.values()))
        book.save(path)
    elif kind == "json":
        path.write_text(json.dumps([nested(item) for item in items()]))
    else:
        path.write_text("".join(json.dumps(item) + "\n" for item in items()))


def make(folder, kind):
    shop = Shop(folder)
    config = shop.folder / "pattimpex.yaml"
    text = config.read_text()
    begin, end = text.index("    model: partner"), text.index("import_tasks:")
    config.write_text(text[:begin].rstrip() + PATTERN.replace("KIND", "xlsx" if kind == "xlsx" else "json") + text[end:text.index("export_tasks:")])
    db = sqlite3.connect(shop.folder / "shop.db")
    db.executescript(MORE_SCHEMA)
    db.close()
    for path in (shop.folder / "drop" / "in").iterdir():
        path.unlink()
    path = shop.folder / "drop" / "in" / f"1.{kind}"
    write(path, kind)
    shop.age(path, 60)
    return shop


def check(shop, kind):
    good = [i for i in range(ROWS) if i not in BAD]
    assert shop.rows("SELECT email, visits FROM partner WHERE parent_id IS NULL AND id > 1 ORDER BY visits") == [(f"p{i}@x.test", i) for i in good]
    children = shop.rows("SELECT p.visits, c.name, (SELECT count(*) FROM partner_tag t WHERE t.partner_id = c.id) FROM partner c"
                         " JOIN partner p ON p.id = c.parent_id ORDER BY p.visits, c.name")
    assert children == [(i, f"{name} of {i}", n) for i in good for name, n in (("child", 1), ("other", 0))]
    assert shop.rows("SELECT count(*) FROM partner_tag") == [(3 * len(good),)]
    assert shop.rows("SELECT f.state, f.n_rows, f.n_created, f.n_failed FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                     " WHERE f.kind = 'import'") == [("failed", ROWS, len(good), len(BAD))]
    assert shop.rows("SELECT count(*) FROM pattimpex_chunk") == [((ROWS + 2) // 3,)]
    assert shop.rows("SELECT kind, state, error FROM pattimpex_job WHERE state <> 'done'") == []
    assert [path.name for path in sorted((shop.folder / "drop" / "done").iterdir())] == [f"1.{kind}"]
    back = shop.folder / "drop" / "errors" / f"1.{kind}"
    # a temporary name that a kill left goes when it is old
    assert [path.name for path in back.parent.iterdir() if not path.name.startswith(".pattimpex-tmp-")] == [back.name]
    if kind == "xlsx":
        rows = list(openpyxl.load_workbook(back).worksheets[0].iter_rows(values_only=True))[1:]
        told = [row[1] for row in rows]
    else:
        text = back.read_text()
        told = [item["email#key"] for item in (json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines()))]
    assert told == [f"p{i}@x.test" for i in sorted(BAD)]


@pytest.mark.parametrize("kind", ["xlsx", "json", "jsonl"])
def test_every_row_exactly_once(kind, tmp_path):
    whole = make(tmp_path / "whole", kind)
    log = whole.folder / "hooks"
    done = whole.run(PATTIMPEX_HOOK_LOG=str(log))
    assert done.returncode == 1, f"{done.stdout}\n{done.stderr}"
    check(whole, kind)
    hooks = log.read_text().split()
    assert len(hooks) > KILLS
    draw = random.Random(f"{SEED} {kind}")
    print(f"PATTIMPEX_SEED={SEED}")
    for number, first in enumerate(sorted(draw.sample(range(1, len(hooks) + 1), KILLS))):
        shop = make(tmp_path / str(number), kind)
        print(f"kill at {first} of {len(hooks)}: {hooks[first - 1]}")
        assert shop.run(PATTIMPEX_KILL_AT=str(first)).returncode == -signal.SIGKILL
        for _ in range(ATTEMPTS):
            shop.run()
            if not shop.unfinished():
                break
        check(shop, kind)
