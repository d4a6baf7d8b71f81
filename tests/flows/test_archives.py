# SPDX-License-Identifier: Apache-2.0
"""Archives: what is in a .zip or .gz is imported, what is exported is put into one."""
import gzip
import io
import zipfile

from conftest import BAD, GOOD

TASK = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, receipt_path: receipts}
"""
ZOE = "email#key,name\nzoe@x.test,Zoe\n"


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return out.getvalue()


def files(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


# ---------------------------------------------------------------- in

def test_every_file_in_a_zip_is_a_file_of_its_own(project):
    project.config(TASK)
    project.drop("all.ZIP", zipped(("a.csv", GOOD), ("sub/", ""), ("sub/b.csv", BAD), (".hidden", "x"), ("__MACOSX/._a.csv", "x"), ("c.csv", "")))
    done = project.call("run", status=1)
    assert "all.ZIP: 3 files in it" in done.stdout
    assert files(project) == [("all.ZIP", "done", 0), ("a.csv", "done", 2), ("b.csv", "failed", 1), ("c.csv", "refused", 0)]
    assert project.names("done") == ["done/all.ZIP"] and project.names("errors") == ["errors/b.csv", "errors/c.csv.txt"]
    assert b"#Error" in project.tree()["errors/b.csv"]
    assert project.names("receipts") == [f"receipts/{name}.receipt.json" for name in ("a.csv", "all.ZIP", "b.csv", "c.csv")]
    parents = project.rows("SELECT DISTINCT parent_id FROM pattimpex_attachment WHERE direction = 'import' AND name LIKE '%.csv'")
    assert parents == [(1,)]


def test_gzip(project):
    project.config(TASK)
    data = GOOD.encode()
    for name, packed in (("1.csv.gz", gzip.compress(data)), ("2.csv.gz", gzip.compress(data[:40]) + gzip.compress(data[40:])),
                         ("3.csv.gz", gzip.compress(data) + b"\0" * 500)):
        project.drop(name, packed)
    project.call("run")
    assert [(name, state) for name, state, _ in files(project)[3:]] == [("1.csv", "done"), ("2.csv", "done"), ("3.csv", "done")]
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test"]
    assert project.rows("SELECT n_unchanged FROM pattimpex_file WHERE n_rows = 2 ORDER BY id") == [(0,), (2,), (2,)]


def test_large_one(project):
    project.config(TASK)
    rows = "email#key,name\n" + "".join(f"p{i}@x.test,Partner number {i}\n" for i in range(30000))
    project.drop("big.csv.gz", gzip.compress(rows.encode()))
    project.drop("big.zip", zipped(("2.csv", rows.replace("@x", "@y")), method=zipfile.ZIP_STORED))
    project.call("run")
    assert [row for row in files(project) if row[2]] == [("big.csv", "done", 30000), ("2.csv", "done", 30000)]


def encrypted():
    data = bytearray(zipped(("a.csv", GOOD)))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def broken(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1:]


REFUSED = [
    ("no.zip", b"no archive", "archive"),
    ("empty.zip", b"", "archive"),
    ("encrypted.zip", encrypted(), "encrypted"),
    ("leaves.zip", zipped(("../a.csv", GOOD)), "a.csv"),
    ("absolute.zip", zipped(("/etc/a.csv", GOOD)), "a.csv"),
    ("nested.zip", zipped(("good.csv", GOOD), ("inner.zip", zipped(("a.csv", GOOD)))), "inner.zip: an archive within an archive is not opened"),
    ("control.zip", zipped(("a\nb.csv", GOOD)), "control character"),
    ("folder.zip", zipped(("sub/", "")), "the archive has no file in it"),
    ("many.zip", zipped(*((f"{i}.csv", "") for i in range(1001))), "more than 1000 files"),
    ("broken.zip", broken(zipped(("a.csv", GOOD * 50))), ""),
    ("bomb.zip", zipped(("a.csv", bytes(80 << 20))), "a.csv"),
    ("no.csv.gz", b"no archive", "it is no gzip file, or damaged"),
    ("empty.csv.gz", b"", "the archive ends too early"),
    ("short.csv.gz", gzip.compress(GOOD.encode())[:-9], "the archive ends too early"),
    ("broken.csv.gz", broken(gzip.compress(GOOD.encode() * 50)), ""),
    ("more.csv.gz", gzip.compress(GOOD.encode()) + b"more", "something behind the end"),
    ("bomb.csv.gz", gzip.compress(bytes(80 << 20)), "made to fill disks"),
]


def test_archive_that_cannot_be_trusted_is_refused_as_a_whole(project):
    project.config(TASK)
    for name, data, _ in REFUSED:
        project.drop(name, data)
    project.drop("z.csv", ZOE)
    project.call("run", status=1)
    assert sorted(files(project)) == sorted([(name, "refused", 0) for name, _, _ in REFUSED] + [("z.csv", "done", 1)])
    assert project.emails()[2:] == ["zoe@x.test"], "something of it was imported"
    for name, _, why in REFUSED:
        assert why in (project.drop_folder / "errors" / f"{name}.txt").read_text(), name


def test_archives_can_be_left_alone(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, archives: false"))
    project.drop("a.csv.gz", gzip.compress(GOOD.encode()))
    project.call("run", status=1)
    assert files(project) == [("a.csv.gz", "refused", 0)]
    project.config(TASK.replace("pattern: partner, ", ""))
    project.drop("b.csv.gz", gzip.compress(GOOD.encode()))
    project.call("run")
    assert project.rows("SELECT name, state FROM pattimpex_attachment WHERE name LIKE 'b%'") == [("b.csv.gz", "done")]


def test_archive_is_opened_again_by_retry(project):
    project.config(TASK)
    project.drop("a.csv.gz", gzip.compress(BAD.encode()))
    project.call("run", status=1)
    project.execute("INSERT INTO country (code, name) VALUES ('XX', 'Nowhere')")
    project.call("retry", "file", "1", status=None)
    project.call("run", status=None)
    assert files(project)[-1] == ("a.csv", "failed", 1) and "frank@x.test" in project.emails()


# ---------------------------------------------------------------- out

COMPRESSED = [("gzip", "", "partner.csv.gz"), ("gzip", "all.csv", "all.csv.gz"), ("gzip", "one.csv.GZ", "one.csv.GZ"), ("zip", "", "partner.csv.zip"),
              ("zip", "all.zip", "all.zip")]


def test_export_is_compressed(project):
    tasks = "".join(f"  out{n}: {{storage: drop, path: out, pattern: partner, compress: {how}{', file_name: ' + named if named else ''}}}\n"
                    for n, (how, named, _) in enumerate(COMPRESSED))
    project.config(f"export_tasks:\n{tasks}")
    project.call("run")
    tree = project.tree()
    assert sorted(tree) == sorted(f"out/{put}" for _, _, put in COMPRESSED)
    for how, _, put in COMPRESSED:
        data = tree[f"out/{put}"]
        if how == "gzip":
            text = gzip.decompress(data)
        else:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                assert archive.testzip() is None and archive.namelist() == [put.removesuffix(".zip")]
                text = archive.read(put.removesuffix(".zip"))
        assert b"alice@x.test" in text and text.count(b"\n") == 3
    assert set(project.rows("SELECT n_rows, state FROM pattimpex_file")) == {(2, "done")}


def test_what_was_compressed_comes_back(project):
    project.config(TASK + "export_tasks:\n  out: {storage: drop, path: in, pattern: partner, compress: zip}\n")
    project.call("run", "out")
    project.age(project.drop_folder / "in" / "partner.csv.zip", 60)
    assert "2 unchanged" in project.call("run", "in").stdout


# ---------------------------------------------------------------- by hand

def test_every_file_in_a_zip_by_hand(project):
    project.config("")
    (project.folder / "all.zip").write_bytes(zipped(("a.csv", GOOD), ("x/b.csv", BAD), ("y/b.csv", BAD), ("c.csv", "")))
    done = project.call("import", "partner", "all.zip", "--error-file", "bad/", "--dry-run", status=1)
    assert "a.csv: 2 created (2 rows)\n" in done.stdout and "all.zip: 4 files in it\nDry run: nothing was kept.\n" in done.stdout
    assert len(project.emails()) == 2 and "Bad rows: bad/b.csv\n" in done.stdout and (project.folder / "bad" / "b.csv").exists()
    done = project.call("import", "partner", "all.zip", "--error-file", "bad/", status=1)
    assert "Bad rows: bad/b.csv\n" in done.stdout and "Bad rows: bad/1-b.csv\n" in done.stdout and "c.csv: refused" in done.stdout
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test", "erin@x.test"]
    assert files(project) == [("a.csv", "done", 2), ("b.csv", "failed", 1), ("b.csv", "failed", 0), ("c.csv", "refused", 0)]
    ((archive, state, size),) = project.rows("SELECT id, state, size FROM pattimpex_attachment WHERE name = 'all.zip'")
    assert (state, size) == ("done", (project.folder / "all.zip").stat().st_size)
    assert project.rows("SELECT name, parent_id FROM pattimpex_attachment WHERE id <> ? ORDER BY id", archive) == [
        (name, archive) for name in ("a.csv", "b.csv", "b.csv", "c.csv")]
    for name in ("b.csv", "1-b.csv"):
        assert b"#Error" in (project.folder / "bad" / name).read_bytes()


def test_zip_by_hand_as_json(project):
    project.config("")
    (project.folder / "all.zip").write_bytes(zipped(("a.csv", GOOD), ("b.csv", BAD)))
    for history in ([], ["--no-history"]):
        told = project.json("import", "partner", "all.zip", *history, status=1)
        assert (told["name"], told["state"], told["rows"], told["failed"]) == ("all.zip", "failed", 5, 2)
        assert [(file["name"], file["state"], len(file["messages"])) for file in told["files"]] == [("a.csv", "done", 0), ("b.csv", "failed", 2)]
    (project.folder / "empty.zip").write_bytes(zipped(("c.csv", "")))
    assert project.json("import", "partner", "empty.zip", status=2)["state"] == "refused"


def test_gzip_by_hand_is_one_file(project):
    project.config("")
    (project.folder / "b.csv.gz").write_bytes(gzip.compress(BAD.encode()))
    told = project.json("import", "partner", "b.csv.gz", "--error-file", "bad.csv", status=1)
    assert told["name"] == "b.csv" and told["created"] == 1 and "files" not in told and len(told["messages"]) == 2
    assert b"#Error" in (project.folder / "bad.csv").read_bytes()
    project.call("import", "partner", "b.csv.gz", "--dry-run", "--plan", "plan.csv", status=1)
    assert (project.folder / "plan.csv").exists()


def test_several_files_have_no_place_for_one_of_bad_rows_or_one_plan(project):
    project.config("")
    (project.folder / "all.zip").write_bytes(zipped(("a.csv", GOOD), ("b.csv", BAD)))
    for arguments, words in ((["-e", "bad.csv"], "name a folder"), (["--dry-run", "--plan", "p.csv"], "a plan is of one file")):
        assert words in project.call("import", "partner", "all.zip", *arguments, status=2).stderr
    assert len(project.emails()) == 2 and files(project) == []


def test_broken_archive_by_hand(project):
    project.config("")
    (project.folder / "no.zip").write_bytes(b"no archive")
    (project.folder / "bomb.csv.gz").write_bytes(gzip.compress(bytes(100 * 1024 * 1024)))
    assert "no.zip: " in project.call("import", "partner", "no.zip", status=2).stderr
    assert "made to fill disks" in project.json("import", "partner", "bomb.csv.gz", status=2)["messages"][0]["message"]
    assert files(project) == []


def test_export_by_hand_is_compressed_as_its_name_says(project):
    project.config("")
    assert project.json("export", "partner", "-o", "out.csv.gz")["output"] == "out.csv.gz"
    plain = gzip.decompress((project.folder / "out.csv.gz").read_bytes())
    assert b"alice@x.test" in plain
    project.call("export", "partner", "-o", "all.zip")
    with zipfile.ZipFile(project.folder / "all.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"all": plain}


def test_export_by_hand_is_compressed_as_it_is_told(project):
    project.config("")
    assert project.json("export", "partner", "--compress", "zip")["output"] == "partner.csv.zip"
    with zipfile.ZipFile(project.folder / "partner.csv.zip") as archive:
        assert archive.namelist() == ["partner.csv"]
    project.call("export", "partner", "-o", "x.csv", "--compress", "gzip")
    assert gzip.decompress((project.folder / "x.csv.gz").read_bytes()).startswith(b"name,email#key") and not (project.folder / "x.csv").exists()
    for arguments, words in ((["-o", "a.zip", "--compress", "gzip"], "its name says zip, but"), (["--compress", "rar"], "it is gzip or zip"),
                             (["-o", "a.csv.gpg"], "Add --encrypt-to"), (["--encrypt-to", "me"], "the whole fingerprint"),
                             (["--sign-with", "A" * 40], "needs --encrypt-to")):
        assert words in project.call("export", "partner", *arguments, status=2).stderr
    assert project.call("import", "partner", "partner.csv.zip").stdout == "partner.csv: 2 unchanged (2 rows)\npartner.csv.zip: 1 file in it\n"
