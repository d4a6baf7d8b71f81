# SPDX-License-Identifier: Apache-2.0
"""process_multi: a file whose rows are spread over several parts ends as if they had been loaded one after the other."""
import json
import os
import random

import pytest

import conftest
import server

SEEDS = range(int(os.environ.get("PARALLEL_SEEDS", "12")))
SEEDED = [*(("sqlite", seed) for seed in SEEDS), *(("postgres", seed) for seed in SEEDS[::3])]
WORKERS = 3

SCHEMA = """
CREATE TABLE country (id integer PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE client (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE COLLATE NOCASE,
    visits integer CHECK (visits < 100),
    country_id integer REFERENCES country (id)
);
CREATE TABLE address (id integer PRIMARY KEY, client_id integer REFERENCES client (id), place integer, city text, UNIQUE (client_id, place));
CREATE TABLE client_tag (client_id integer NOT NULL REFERENCES client (id), tag_id integer NOT NULL REFERENCES tag (id), PRIMARY KEY (client_id,
    tag_id));
CREATE TABLE state (id integer PRIMARY KEY, country_id integer REFERENCES country (id), code numeric, name text, UNIQUE (country_id, code));
INSERT INTO country (code) VALUES ('FR'), ('BE'), ('DE');
INSERT INTO tag (name) VALUES ('red'), ('blue'), ('old'), ('old');
INSERT INTO client (name, email, visits) VALUES ('Known', 'a1@x', 1), ('Known too', 'B2@x', 2);
"""

# Of citext only PostgreSQL knows what is equal, so nothing would be spread.
POSTGRES_SCHEMA = SCHEMA.replace(" COLLATE NOCASE", "")
CONFIG = """
patterns:
  client: {model: client, format: FORMAT, MULTI}
  state: {model: state, format: FORMAT, MULTI}
import_tasks:
  clients-in: {storage: drop, path: in, files: "client*", pattern: client, after_import: move, move_path: done, error_path: errors}
  states-in: {storage: drop, path: in, files: "state*", pattern: state, after_import: move, move_path: done, error_path: errors}
"""
BASE = "\ndatabase: sqlite:shop.db\nfilestore: filestore\nstorages:\n  drop: {type: file, directory: drop}\n"

# A record without its own id and those of others, so that the order of creation does not show.
RECORDS = {
    "client": "SELECT c.name, c.email, c.visits, k.code FROM client c LEFT JOIN country k ON k.id = c.country_id ORDER BY lower(c.email), c.name",
    "address": "SELECT c.email, a.place, a.city FROM address a LEFT JOIN client c ON c.id = a.client_id ORDER BY 1, 2, 3",
    "client_tag": "SELECT c.email, t.name FROM client_tag l JOIN client c ON c.id = l.client_id JOIN tag t ON t.id = l.tag_id ORDER BY 1, 2",
    "state": "SELECT k.code, s.code, s.name FROM state s LEFT JOIN country k ON k.id = s.country_id ORDER BY 1, 2, 3",
}


def clients(chance):
    columns = ["email#key", "name"] + chance.sample(["visits", "country_id|code", "tag_ids|1|name", "address_ids|1|place#key", "address_ids|1|city"], 4)
    if "address_ids|1|city" not in columns and "address_ids|1|place#key" in columns:
        columns.append("address_ids|1|city")
    values = {
        "email#key": lambda: chance.choice([f"{chance.choice('abAB')}{chance.randrange(9)}@x", f" a{chance.randrange(3)}@X ", ""]),
        "name": lambda: chance.choice(["Ann", "Bob", "Cy", "", "Dee"]),
        "visits": lambda: chance.choice(["1", "2", "x", "200", "", "3"]),
        "country_id|code": lambda: chance.choice(["FR", "BE", "XX", ""]),
        "tag_ids|1|name": lambda: chance.choice(["red", "blue", "old", ""]),
        "address_ids|1|place#key": lambda: chance.choice(["1", "2", "q"]),
        "address_ids|1|city": lambda: chance.choice(["Lyon", "Gent", ""]),
    }
    return columns, values


def states(chance):
    columns = ["country_id#key|code", "code#key", "name"]
    values = {
        "country_id#key|code": lambda: chance.choice(["FR", "BE", "XX", ""]),
        "code#key": lambda: chance.choice(["1", "01", "1.0", "2", "3", "A", "a", ""]),
        "name": lambda: chance.choice(["North", "South", "", "West"]),
    }
    return columns, values


def random_file(chance, make, kind):
    columns, values = make(chance)
    rows = []
    for _ in range(chance.randrange(1, 90)):
        empty = chance.random() < 0.05
        rows.append({column: "" if empty else values[column]() for column in columns})
    if kind == "csv":
        return "\n".join([",".join(columns), *(",".join(row[c] for c in columns) for row in rows)]) + "\n"
    if chance.random() < 0.3:           # an object without a column of the key: then nothing is independent
        del chance.choice(rows)[columns[0]]
    return json.dumps(rows)


def fill(project, seed, kind):
    chance = random.Random(seed)
    for n, make in enumerate([clients, states, clients]):
        project.drop(f"{make.__name__[:-1]}-{n}.{kind}", random_file(chance, make, kind))
    return chance


@pytest.fixture
def make(tmp_path, database, request):
    """Makes projects, each with a database of its own."""
    urls = []

    def make(name, kind, multi):
        folder = tmp_path / name
        folder.mkdir()
        if database:
            urls.append(request.getfixturevalue("databases").new())
            project = conftest.PostgresProject(folder, urls[-1], POSTGRES_SCHEMA)
        else:
            project = conftest.Project(folder, SCHEMA)
        project.config(CONFIG.replace("FORMAT", kind).replace("MULTI", multi), base=BASE)
        return project
    yield make
    for url in urls:
        request.getfixturevalue("databases").drop(url)


def outcome(project):
    files = {}
    for (number,) in project.rows("SELECT id FROM pattimpex_file ORDER BY id"):
        file = project.json("files", number, status=None)
        keys = ("state", "rows", "created", "updated", "unchanged", "failed", "skipped", "error", "messages")
        files[file["name"]] = {key: file.get(key) for key in keys}
    return {
        "records": {table: project.rows(sql) for table, sql in RECORDS.items()},
        "files": files,
        "remote": project.tree(),
        "unfinished": project.rows("SELECT kind, state, error FROM pattimpex_job WHERE state <> 'done'"),
        "spools": [name for name in project.stored() if name.startswith("spools")],
    }


def run_tasks(project):
    """One after the other, until nothing is left."""
    for task in ("clients-in", "states-in"):
        for _ in range(20):
            done = project.call("run", task, status=None)
            assert done.returncode in (0, 1, 3), done.stderr
            if not project.rows("SELECT 1 FROM pattimpex_job WHERE state NOT IN ('done', 'failed')"):
                break


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("database, seed", SEEDED, indirect=["database"])
def test_same_as_one_after_the_other(make, seed, kind):
    straight = make("straight", kind, "chunk_size: 7")
    spread = make("spread", kind, f"chunk_size: 7, process_multi: {2 + seed % 4}")
    for project in (straight, spread):
        fill(project, seed, kind)
        run_tasks(project)
    expected, found = outcome(straight), outcome(spread)
    for what, wanted in expected.items():
        assert found[what] == wanted, what
    large = [name for name, file in found["files"].items() if file["rows"] > 7]
    assert kind == "json" or [(0,)] != spread.rows("SELECT max(part) FROM pattimpex_chunk") or not large, "nothing was spread"


@conftest.needs_hooks
@pytest.mark.parametrize("database, seed", SEEDED, indirect=["database"])
def test_several_workers_at_once(make, seed):
    straight = make("straight", "csv", "chunk_size: 5")
    spread = make("spread", "csv", f"chunk_size: 5, process_multi: {2 + seed % 4}")
    chance = random.Random(seed)
    text = random_file(chance, clients, "csv")
    for project in (straight, spread):
        project.drop("client.csv", text)
    run_tasks(straight)
    held = server.run_at_once(conftest.PROGRAM, spread, ["clients-in"], WORKERS)
    expected, found = outcome(straight), outcome(spread)
    for what, wanted in expected.items():
        assert found[what] == wanted, what
    ((chunks, owners),) = spread.rows("SELECT count(*), count(DISTINCT owner) FROM pattimpex_job WHERE kind = 'chunk'")
    assert held == owners == min(WORKERS, chunks)
    assert chunks > 1 or found["files"]["client.csv"]["rows"] <= 5, "nothing was spread"


def test_rows_are_spread_and_kept_in_order(make):
    project = make("p", "csv", "chunk_size: 5, process_multi: 3")
    rows = [f"a{n % 20}@x,Name {n}" for n in range(100)]
    project.drop("client.csv", "\n".join(["email#key,name", *rows]) + "\n")
    project.call("run")
    assert project.rows("SELECT count(DISTINCT part), count(*) >= 20, sum(n_rows) FROM pattimpex_chunk WHERE state = 'done'") == [(3, 1, 100)]
    assert project.rows("SELECT count(*) FROM pattimpex_job WHERE kind = 'finish'") == [(1,)]
    names = dict(project.rows("SELECT email, name FROM client"))
    assert {names[f"a{n}@x"] for n in (0, 7, 19)} == {"Name 80", "Name 87", "Name 99"}


def test_keys_that_count_up_stay_together(make):
    """Neighbours in the database's index are loaded together, or each part would write nearly all of its pages."""
    project = make("p", "csv", "chunk_size: 500, process_multi: 2")
    project.drop("client.csv", "email#key,name\n" + "".join(f"C-{n:05},Name\n" for n in range(8000)))
    project.call("run")
    assert project.rows("SELECT count(DISTINCT part), sum(n_rows), max(last_row - first_row + 1) FROM pattimpex_chunk") == [(2, 8000, 500)]


def test_small_file_is_loaded_at_once(make):
    project = make("p", "csv", "chunk_size: 5, process_multi: 3")
    project.drop("client.csv", "email#key,name\na@x,A\nb@x,B\n")
    project.call("run")
    assert project.rows("SELECT part, n_rows FROM pattimpex_chunk") == [(0, 2)]
    assert [name for name in project.stored() if name.startswith("spools")] == []


@pytest.mark.parametrize("multi", ["", ", process_multi: 2"])
def test_chunk_of_blank_rows_is_counted(make, multi):
    project = make("p", "csv", "chunk_size: 2" + multi)
    project.drop("client.csv", "email#key,name\na@x,A\nb@x,B\n,\n,\n,\n,\nc@x,C\n")
    project.call("run")
    assert project.rows("SELECT n_rows, n_created, n_skipped FROM pattimpex_file") == [(7, 3, 4)]
