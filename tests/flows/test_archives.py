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
