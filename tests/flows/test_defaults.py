# SPDX-License-Identifier: Apache-2.0
"""defaults: of a pattern: what new records have in columns that the file lacks."""
import json

import pytest

from conftest import BASE

HEAD = BASE.partition("patterns:")[0]
TAGS = """
CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE partner_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL REFERENCES tag (id),
    PRIMARY KEY (partner_id, tag_id));
CREATE TABLE address (id integer PRIMARY KEY, partner_id integer NOT NULL REFERENCES partner (id), city text NOT NULL,
    country_id integer NOT NULL REFERENCES country (id), kind text NOT NULL, since date);
ALTER TABLE partner ADD COLUMN parent_id integer REFERENCES partner (id);
ALTER TABLE partner ADD COLUMN since date;
INSERT INTO tag VALUES (1, 'new'), (2, 'web'), (3, 'vip');
"""
PATTERN = """
patterns:
  web:
    model: partner
    format: FORMAT
    chunk_size: CHUNK
    defaults:
      phone: "007"
      country_id/code: FR
      active: false
      since: 2024-02-29
      tag_ids/name: [new, web]
      parent_id/email: bob@x.test
    fields: [name, {field: email, key: true}, {field: address_ids, pattern: address}]
  address:
    model: address
    defaults: {country_id/code: BE, kind: home, since: 2024-01-01}
    fields: [city, kind]
"""


@pytest.fixture
def shop(project):
    project.script(TAGS)
    project.pattern = lambda format="csv", chunk=0, text=PATTERN: project.config(
        text.replace("FORMAT", format).replace("CHUNK", str(chunk)), base=HEAD)
    return project


def partners(shop):
    return shop.rows("""SELECT p.name, p.phone, c.code, p.active, p.since, o.name, (SELECT group_concat(t.name) FROM partner_tag l JOIN tag t
        ON t.id = l.tag_id WHERE l.partner_id = p.id) FROM partner p LEFT JOIN country c ON c.id = p.country_id LEFT JOIN partner o
        ON o.id = p.parent_id ORDER BY p.id""")


def load(shop, text, status=0, name="in.csv"):
    (shop.folder / name).write_text(text)
    return shop.json("import", "web", name, status=status)


OLD = [("Alice", "1", "FR", 1, None, None, None), ("Bob", "2", "BE", 1, None, None, None)]


def test_new_records_have_the_defaults_and_old_ones_keep_what_they_have(shop):
    shop.pattern()
    summary = load(shop, "name,email#key\nCarol,carol@x.test\nBobby,bob@x.test\n")
    assert (summary["created"], summary["updated"]) == (1, 1), summary
    assert partners(shop) == [OLD[0], ("Bobby", "2", "BE", 1, None, None, None), ("Carol", "007", "FR", 0, "2024-02-29", "Bobby", "new,web")]
    assert load(shop, "name,email#key\nCarol,carol@x.test\n")["unchanged"] == 1


def test_a_column_of_the_file_wins_also_when_it_is_empty(shop):
    shop.pattern()
    load(shop, "name,email#key,phone,country_id|name,tag_ids|1|name,active\nCarol,carol@x.test,,,vip,\nDave,dave@x.test,5,Germany,,yes\n")
    assert partners(shop)[2:] == [("Carol", None, None, 0, "2024-02-29", "Bob", "vip"), ("Dave", "5", "DE", 1, "2024-02-29", "Bob", None)]


def test_an_object_that_lacks_a_key_has_the_default(shop):
    shop.pattern("json")
    rows = [{"name": "Carol", "email#key": "c@x.test"}, {"name": "Dave", "email#key": "d@x.test", "phone": None, "country_id|code": "DE", "tag_ids": []},
            {"email#key": "alice@x.test", "name": "Alice"}]
    summary = load(shop, json.dumps(rows), name="in.json")
    assert (summary["created"], summary["unchanged"]) == (2, 1), summary
    assert partners(shop) == [*OLD, ("Carol", "007", "FR", 0, "2024-02-29", "Bob", "new,web"), ("Dave", None, "DE", 0, "2024-02-29", "Bob", None)]


def test_children_have_the_defaults_of_their_pattern(shop):
    shop.pattern()
    load(shop, "email#key,name,address_ids|1|city,address_ids|2|city,address_ids|2|kind,address_ids|2|since\n"
               "c@x.test,Carol,Paris,Lyon,work,2023-12-31\nalice@x.test,Alice,,Rome,work,\n")
    assert shop.rows("SELECT partner_id, city, country_id, kind, since FROM address ORDER BY id") == [
        (3, "Paris", 2, "home", "2024-01-01"), (3, "Lyon", 2, "work", "2023-12-31"), (1, "Rome", 2, "work", None)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 0])
def test_chunks_make_no_difference(shop, chunk):
    """Rows that refer to what others make, find each other and are bad, under defaults that do so too."""
    shop.pattern("csv", chunk, PATTERN.replace("bob@x.test", "root@x.test"))
    summary = load(shop, "name,email#key\nLost,lost@x.test\nAlice,alice@x.test\nCarol,carol@x.test\n,dave@x.test\nCaroline,carol@x.test\n", status=1)
    assert [(m["row"], m["column"], m["field"], m["type"]) for m in summary["messages"]] == [
        (2, None, "Parent", "not_found"), (4, None, "Parent", "not_found"), (5, "name", "Name", "required"), (5, None, "Parent", "not_found"),
        (6, None, "Parent", "not_found")]
    assert summary["messages"][0]["message"] == 'Parent: the pattern\'s default is no single Partner: Email "root@x.test"'
    assert partners(shop) == OLD
    load(shop, "name,email#key,parent_id|email\nRoot,root@x.test,\n")
    load(shop, "name,email#key\nCarol,carol@x.test\nDave,dave@x.test\nCaroline,carol@x.test\n")
    assert [(row[0], row[5], row[6]) for row in partners(shop)[2:]] == [
        ("Root", None, "new,web"), ("Caroline", "Root", "new,web"), ("Dave", "Root", "new,web")]


@pytest.mark.parametrize("chunk", [1, 0])
def test_a_default_may_be_a_record_of_the_same_file(shop, chunk):
    shop.pattern("json", chunk, PATTERN.replace("bob@x.test", "root@x.test"))
    rows = [{"name": "Root", "email#key": "root@x.test", "parent_id": {}}, {"name": "Carol", "email#key": "c@x.test"}]
    assert load(shop, json.dumps(rows), name="in.json")["created"] == 2
    assert [(row[0], row[5]) for row in partners(shop)[2:]] == [("Root", None), ("Carol", "Root")]


def test_a_default_that_must_be_unique_fails_the_second_record(shop):
    shop.pattern(text="patterns:\n  web: {model: partner, defaults: {email: same@x.test}}\n")
    summary = load(shop, "name\nCarol\nDave\n", status=1)
    assert (summary["created"], summary["messages"][0]["type"], summary["messages"][0]["row"]) == (1, "unique", 3)


def test_defaults_fill_columns_that_must_not_be_empty(shop):
    shop.pattern(text="patterns:\n  web: {model: partner, defaults: {name: Nobody}}\n")
    assert load(shop, "email#key\nc@x.test\n")["created"] == 1
    assert load(shop, "email#key,name\nd@x.test,\n", status=1)["messages"][0]["type"] == "required"


def test_check_warns_of_defaults_that_are_not_there(shop):
    shop.pattern(text="patterns:\n  web:\n    model: partner\n    defaults: {country_id/code: XX, parent_id/active: true, tag_ids/name: [new, old]}\n")
    done = shop.call("check")
    text = done.stdout + done.stderr
    for warning in ['country_id|code: no Country has Code "XX"', "parent_id|active: more than one Partner has Active 1",
                    'tag_ids|2|name: no Tag has Name "old"']:
        assert f"pattern web: defaults: {warning}" in text
    assert "new" not in text


@pytest.mark.parametrize("defaults, complaint", [
    ("{phnoe: 1}", "partner has no field \"phnoe\" (did you mean phone?)"),
    ("{country_id/cod: FR}", "country has no field \"cod\" (did you mean code?)"),
    ("{country_id: FR}", "country_id is a relation"),
    ("{email#key: x}", "a default finds no record, so it is no key"),
    ("{.id: 5}", "each record has an id of its own"),
    ("{id: x.y}", "each record has an id of its own"),
    ("{active: maybe}", 'active: "maybe" is no boolean'),
    ("{since: 31.12.2024}", 'since: "31.12.2024" is no date'),
    ("{phone: [1, 2]}", "phone: a value is expected"),
    ("{phone: ''}", "phone: an empty value is no default"),
    ("{address_ids/city: Rome}", "children have the defaults of the pattern that writes them"),
    ("[phone]", "a map of fields and values is expected"),
])
def test_check_tells_wrong_defaults(shop, defaults, complaint):
    shop.pattern(text=f"patterns:\n  web:\n    model: partner\n    defaults: {defaults}\n")
    done = shop.call("check", status=2)
    text = done.stdout + done.stderr
    assert "pattimpex.yaml:" in text and "pattern web: defaults:" in text and complaint in text, text
