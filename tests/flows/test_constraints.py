# SPDX-License-Identifier: Apache-2.0
"""What the database enforces, told in the user's words: field, value and row, of every bad row."""
import json

import pytest

from conftest import BASE, in_postgres_words

HEAD = BASE.partition("patterns:")[0]
TABLES = """
CREATE TABLE zone (id integer PRIMARY KEY, code text NOT NULL UNIQUE);
INSERT INTO zone VALUES (1, 'EU'), (2, 'US');
CREATE TABLE item (
    id integer PRIMARY KEY, code text NOT NULL UNIQUE, name text NOT NULL, price numeric(10, 2) CHECK (price >= 0), qty integer, most integer,
    zone text REFERENCES zone (code) DEFERRABLE, country_id integer REFERENCES country (id), brand text, sku text, lot text COLLATE NOCASE,
    CONSTRAINT qty_fits CHECK (qty <= most), UNIQUE (brand, sku));
CREATE UNIQUE INDEX lower_lot ON item (lower(lot)) WHERE lot IS NOT NULL;
CREATE TRIGGER no_devil BEFORE INSERT ON item WHEN new.name = 'devil' BEGIN SELECT RAISE(ABORT, 'the devil is not welcome'); END;
CREATE TABLE part (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES item (id), label text NOT NULL, weight real CHECK (weight > 0));
"""
TRIGGER = TABLES[TABLES.index("CREATE TRIGGER"):TABLES.index("CREATE TABLE part ")]
POSTGRES_TABLES = "CREATE EXTENSION citext;" + in_postgres_words(TABLES).replace("text COLLATE NOCASE", "citext").replace(TRIGGER, """
CREATE FUNCTION no_devil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the devil is not welcome'; END $$;
CREATE TRIGGER no_devil BEFORE INSERT ON item FOR EACH ROW WHEN (new.name = 'devil') EXECUTE FUNCTION no_devil();
""")
CONFIG = """
models:
  item: {label: Article, fields: {price: {label: Sales Price}, most: {label: Limit}}}
patterns:
  item: {model: item, format: csv, chunk_size: CHUNK}
  few: {model: item, format: csv, chunk_size: 2, max_errors: 3}
"""
# PostgreSQL keeps rules as it has understood them, and all of them have names.
POSTGRES_RULES = {"price >= 0 of": "item_price_check (price >= (0)::numeric) of", "weight > 0 of": "part_weight_check (weight > (0)::double precision) of",
                  "used <= size of": "bin_check (used <= size) of"}
HEADER = "code#key,name,price,qty,most,zone,country_id|.id,brand,sku,lot,part_ids|1|label,part_ids|1|weight"
ROWS = [
    ("a,Good,1,1,2,EU,1,B,1,L1,p,1", []),
    ("b,,1,1,2,EU,1,,,,,", [("name", "Name", "required", "Name: must not be empty")]),
    ("c,Neg,-5,1,2,EU,1,,,,,", [(None, "Sales Price", "check", "Sales Price: -5 breaks the rule price >= 0 of the database")]),
    ("d,Over,1,9,2,EU,1,,,,,", [(None, None, "check", "Qty 9, Limit 2 break the rule qty_fits (qty <= most) of the database")]),
    ("e,Zone,1,1,2,XX,1,,,,,", [("zone", "Zone", "foreign_key", 'Zone: no Zone has Code "XX"')]),
    ("f,Country,1,1,2,EU,77,,,,,", [("country_id|.id", "Country", "not_found", "Country: no Country has Id 77")]),
    ("g,Dup,1,1,2,EU,1,B,1,,,", [("brand", None, "unique", 'Brand "B", Sku "1" together are used by another Article already')]),
    ("h,Lot,1,1,2,EU,1,,,l1,,", [("lot", "Lot", "unique", 'Lot: "l1" is used by another Article already, by the rule lower_lot of the database')]),
    ("x,devil,1,1,2,EU,1,,,,,", [(None, None, "trigger", "the devil is not welcome")]),
    ("i,Child,1,1,2,EU,1,,,,p,-1", [(None, "Weight", "check", "Weight: -1 breaks the rule weight > 0 of the database")]),
    ("j,Child,1,1,2,EU,1,,,,,1", [("part_ids|1|label", "Label", "required", "Label: must not be empty")]),
    (",NoKey,1,1,2,EU,1,,,,,", [("code#key", None, "key_empty", "the key is empty, so no record can be found or made")]),
    ("k,Two,abc,x,2,EU,1,,,,,", [
        ("price", "Sales Price", "conversion", 'Sales Price: "abc" is no number (the decimal mark is a point, nothing stands between thousands)'),
        ("qty", "Qty", "conversion", 'Qty: "x" is no integer')]),
    ("l,Fine,1,1,2,,,,,,,", []),
]


def rules(message, database):
    for words, others in POSTGRES_RULES.items() if database else ():
        message = message.replace(words, others)
    return message


@pytest.fixture
def shop(project):
    project.script(TABLES, POSTGRES_TABLES)
    return project


def load(shop, pattern, chunk=0, status=1, times=1):
    shop.config(CONFIG.replace("CHUNK", str(chunk)), base=HEAD)
    (shop.folder / "in.csv").write_text("\n".join([HEADER, *[row for row, _ in ROWS] * times]) + "\n")
    return shop.json("import", pattern, "in.csv", status=status)


@pytest.mark.parametrize("chunk", [1, 3, 0])
def test_each_rule_is_told_with_field_value_and_row(shop, database, chunk):
    summary = load(shop, "item", chunk)
    told = [(m["row"], m["column"], m["field"], m["type"], m["message"]) for m in summary["messages"]]
    assert told == [(i, *message[:3], rules(message[3], database)) for i, (_, messages) in enumerate(ROWS, 2) for message in messages]
    assert (summary["created"], summary["failed"]) == (2, 12)
    assert shop.rows("SELECT code FROM item") == [("a",), ("l",)]


def test_updates_are_told_so_too(shop):
    load(shop, "item")
    (shop.folder / "in.csv").write_text("code#key,price,qty,zone,lot\na,-1,5,YY,L9\nl,,7,US,L1\n")
    messages = shop.json("import", "item", "in.csv", status=1)["messages"]
    assert [(m["row"], m["type"]) for m in messages] == [(2, "check"), (3, "check")]
    assert messages[1]["message"] == "Qty 7, Limit break the rule qty_fits (qty <= most) of the database"


def test_foreign_key_of_several_columns_is_told_with_all_its_values(shop):
    shop.script("""
CREATE TABLE depot (id integer PRIMARY KEY, land text, town text, UNIQUE (land, town));
INSERT INTO depot VALUES (1, 'FR', 'Lyon'), (2, 'BE', 'Namur');
CREATE TABLE shelf (id integer PRIMARY KEY, code text UNIQUE, land text, town text, FOREIGN KEY (land, town) REFERENCES depot (land, town));
""")
    shop.config("patterns: {shelf: {model: shelf, format: csv}}\n", base=HEAD)
    (shop.folder / "in.csv").write_text("code#key,land,town\na,FR,Lyon\nb,FR,Namur\nc,,Namur\nd,BE,Namur\n")
    messages = shop.json("import", "shelf", "in.csv", status=1)["messages"]
    assert [(m["row"], m["column"], m["type"], m["message"]) for m in messages] == [
        (3, "land", "foreign_key", 'Land: no Depot has Land "FR" and Town "Namur"')]
    assert shop.rows("SELECT code FROM shelf ORDER BY code") == [("a",), ("c",), ("d",)]


def test_rule_of_parents_and_children_of_one_table_tells_the_values_of_the_refused_one(shop, database):
    shop.script("""
CREATE TABLE bin (id integer PRIMARY KEY, code text NOT NULL UNIQUE, used integer, size integer, bin_id integer REFERENCES bin (id),
                  country_id integer REFERENCES country (id), CHECK (used <= size), UNIQUE (country_id, size));
INSERT INTO bin (code, used, size, country_id) VALUES ('old', 1, 8, 1);
CREATE UNIQUE INDEX one_used ON bin (country_id, abs(used));
""")
    shop.config("patterns: {bin: {model: bin, format: csv}}\n", base=HEAD)
    (shop.folder / "in.csv").write_text("code#key,used,size,country_id|code,bin_ids|1|code,bin_ids|1|used,bin_ids|1|size\n"
                                        "a,1,2,,a1,9,3\nb,5,4,,b1,1,1\nc,7,8,FR,,,\nd,-1,9,FR,,,\n")
    messages = shop.json("import", "bin", "in.csv", status=1)["messages"]
    assert [(m["row"], m["column"], m["message"]) for m in messages] == [
        (2, None, rules("Used 9, Size 3 break the rule used <= size of the database", database)),
        (3, None, rules("Used 5, Size 4 break the rule used <= size of the database", database)),
        (4, "size", 'Size 8, Country "FR" together are used by another Bin already'),
        (5, "used", 'Country "FR", Used -1 are used by another Bin already, by the rule one_used of the database')]


def test_all_bad_rows_are_told_however_many(shop):
    summary = load(shop, "item", times=30)
    assert summary["failed"] == 12 * 30
    assert {m["row"] for m in summary["messages"]} == {2 + i for i in range(14 * 30) if ROWS[i % 14][1]}


CHUNKS = ["chunk_size: 1", "chunk_size: 2", "chunk_size: 3", "chunk_size: 5", "priority: 5"]


@pytest.mark.parametrize("size", CHUNKS)
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--no-history",)])
def test_a_hopeless_file_stops_at_the_row_that_is_too_much(shop, size, more):
    shop.config(CONFIG.replace("CHUNK", "0").replace("chunk_size: 2, max_errors", f"{size}, max_errors"), base=HEAD)
    rows = [ROWS[0][0], "", *(row for row, _ in ROWS[1:4]), "", "n,Never,1,1,2,,,,,,,", *(row for row, _ in ROWS[4:])]
    (shop.folder / "in.csv").write_text("\n".join([HEADER, *(row or "," for row in rows)]) + "\n")
    summary = shop.json("import", "few", "in.csv", *more, status=1)
    assert [summary[word] for word in ("rows", "created", "failed", "skipped")] == [5, 1, 3, 1]
    assert [m["row"] for m in summary["messages"]] == [4, 5, 6]
    assert summary["error"] == ("stopped after 3 failed rows (max_errors), at row 6: the good rows before it are imported, "
                                "those behind it were not looked at")
    assert shop.rows("SELECT code FROM item") == ([] if more == ("--dry-run",) else [("a",)])


@pytest.mark.parametrize("size", CHUNKS)
def test_a_file_whose_last_row_is_the_last_error_is_not_stopped(shop, size):
    shop.config(CONFIG.replace("CHUNK", "0").replace("chunk_size: 2, max_errors", f"{size}, max_errors"), base=HEAD)
    (shop.folder / "in.csv").write_text("\n".join([HEADER, *(row for row, _ in ROWS[:4])]) + "\n")
    summary = shop.json("import", "few", "in.csv", status=1)
    assert (summary["rows"], summary["failed"], summary["error"]) == (4, 3, None)


@pytest.mark.parametrize("size", CHUNKS)
def test_all_or_nothing_stops_there_too(shop, size):
    shop.config(CONFIG.replace("CHUNK", "0").replace("chunk_size: 2, max_errors", f"{size}, on_error: abort, max_errors"), base=HEAD)
    (shop.folder / "in.csv").write_text("\n".join([HEADER, *(row for row, _ in ROWS)]) + "\n")
    summary = shop.json("import", "few", "in.csv", status=1)
    assert (summary["rows"], summary["failed"], summary["created"]) == (4, 3, 0)
    assert summary["error"] == "stopped after 3 failed rows (max_errors), at row 5: nothing was imported, those behind it were not looked at"
    assert shop.rows("SELECT count(*) FROM item") == [(0,)]


def test_a_plan_has_no_change_behind_the_stop(shop):
    shop.config(CONFIG.replace("CHUNK", "0").replace("chunk_size: 2, max_errors", "max_errors"), base=HEAD)
    (shop.folder / "in.csv").write_text("\n".join([HEADER, *(row for row, _ in ROWS)]) + "\n")
    shop.json("import", "few", "in.csv", "--dry-run", "--plan", "plan.json", status=1)
    plan = json.loads((shop.folder / "plan.json").read_text())
    assert {line["row"] for line in plan if line["action"] == "create"} == {2}
