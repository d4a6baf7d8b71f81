# SPDX-License-Identifier: Apache-2.0
"""Projects on PostgreSQL."""
import resource
import subprocess

import psycopg2
from conftest import BASE, MEASURED


def test_triggers_do_not_make_an_import_go_row_by_row(shop, url):
    """Those of a row see each row, those of a statement one batch or two, not one a row."""
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("""
CREATE TABLE seen (what text, name text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen VALUES (TG_LEVEL, CASE WHEN TG_LEVEL = 'ROW' THEN new.name END);
  IF TG_LEVEL = 'ROW' THEN new.phone = upper(new.phone); END IF;
  RETURN new; END $$;
CREATE TRIGGER each_row BEFORE INSERT ON partner FOR EACH ROW EXECUTE FUNCTION see();
CREATE TRIGGER each_statement AFTER INSERT ON partner FOR EACH STATEMENT EXECUTE FUNCTION see();
""")
    shop.drop("many.csv", "name,email#key,phone\n" + "".join(f"P{i},p{i}@x.test,x{i}\n" for i in range(500)))
    assert shop.json("import", "partner", str(shop.drop_folder / "in" / "many.csv"))["created"] == 500
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FILTER (WHERE what = 'ROW'), count(*) FILTER (WHERE what = 'STATEMENT') FROM seen")
        rows, statements = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM partner WHERE phone = upper(phone) AND email LIKE 'p%'")
        assert (rows, cursor.fetchone()) == (500, (500,)) and statements < 10


def test_models_are_those_of_the_schema(shop):
    models = shop.json("models")
    assert [(m["model"], m["keys"]) for m in models["models"]] == [("country", []), ("partner", ["email"])]
    assert models["left_out"] == [{"table": "partner.tags", "reason": "it is an array (text[])"}]
    fields = {f["field"]: f for f in shop.json("models", "partner")["fields"]}
    assert fields["phone"]["label"] == "Telephone"
    assert (fields["active"]["default"], fields["country_id"]["relation"]) == ("true", "country")


def test_check_knows_keys_and_indexes(shop):
    assert shop.call("check").stdout.startswith("pattimpex.yaml is good")
    shop.config("", base=shop.base + "  land: {model: country, format: csv, fields: [{field: code, key: true}, name]}\n")
    said = shop.call("check").stdout
    assert "nothing in the database keeps its key (code) unique" in said and "no index of table country" in said


def test_array_is_refused_with_its_reason(shop):
    shop.config("", base=shop.base + "  tagged: {model: partner, format: csv, fields: [name, tags]}\n")
    assert "it is an array (text[])" in shop.call("check", status=2).stderr


def test_export_reads_one_snapshot_and_leaves_its_history(shop):
    shop.call("export", "partner", "-o", "out.csv", "--filter", "[('name', 'ilike', 'ALI')]")
    assert (shop.folder / "out.csv").read_text() == "name,email#key,phone,country_id|code\nAlice,alice@x.test,1,FR\n"
    assert [(f["kind"], f["state"], f["rows"]) for f in shop.json("files")] == [("export", "done", 1)]
    assert [a["state"] for a in shop.json("attachments")] == ["done"]
    assert shop.json("jobs") == []
    assert shop.call("status").stdout


def test_export_of_many_rows_takes_little_memory(shop, url):
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO partner (id, name, email, phone) SELECT n + 9, 'Partner ' || n, n || '@x.test', repeat('1', 2000)"
                       " FROM generate_series(1, 50000) AS n")
    done = subprocess.run([MEASURED, "export", "partner", "-o", "out.csv", "--no-history"], cwd=shop.folder, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_DATA, (64 << 20, 64 << 20)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert sum(1 for _ in open(shop.folder / "out.csv")) == 50003


def test_view_is_exported(shop, url):
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("CREATE VIEW french AS SELECT p.id, upper(p.name) AS name FROM partner AS p JOIN country AS c ON c.id = p.country_id"
                       " WHERE c.code = 'FR'")
    shop.config("", base=shop.base + "  french: {model: french, format: csv, fields: [.id, name]}\n")
    assert shop.call("export", "french", "-o", "-").stdout == ".id,name\n1,ALICE\n"


def test_password_is_not_told(project, url):
    project.config("", base=BASE.replace("sqlite:shop.db", url.replace("tester@", "tester:s3cret@").replace("/test_", "/other_")))
    done = project.call("check", status=3)
    assert "other_" in done.stderr and "s3cret" not in done.stderr
