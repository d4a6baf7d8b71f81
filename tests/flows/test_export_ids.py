# SPDX-License-Identifier: Apache-2.0
"""Chosen records: export --ids and --ids-from."""
import csv

import pytest


@pytest.fixture
def shop(project):
    project.config("")
    project.script("INSERT INTO partner (id, name, email, active) VALUES (7, 'Zoe', 'zoe@x.test', FALSE)")
    return project


def names(shop, *arguments, **options):
    done = shop.call("export", "partner", "-o", "-", "--no-history", *arguments, **options)
    return [row["name"] for row in csv.DictReader(done.stdout.splitlines())], done.stderr


def test_the_records_of_these_ids_in_their_models_order(shop):
    assert names(shop, "--ids", "2, 1,2") == (["Alice", "Bob"], "")


def test_a_record_that_is_named_comes_though_it_is_inactive(shop):
    assert names(shop, "--ids", "7")[0] == ["Zoe"]


def test_a_filter_chooses_among_them(shop):
    assert names(shop, "--ids", "1,2", "--filter", "[('country_id.code', '=', 'BE')]")[0] == ["Bob"]


def test_ids_of_no_record_are_told_and_the_others_exported(shop):
    assert names(shop, "--ids", "99,1,55,99", status=1) == (["Alice"], "pattimpex: no record has the id 99, 55\n")
    exported = shop.json("export", "partner", "--ids", "99,1", status=1)
    assert (exported["rows"], exported["unknown_ids"]) == (1, [99])


@pytest.mark.parametrize("text", ["1\n7\n", ".id\n1\n7\n", '\ufeff".id";name\r\n"1";Alice\r\n7;Zoe', "1,x,y\n\n7,x,y\n"])
def test_ids_come_from_a_file(shop, text):
    (shop.folder / "ids.csv").write_bytes(text.encode())
    assert names(shop, "--ids-from", "ids.csv")[0] == ["Alice", "Zoe"]
    assert names(shop, "--ids-from", "-", input=text)[0] == ["Alice", "Zoe"]


def test_no_ids_are_no_records(shop):
    (shop.folder / "ids.csv").write_text("")
    assert names(shop, "--ids-from", "ids.csv")[0] == []


def test_a_hundred_thousand_ids(shop):
    shop.script("WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 150999)"
                "INSERT INTO partner (id, name) SELECT i, 'P' || i FROM n")
    (shop.folder / "ids.txt").write_text("".join(f"{i}\n" for i in range(150999, 50999, -1)))
    exported, _ = names(shop, "--ids-from", "ids.txt")
    assert len(exported) == 100000 and exported[0] == "P51000"


@pytest.mark.parametrize("arguments, why", [
    (["--ids", "1,x"], '--ids: "x" is no id'),
    (["--ids", ""], None),
    (["--ids-from", "none.txt"], "none.txt: cannot open"),
    (["--ids-from", "bad.txt"], 'bad.txt:2: "two" is no id'),
])
def test_what_is_no_id_is_told(shop, arguments, why):
    (shop.folder / "bad.txt").write_text("1\ntwo\n")
    done = shop.call("export", "partner", *arguments, status=2 if why else None)
    assert (why or "") in done.stderr
