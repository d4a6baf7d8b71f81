# SPDX-License-Identifier: Apache-2.0
"""graphile-worker and pg-boss (from npm) as bench/queue_pg.py measures them: processes that do nothing for each job of a queue; nothing where npm is
not there."""
import pathlib
import shutil
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "build" / "bench" / "npm-queues"
PACKAGES = ("graphile-worker@0.17.3", "pg-boss@10.4.2")
START = "const url = process.argv[1]; const begin = () => new Promise(r => {console.log('ready'); process.stdin.once('data', r)});"
# as its makers tune it for throughput
GRAPHILE = START + """
const {run, Logger} = require('graphile-worker');
(async () => {
  await begin();
  const none = new Logger(() => () => {});
  await run({connectionString: url, pollInterval: 1000, logger: none, noHandleSignals: true, taskList: {noop: async () => {}},
             preset: {worker: {concurrentJobs: 24, maxPoolSize: 25, localQueue: {size: 500}, completeJobBatchDelay: 0, failJobBatchDelay: 0}}});
})();
"""
PG_BOSS = START + """
const PgBoss = require('pg-boss');
(async () => {
  const boss = new PgBoss({connectionString: url, supervise: false, schedule: false});
  await boss.start();
  await begin();
  for (;;) {
    const jobs = await boss.fetch('noop', {batchSize: +process.argv[2]});
    if (jobs.length === 0) break;
    await boss.complete('noop', jobs.map(job => job.id));
  }
})();
"""
MAKE_GRAPHILE = "require('graphile-worker').runMigrations({connectionString: process.argv[1]})"
MAKE_PG_BOSS = """
const PgBoss = require('pg-boss');
(async () => {
  const boss = new PgBoss({connectionString: process.argv[1], supervise: false, schedule: false});
  await boss.start(); await boss.createQueue('noop');
  for (let left = +process.argv[2]; left > 0; left -= 5000)
    await boss.insert(Array.from({length: Math.min(left, 5000)}, (_, n) => ({name: 'noop', data: {n}})));
  await boss.stop({graceful: false});
})();
"""
FILL_GRAPHILE = "SELECT count(*) FROM generate_series(1, %s) AS n, LATERAL graphile_worker.add_job('noop', json_build_object('n', n)) AS job"
# what is asked until it is true
DONE_GRAPHILE = "SELECT NOT EXISTS (SELECT 1 FROM graphile_worker._private_jobs)"
DONE_PG_BOSS = "SELECT NOT EXISTS (SELECT 1 FROM pgboss.job WHERE name = 'noop' AND state < 'completed')"


def installed():
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    if not (FOLDER / "node_modules" / "pg-boss").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", FOLDER, *PACKAGES], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return done.returncode == 0
    return True


def command(script, *arguments):
    return ["env", f"NODE_PATH={FOLDER / 'node_modules'}", "node", "-e", script, *map(str, arguments)]


def make_graphile(url, cursor, jobs):
    subprocess.run(command(MAKE_GRAPHILE, url), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cursor.execute(FILL_GRAPHILE, (jobs,))


def make_pg_boss(url, cursor, jobs):
    subprocess.run(command(MAKE_PG_BOSS, url, jobs), check=True, stdout=subprocess.DEVNULL)


# name -> how its jobs are made, what a process runs, what says that all are done
PEERS = {"graphile-worker, tuned": (make_graphile, GRAPHILE, DONE_GRAPHILE), "pg-boss": (make_pg_boss, PG_BOSS, DONE_PG_BOSS)}
