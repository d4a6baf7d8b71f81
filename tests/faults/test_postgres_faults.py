# SPDX-License-Identifier: Apache-2.0
"""Workers of two machines on one PostgreSQL server, while the network between them and the server is cut, stalls or is reset, and while the server is
killed and started again: every row is there once, and so is everything that is counted."""
import contextlib
import os
import pathlib
import signal
import socket
import struct
import sys
import tempfile
import threading
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
import postgres  # noqa: E402  (the path comes first)
from conftest import BASE, POSTGRES_SCHEMA, PROGRAM, needs_hooks  # noqa: E402
from server import Server, state, title, until  # noqa: E402

ROWS = 240
CHUNK = 10
TASK = """
serve: {worker_lease: 1s}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, retry: {1: 100ms}}
"""


class Trap:
    """Over the first connection over which all of this has gone, in this order, nothing goes any more, its end neither: pairs of "request" or "answer"
    and bytes, of which those of the last pair do not arrive."""

    def __init__(self, *steps):
        self.steps = steps
        self.at, self.seen = {}, {}
        self.caught = None      # the port of the connection, as the server sees it
        self.opened = threading.Event()
        self.lock = threading.Lock()

    def holds(self, key, direction, data):
        with self.lock:
            if self.caught is None:
                at = self.at.get(key, 0)
                self.seen[key, direction] = (self.seen.get((key, direction), b"") + data)[-100000:]
                while self.caught is None and self.steps[at][0] == direction and self.steps[at][1] in self.seen[key, direction]:
                    self.seen[key, direction] = self.seen[key, direction].partition(self.steps[at][1])[2]
                    at += 1
                    if at == len(self.steps):
                        self.caught = key
                        break
                self.at[key] = at
            held = self.caught == key
        if held:
            self.opened.wait()
        return held


class Proxy:
    """Stands before a server: passes bytes on, or (fault) cuts, resets or stalls connections."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        self.fault = None
        self.passes = threading.Event()
        self.passes.set()
        self.trap = None
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.fault in ("cut", "reset"):
                self.end(client)
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.open |= {client, server}
            key = server.getsockname()[1]
            for direction, one, other in (("request", client, server), ("answer", server, client)):
                threading.Thread(target=self.pump, args=(key, direction, one, other), daemon=True).start()

    def pump(self, key, direction, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self.passes.wait()
                if self.trap and self.trap.holds(key, direction, data):
                    break
                other.sendall(data)
        if self.trap and self.trap.caught == key:
            self.trap.opened.wait()
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def end(self, connection):
        """The reset is sent when the thread that reads there has woken up, which it does by the end of what comes in."""
        resets = self.fault == "reset"
        with contextlib.suppress(OSError):
            if resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RD if resets else socket.SHUT_RDWR)
        connection.close()

    def begin(self, fault):
        self.fault = fault
        if fault == "stall":
            self.passes.clear()
            return
        with self.lock:
            ended, self.open = self.open, set()
        for connection in ended:
            self.end(connection)

    def mend(self):
        self.fault = None
        self.passes.set()

    def close(self):
        self.mend()
        if self.trap:
            self.trap.opened.set()
        self.listener.close()
        self.begin("cut")


class Shop:
    def __init__(self, folder, cluster):
        self.folder, self.cluster = pathlib.Path(folder), cluster
        (self.folder / "drop" / "in").mkdir(parents=True)
        self.databases = postgres.Databases(cluster.url)
        self.url = self.databases.new()
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(POSTGRES_SCHEMA)

    def config(self, url, more="", lease="1s"):
        base = BASE.replace("sqlite:shop.db", url).replace("format: csv", f"format: csv\n    chunk_size: {CHUNK}{more}")
        (self.folder / "pattimpex.yaml").write_text(base + TASK.replace("1s", lease, 1))

    def drop(self):
        path = self.folder / "drop" / "in" / "rows.csv"
        path.write_text("name,email#key\n" + "".join(f"P{i},p{i}@x.test\n" for i in range(ROWS)))
        os.utime(path, (1e9, 1e9))

    def rows(self, sql, *values):
        db = psycopg2.connect(self.url)
        try:
            db.autocommit = True
            with db.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            db.close()

    def queue_fetch(self):
        self.rows("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, created, started, ended)"
                  " VALUES ('fetch', 'root.fetch', 10, 0, 0, 0, 0, 'fetch:in', 'pending', 'in', 0, 0, 0)")

    def lives(self, servers):
        """Whether all of them can be given jobs."""
        return [title(server.pid) for server in servers] == ["pattimpex: worker idle"] * len(servers)

    def loaded(self):
        return self.rows("SELECT count(*) FROM pattimpex_chunk WHERE state = 'done'")[0][0]

    def idle(self):
        return not self.rows("SELECT 1 FROM pattimpex_job WHERE state IN ('waiting', 'pending', 'started')")

    def assert_all_is_there_once(self):
        assert self.rows("SELECT kind, state, error FROM pattimpex_job WHERE state <> 'done'") == []
        assert sorted(email for (email,) in self.rows("SELECT email FROM partner WHERE id > 2")) == sorted(f"p{i}@x.test" for i in range(ROWS))
        assert self.rows("SELECT state, n_rows, n_created FROM pattimpex_file") == [("done", ROWS, ROWS)]
        assert self.rows("SELECT sum(n_created) FROM pattimpex_chunk") == [(ROWS,)]
        assert self.rows("SELECT sum(n) FROM pattimpex_counter WHERE subject = 'rows'") == [(ROWS,)]
        assert self.rows("SELECT sum(n) FROM pattimpex_counter WHERE subject = 'file'") == [(1,)]
        assert [p.name for p in (self.folder / "drop" / "done").iterdir()] == ["rows.csv"]


@pytest.fixture(scope="module")
def cluster():
    made = postgres.Cluster()
    yield made
    made.stop()


@pytest.fixture
def shop(tmp_path, cluster):
    return Shop(tmp_path, cluster)


@contextlib.contextmanager
def workers(shop, *hosts, env=None):
    """A worker a machine."""
    with contextlib.ExitStack() as stack:
        with tempfile.TemporaryDirectory() as temporary:
            yield [stack.enter_context(Server(PROGRAM, shop.folder, "worker", env={"PATTIMPEX_HOST": host, "TMPDIR": temporary, **(env or {})}))
                   for host in hosts]
            stack.close()


def waits(server):
    return title(server.pid).endswith("waiting for the database")


@pytest.mark.parametrize("fault", ["cut", "reset", "stall"])
def test_network_fails_and_comes_back(shop, cluster, fault):
    proxy = Proxy(cluster.port)
    try:
        shop.config(through(shop, proxy))
        shop.drop()
        with workers(shop, "one", "two") as both:
            until("both are there", lambda: shop.lives(both))
            shop.queue_fetch()
            for at in 3, 9:
                until("some rows are loaded", lambda at=at: shop.loaded() >= at or shop.idle())
                proxy.begin(fault)
                until("nobody is held to live", lambda: not shop.rows(
                    "SELECT 1 FROM pattimpex_worker WHERE lease > extract(epoch FROM clock_timestamp()) * 1000000"))
                proxy.mend()
                until("one is there again", lambda: shop.idle() or shop.rows(
                    "SELECT 1 FROM pattimpex_worker WHERE lease > extract(epoch FROM clock_timestamp()) * 1000000"))
            until("all is done", shop.idle)
            assert [server.process.poll() for server in both] == [None, None]
        shop.assert_all_is_there_once()
    finally:
        proxy.close()


def through(shop, proxy):
    parts = urlsplit(shop.url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{proxy.port}"))


@pytest.mark.parametrize("steps", [
    [("request", b'COPY "partner"'), ("request", b"p105@x.test")],
    [("request", b"p105@x.test"), ("answer", b"COMMIT")],
], ids=["rows-do-not-arrive", "commit-is-not-answered"])
def test_connection_over_which_nothing_comes_is_given_up(shop, cluster, steps):
    """That of the work alone: the signs of life of the worker arrive."""
    proxy = Proxy(cluster.port)
    proxy.trap = Trap(*steps)
    try:
        shop.config(through(shop, proxy))
        shop.drop()
        with workers(shop, "one") as (server,):
            until("it is there", lambda: shop.lives([server]))
            shop.queue_fetch()
            until("nothing goes over its connection", lambda: proxy.trap.caught)
            server.logged("nothing more came over the connection")
            until("all is done", shop.idle)
            assert server.process.poll() is None
            until("the server has let the connection go",
                  lambda: not shop.rows("SELECT 1 FROM pg_stat_activity WHERE client_port = %s", proxy.trap.caught))
        shop.assert_all_is_there_once()
    finally:
        proxy.close()


def test_connection_on_which_the_server_works_is_kept(shop, cluster):
    proxy = Proxy(cluster.port)
    holder = psycopg2.connect(shop.url)
    signs = set()

    def lives_on():
        signs.update(shop.rows("SELECT lease FROM pattimpex_worker"))
        return len(signs) > 9       # three leases
    try:
        shop.config(through(shop, proxy))
        shop.drop()
        with workers(shop, "one") as (server,):
            until("it is there", lambda: shop.lives([server]))
            holder.cursor().execute("LOCK TABLE partner IN SHARE MODE")
            shop.queue_fetch()
            (waits,) = until("it waits for the lock", lambda: shop.rows("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
                                                                       " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
            until("signs of life have come", lives_on)
            assert shop.rows("SELECT pid FROM pg_locks WHERE NOT granted AND pid = %s", waits)
            holder.rollback()
            until("all is done", shop.idle)
        assert shop.rows("SELECT sum(deaths), sum(retries) FROM pattimpex_job") == [(0, 0)]
        shop.assert_all_is_there_once()
    finally:
        holder.close()
        proxy.close()


@needs_hooks
def test_server_is_killed_and_started_again(shop, cluster):
    shop.config(shop.url)
    shop.drop()
    with workers(shop, "one", "two", env={"PATTIMPEX_PAUSE_AT": "chunk-filled:3"}) as both:
        until("both are there", lambda: shop.lives(both))
        shop.queue_fetch()
        until("one holds at a chunk", lambda: [s for s in both if state(s.pid) == "T"])
        cluster.restart()
        for server in both:
            server.tell(signal.SIGCONT)
            until("it works on", lambda server=server: not waits(server))
        until("all is done", lambda: [server.tell(signal.SIGCONT) for server in both] and shop.idle())
        assert [server.process.poll() for server in both] == [None, None]
    shop.assert_all_is_there_once()


@needs_hooks
def test_chunks_of_a_file_are_loaded_at_once(shop):
    """While one worker holds in the middle of its part, the other one loads the other part to its end."""
    shop.config(shop.url, "\n    process_multi: 2", lease="10m")     # who holds keeps its job
    shop.drop()
    with workers(shop, "one", "two", env={"PATTIMPEX_PAUSE_AT": "part-filled:2"}) as both:
        until("both are there", lambda: shop.lives(both))
        shop.queue_fetch()
        until("both hold at chunks of their own", lambda: [state(s.pid) for s in both] == ["T", "T"])
        assert len(shop.rows("SELECT DISTINCT c.part FROM pattimpex_job AS j JOIN pattimpex_chunk AS c ON c.job_id = j.id"
                             " WHERE j.state = 'started'")) == 2
        for server in both:
            server.tell(signal.SIGCONT)
        until("all is done", shop.idle)
    shop.assert_all_is_there_once()
