# SPDX-License-Identifier: Apache-2.0
"""Tables of PostgreSQL whose primary key is a uuid."""
import csv
import io
import uuid

import psycopg2
import pytest

TABLES = """
CREATE TABLE country (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code text NOT NULL UNIQUE, name text);
CREATE TABLE tag (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE partner (
    uid uuid PRIMARY KEY, name text NOT NULL, email text UNIQUE, country_id uuid REFERENCES country, parent_id uuid REFERENCES partner,
    active boolean NOT NULL DEFAULT TRUE
);
CREATE TABLE note (id serial PRIMARY KEY, text text NOT NULL, partner_id uuid REFERENCES partner);
CREATE TABLE partner_tag (partner_id uuid REFERENCES partner, tag_id integer REFERENCES tag, PRIMARY KEY (partner_id, tag_id));
CREATE TABLE partner_country (partner_id uuid REFERENCES partner, country_id uuid REFERENCES country, UNIQUE (partner_id, country_id));
CREATE VIEW named AS SELECT uid AS id, name FROM partner;
INSERT INTO country VALUES ('00000000-0000-0000-0000-0000000000f0', 'FR', 'France'), ('ffffffff-ffff-ffff-ffff-ffffffffffbe', 'BE', 'Belgium');
INSERT INTO tag (name) VALUES ('new'), ('old');
INSERT INTO partner VALUES ('11111111-1111-1111-1111-111111111111', 'Alice', 'alice@x.test', '00000000-0000-0000-0000-0000000000f0');
"""
CONFIG = """
database: {url}
models:
  partner: {{fields: {{child_ids: {{one2many: partner.parent_id}}, note_ids: {{one2many: note.partner_id}}}}}}
patterns:
  partner:
    model: partner
    format: csv
    fields: [.id, id, name, {{field: email, key: true}}, country_id/code, {{field: tag_ids/name, occurrences: 2}}]
  country: {{model: country, format: csv, fields: [id, {{field: code, key: true}}, name]}}
  free: {{model: partner, format: csv}}
  purging: {{model: partner, format: csv, purge_one2many: delete}}
  named: {{model: named, format: csv, fields: [.id, name]}}
"""
ALICE, FRANCE = "11111111-1111-1111-1111-111111111111", "00000000-0000-0000-0000-0000000000f0"
BELGIUM = "ffffffff-ffff-ffff-ffff-ffffffffffbe"
GIVEN = "22222222-2222-2222-2222-222222222222"


class Store:
    def __init__(self, project, url):
        self.project, self.url = project, url
        self.query(TABLES)
        project.config("", base=CONFIG.format(url=url))

    def query(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def load(self, text, pattern="free", status=0, *options):
        (self.project.folder / "in.csv").write_text(text)
        return self.project.json("import", pattern, "in.csv", *options, status=status)

    def counts(self, text, pattern="free"):
        summary = self.load(text, pattern)
        return summary["created"], summary["updated"], summary["unchanged"]

    def said(self, text, pattern="free"):
        return [(m["row"], m["column"], m["message"]) for m in self.load(text, pattern, 1)["messages"]]

    def export(self, pattern, *options):
        return list(csv.reader(io.StringIO(self.project.call("export", pattern, "-o", "-", *options).stdout)))


@pytest.fixture
def store(project, url):
    return Store(project, url)


def test_the_models_are_shown_with_their_relations(store):
    partner = store.project.json("models", "partner")
    fields = {f["field"]: f for f in partner["fields"]}
    assert (partner["id"], fields["uid"]["type"], fields["country_id"]["type"]) == ("uid", "text", "many2one")
    assert {"child_ids", "note_ids"} <= set(fields)
    assert store.project.json("models", "named")["id"] == "id"


def test_new_records_get_a_uuid_and_are_found_again(store):
    file = "name,email#key,country_id|code\nCarol,carol@x.test,FR\nAlicia,alice@x.test,BE\n"
    assert store.counts(file) == (1, 1, 0)
    assert store.counts(file) == (0, 0, 2)
    rows = store.query(f"SELECT uid, name, country_id FROM partner WHERE uid <> '{ALICE}'")
    assert [row[1:] for row in rows] == [("Carol", FRANCE)] and uuid.UUID(rows[0][0]).version == 4
    assert store.query(f"SELECT name, country_id FROM partner WHERE uid = '{ALICE}'") == [("Alicia", BELGIUM)]


def test_the_default_of_the_column_makes_the_uuids(store):
    store.query("CREATE SEQUENCE made; ALTER TABLE country ALTER COLUMN id"
                " SET DEFAULT CAST('00000000-0000-0000-0000-' || lpad(CAST(nextval('made') AS text), 12, '0') AS uuid)")
    store.load("code#key,name\nDE,Germany\nIT,Italy\n", "country")
    assert store.query("SELECT id, code FROM country WHERE code IN ('DE', 'IT') ORDER BY code") == [
        ("00000000-0000-0000-0000-000000000001", "DE"), ("00000000-0000-0000-0000-000000000002", "IT")]


def test_a_uuid_that_is_given_finds_the_record_or_makes_it(store):
    file = f".id,name,email\n{ALICE.upper()},Alice B,alice@x.test\n{GIVEN},Bob,bob@x.test\n,Carol,carol@x.test\n{GIVEN},Bobby,bob@x.test\n"
    assert store.counts(file) == (2, 2, 0)
    assert store.query("SELECT name FROM partner WHERE uid <> '%s' ORDER BY name" % ALICE) == [("Bobby",), ("Carol",)]
    assert store.query(f"SELECT name FROM partner WHERE uid = '{GIVEN}'") == [("Bobby",)]
    assert store.counts(f"uid,name\n{GIVEN},Bobby\n") == (0, 0, 1)


def test_what_is_wrong_is_told(store):
    said = store.said("id,.id,name,email,country_id|.id\n"
                      f"nobody,12,A,,\n,,B,alice@x.test,\n,,C,,{GIVEN}\n,,D,,12\ngood,,E,,{BELGIUM}\ngood,{ALICE},F,,\n")
    assert [line[:2] for line in said] == [(2, ".id"), (3, "email"), (4, "country_id|.id"), (5, "country_id|.id"), (7, "id")]
    assert said[0][2].endswith('"12" is no UUID') or "uuid" in said[0][2].lower()
    assert said[2][2] == f'Country: no Country has Id "{GIVEN}"'
    assert "another record has the external id" in said[4][2]
    assert store.query("SELECT name, country_id FROM partner WHERE name = 'E'") == [("E", BELGIUM)]


def test_create_false_refuses_a_uuid_that_nobody_has(store):
    config = CONFIG + "  fixed: {{model: partner, format: csv, create: false}}\n"
    store.project.config("", base=config.format(url=store.url))
    assert "does not create" in store.said(f".id,name\n{GIVEN},Bob\n", "fixed")[0][2]


def test_external_ids_name_records_with_uuids(store):
    assert store.counts("id,name,country_id|id\nour.bob,Bob,\nour.kid,Kid,\n") == (2, 0, 0)
    store.load(f"id,.id\nour.france,{FRANCE}\n", "country")
    file = "id,name,country_id|id,parent_id|id\nour.kid,Kid,our.france,our.bob\n"
    assert store.counts(file) == (0, 1, 0)
    assert store.counts(file) == (0, 0, 1)
    (kid,) = store.query("SELECT k.country_id, b.name FROM partner AS k JOIN partner AS b ON b.uid = k.parent_id WHERE k.name = 'Kid'")
    assert kid == (FRANCE, "Bob")
    bob = store.query("SELECT uid FROM partner WHERE name = 'Bob'")[0][0]
    assert store.query("SELECT module, name, model, res_id, res_key FROM pattimpex_external_id WHERE name = 'bob'") == [("our", "bob", "partner", 0, bob)]


def test_exports_write_uuids_and_names_that_come_back_unchanged(store):
    store.counts("name,email,tag_ids|1|name\nBob,bob@x.test,old\n")
    lines = store.export("partner")
    alice = next(line for line in lines if line[2] == "Alice")
    assert alice[:5] == [ALICE, f"__export__.partner_{ALICE}", "Alice", "alice@x.test", "FR"]
    assert next(line for line in lines if line[2] == "Bob")[5] == "old"
    (store.project.folder / "in.csv").write_text(store.project.call("export", "partner", "-o", "-").stdout)
    assert store.project.json("import", "partner", "in.csv")["unchanged"] == 2
    assert [line[1] for line in store.export("partner")] == [line[1] for line in lines]
    assert [ALICE, "Alice"] in store.export("named")


def test_chosen_records_are_exported_by_their_uuids(store):
    assert [line[2] for line in store.export("partner", "--ids", ALICE.upper())] == ["name", "Alice"]
    done = store.project.call("export", "partner", "-o", "-", "--ids", f"{ALICE},{GIVEN}", status=1)
    assert f"no record has the id {GIVEN}" in done.stderr and "Alice" in done.stdout
    summary = store.project.json("export", "partner", "-o", "out.csv", "--ids", GIVEN, status=1)
    assert summary["unknown_ids"] == [GIVEN]
    assert "its ids are uuids" in store.project.call("export", "partner", "-o", "-", "--ids", "12", status=2).stderr


def test_links_between_uuids_and_integers(store):
    file = "email#key,tag_ids|1|name,tag_ids|2|name,country_ids|1|code\nalice@x.test,new,old,BE\n"
    links = "SELECT t.name FROM partner_tag AS l JOIN tag AS t ON t.id = l.tag_id ORDER BY t.name"
    assert store.counts(file) == (0, 1, 0)
    assert (store.query(links), store.query("SELECT * FROM partner_country")) == ([("new",), ("old",)], [(ALICE, BELGIUM)])
    assert store.counts(file) == (0, 0, 1)
    assert store.counts("email#key,tag_ids|1|name,country_ids|1|.id\nalice@x.test,old," + FRANCE + "\n") == (0, 1, 0)
    assert (store.query(links), store.query("SELECT * FROM partner_country")) == ([("old",)], [(ALICE, FRANCE)])


def test_children_with_uuids_come_move_and_go(store):
    file = "email#key,child_ids|1|name,child_ids|2|.id,child_ids|2|name,note_ids|1|text\nalice@x.test,Kid," + GIVEN + ",Second,remember\n"
    children = f"SELECT name FROM partner WHERE parent_id = '{ALICE}' ORDER BY name"
    assert store.counts(file) == (0, 1, 0)
    assert store.query(children) == [("Kid",), ("Second",)]
    assert store.query("SELECT text, partner_id FROM note") == [("remember", ALICE)]
    keep = f"email#key,child_ids|1|.id,child_ids|1|name\nalice@x.test,{GIVEN},Second\n"
    assert store.counts(keep, "purging") == (0, 1, 0)
    assert store.query(children) == [("Second",)]


def test_a_row_refers_to_a_record_that_an_earlier_row_makes(store):
    assert store.counts(f".id,name,parent_id|.id\n{GIVEN},Boss,\n,Worker,{GIVEN}\n") == (2, 0, 0)
    assert store.counts("name,parent_id|name\nHead,\nHand,Head\n") == (2, 0, 0)
    pairs = "SELECT w.name, b.name FROM partner AS w JOIN partner AS b ON b.uid = w.parent_id ORDER BY w.name"
    assert store.query(pairs) == [("Hand", "Head"), ("Worker", "Boss")]


def test_a_dry_run_writes_nothing_and_its_plan_gives_the_same_uuids(store):
    (store.project.folder / "in.csv").write_text(
        "id,name,email#key,country_id|code,tag_ids|1|name,parent_id|email\nour.bob,Bob,bob@x.test,FR,new,\n,Alice,alice@x.test,BE,,bob@x.test\n")
    store.project.call("import", "free", "in.csv", "--dry-run", "--plan", "plan.csv")
    assert store.query("SELECT count(*) FROM partner") == [(1,)]
    plan = list(csv.DictReader(io.StringIO((store.project.folder / "plan.csv").read_text())))
    made = next(line["record"] for line in plan if line["action"] == "create")
    store.project.call("import", "--apply", "plan.csv")
    assert store.query("SELECT uid FROM partner WHERE name = 'Bob'") == [(made,)]
    assert store.query(f"SELECT parent_id, country_id FROM partner WHERE uid = '{ALICE}'") == [(made, BELGIUM)]
    assert store.query("SELECT partner_id FROM partner_tag") == [(made,)]


DOMAINS = [
    (f"[('id', '=', '{ALICE}')]", ["Alice"]),
    (f"[('country_id', '=', '{FRANCE}')]", ["Alice"]),
    (f"[('country_id', 'in', ['{FRANCE}', '{BELGIUM}'])]", ["Alice", "Kid"]),
    (f"[('id', 'child_of', '{ALICE}')]", ["Alice", "Kid"]),
    ("[('parent_id', 'child_of', 'Alice')]", ["Alice", "Kid"]),
    ("[('country_id', '=', 'Belgium')]", ["Kid"]),
    ("[('child_ids.name', '=', 'Kid')]", ["Alice"]),
]


def test_domains_name_records_by_their_uuids(store):
    store.query(f"INSERT INTO partner VALUES ('{GIVEN}', 'Kid', NULL, '{BELGIUM}', '{ALICE}')")
    for domain, names in DOMAINS:
        assert sorted(line[2] for line in store.export("partner", "--filter", domain)[1:]) == names


def test_a_domain_with_a_wrong_uuid_is_refused(store):
    done = store.project.call("export", "partner", "-o", "-", "--filter", "[('id', '=', 'zz')]", status=2)
    assert "the filter" in done.stderr and "zz" in done.stderr
