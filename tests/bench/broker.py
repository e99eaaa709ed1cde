#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""broker.py: what sandboxd can do (make bench-broker).

Certificates a second beside bare signatures on one core and ssh-keygen -s,
creates a second, resolving among many sandboxes, and what it costs when
nobody calls.  Everything in one run on one machine: short rounds in turns,
the best of each, ratios.  h2load is of Debian's nghttp2-client.

environment: BENCH_ROUNDS (3), BENCH_SECONDS (2) of each measurement,
BENCH_CONNECTIONS (1 16 256), BENCH_SANDBOXES (32) that certificates are for,
BENCH_RUNNING (1000) while nobody calls, BENCH_ROWS (1000 100000 1000000),
BENCH_PARTS (all of them: certificates creates resolving idle), BENCH_DISK (of
the build folder) that has the state
"""
import glob
import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time

SRC, BUILD = os.environ["SRCDIR"], os.environ["BUILDDIR"]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
SECONDS = int(os.environ.get("BENCH_SECONDS", 2))
SANDBOXES = int(os.environ.get("BENCH_SANDBOXES", 32))
RUNNING = int(os.environ.get("BENCH_RUNNING", 1000))
ROWS = [int(n) for n in
        os.environ.get("BENCH_ROWS", "1000 100000 1000000").split()]
PARTS = os.environ.get("BENCH_PARTS",
                       "certificates creates resolving idle").split()
WORK = "/srv/bench"
STATE = "/srv/disk/state"
CONNECTIONS = [int(n) for n in
               os.environ.get("BENCH_CONNECTIONS", "1 16 256").split()]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Broker:
    """Root's sandboxd with a state of its own."""

    def __init__(self):
        self.libexec = WORK + "/libexec"
        self.socket = WORK + "/run/sandboxd.sock"
        self.database = STATE + "/db/sandboxd.db"
        os.makedirs(self.libexec)
        for program in ("init/sandbox-init", "authkeys/sandbox-authkeys"):
            shutil.copy(f"{BUILD}/{program}", self.libexec)
        os.environ["SANDBOX_SSH_LIBEXEC"] = self.libexec
        with open(WORK + "/sandboxd.conf", "w") as f:
            f.write("[limits]\nconnections = 512\n"
                    f"max_sandboxes = {max(RUNNING, SANDBOXES) + 1000}\n")

    def sandboxd(self, *options):
        subprocess.run(
            (BUILD + "/sandboxd", "--config", WORK + "/sandboxd.conf",
             "--state-dir", STATE, "--runtime-dir", WORK + "/run",
             *options), check=True, stdout=subprocess.DEVNULL)

    def start(self):
        self.sandboxd("--daemon")

    def stop(self):
        self.sandboxd("--stop")

    def call(self, method, path, body=None, connection=None):
        connection = connection or Connection(self.socket)
        connection.request(method, path, body and json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None

    def create(self, names, threads=1):
        """Returns sandboxes a second."""
        names = list(names)
        begin = time.monotonic()
        count = len(names)

        def work():
            connection = Connection(self.socket)
            while True:
                try:
                    name = names.pop()
                except IndexError:
                    return
                self.call("POST", "/v1/sandboxes", {"id": name}, connection)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return count / (time.monotonic() - begin)

    def load(self, connections, uris, body=None, seconds=SECONDS):
        """Calls a second, median and 99th percentile in milliseconds, and
        microseconds of a processor that sandboxd takes for each."""
        log = WORK + "/h2load.log"
        if os.path.exists(log):
            os.unlink(log)
        with open(WORK + "/uris", "w") as f:
            f.writelines(f"http://localhost{uri}\n" for uri in uris)
        command = ["h2load", "--h1", "-t1", f"-c{connections}",
                   f"-D{seconds}", f"-Bunix:{self.socket}",
                   f"--input-file={WORK}/uris", f"--log-file={log}"]
        if body is not None:
            with open(WORK + "/body", "w") as f:
                json.dump(body, f)
            command.append(f"--data={WORK}/body")
        before = self.processor_time()
        out = run(*command)
        used = self.processor_time() - before
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, "
                          r"(\d+) 5xx", out)
        if not codes or int(codes[1]) == 0 or codes.groups()[1:] != ("0",) * 3:
            sys.exit(out)
        with open(log) as f:
            times = sorted(int(line.split()[2]) for line in f)
        return (int(codes[1]) / seconds, times[len(times) // 2] / 1000,
                times[len(times) * 99 // 100] / 1000,
                used * 1e6 / int(codes[1]))

    def processor_time(self):
        ticks = 0
        for pid, name in self.processes():
            if name.startswith("sandboxd"):
                with open(f"/proc/{pid}/stat") as f:
                    words = f.read().rsplit(")", 1)[1].split()
                ticks += sum(int(word) for word in words[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def processes(self):
        """PID and name of each of sandboxd's, and of what runs for it."""
        for stat in glob.glob("/proc/[0-9]*/comm"):
            try:
                with open(stat) as f:
                    name = f.read().strip()
            except FileNotFoundError:
                continue
            if name.startswith(("sandboxd", "sandbox-init", "bwrap")):
                yield int(stat.split("/")[2]), name


def best(rounds):
    """Of several results the one with the most a second."""
    return max(rounds, key=lambda result: result[0])


def bare(seconds=1):
    return int(run(BUILD + "/tests/bench/sign", str(seconds * 1000)))


def by_script(count=50):
    """ssh-keygen -s, as a script would call it: certificates a second."""
    begin = time.monotonic()
    for serial in range(count):
        run("ssh-keygen", "-qs", WORK + "/ca", "-I", "root/bench-1",
            "-n", "bench-1", "-z", str(serial), "-V", "-1m:+1m",
            WORK + "/user.pub")
    return count / (time.monotonic() - begin)


def wish():
    """Certificates that end so soon that a sandbox may always have more."""
    with open(WORK + "/user.pub") as f:
        return {"public_key": f.read().strip(), "ttl": "1s"}


def ssh_uris(count):
    return [f"/v1/sandboxes/bench-{n}/ssh" for n in range(count)]


def certificates(broker):
    results = {c: [] for c in CONNECTIONS}
    signatures = []
    script = by_script()
    for _ in range(ROUNDS):
        signatures.append(bare())
        for connections in CONNECTIONS:
            results[connections].append(broker.load(
                connections, ssh_uris(SANDBOXES), wish()))
    signatures = max(signatures)
    print(f"bare crypto_sign_detached, one core   {signatures:8d}/s")
    print(f"ssh-keygen -s, a process each         {script:8.0f}/s"
          f"  {script / signatures:.3f}")
    for connections in CONNECTIONS:
        rate, p50, p99, _ = best(results[connections])
        used = min(result[3] for result in results[connections])
        print(f"certificates, {connections:3d} connections         {rate:8.0f}/s"
              f"  {rate / signatures:.3f}  p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
              f"{used:.0f} us of a processor")
    health = broker.load(16, ["/v1/health"])
    print(f"(health, 16 connections)              {health[0]:8.0f}/s")


def creates(broker):
    for threads in (1, 4):
        count = 8 * threads
        rate = best([(broker.create((f"made-{threads}-{r}-{n}"
                                     for n in range(count)), threads),)
                     for r in range(ROUNDS)])[0]
        print(f"creates, {threads} at once                    {rate:8.1f}/s")
    for threads in (1, 4):
        for r in range(ROUNDS):
            for n in range(8 * threads):
                broker.call("DELETE", f"/v1/sandboxes/made-{threads}-{r}-{n}")


def add_rows(broker, have, want):
    """Stopped sandboxes of others, straight into the database."""
    db = sqlite3.connect(broker.database)
    columns = [row[1] for row in db.execute("PRAGMA table_info(sandboxes)")]
    row = dict(zip(columns, db.execute(
        "SELECT * FROM sandboxes WHERE id = 'bench-0'").fetchone()))

    def rows():
        for n in range(have, want):
            owner = f"user{n // 1000}"
            yield [*{**row, "id": f"row-{n * 7919 % 10 ** 7:07d}",
                     "state": "stopped", "owner": owner,
                     "person": owner, "incarnation": n}.values()]

    db.executemany("INSERT INTO sandboxes VALUES (%s)"
                   % ",".join("?" * len(columns)), rows())
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def resolving(broker):
    """Credentials of the same sandboxes, with so many others beside them."""
    least, have = {}, 0
    for rows in ROWS:
        broker.stop()
        add_rows(broker, have, rows)
        have = rows
        begin = time.monotonic()
        broker.start()
        took = time.monotonic() - begin
        broker.load(16, ssh_uris(SANDBOXES), wish(), 1)
        results = [broker.load(16, ssh_uris(SANDBOXES), wish())
                   for _ in range(ROUNDS)]
        least[rows] = min(result[3] for result in results)
        p50 = min(result[1] for result in results)
        page = min(broker.load(1, ["/v1/sandboxes?state=stopped&limit=1"], None,
                               1)[1] for _ in range(ROUNDS))
        print(f"among {rows:7d} sandboxes: {least[rows]:.0f} us of a processor, "
              f"{least[rows] / least[ROWS[0]]:.2f} of that among {ROWS[0]}; "
              f"p50 {p50:.2f} ms; a page of the list {page:.3f} ms; "
              f"start {took:.2f} s")


def switches(broker):
    """How often anything of each program was woken, all threads."""
    counts = {}
    for pid, name in broker.processes():
        for status in glob.glob(f"/proc/{pid}/task/*/status"):
            with open(status) as f:
                count = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                      f.read(), re.M)[1])
            counts[name] = counts.get(name, 0) + count
    return counts


def memory(broker, name):
    total = 0
    for pid, comm in broker.processes():
        if comm.startswith(name):
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return total / 1024


def idle(broker):
    broker.create((f"idle-{n}" for n in range(SANDBOXES, RUNNING)), 4)
    time.sleep(3)
    seconds = 20
    before = switches(broker)
    time.sleep(seconds)
    after = switches(broker)
    print(f"{RUNNING} sandboxes run and nobody calls; woken a second:")
    for name in sorted(after):
        print(f"    {name:20s} {(after[name] - before.get(name, 0)) / seconds:8.2f}")
    print(f"memory (Pss): sandboxd {memory(broker, 'sandboxd'):.1f} MiB, "
          f"a sandbox "
          f"{(memory(broker, 'sandbox-init') + memory(broker, 'bwrap')) / RUNNING:.2f} MiB")


def main():
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    broker = Broker()
    broker.start()
    try:
        broker.create((f"bench-{n}" for n in range(SANDBOXES)), 4)
        for name in ("ca", "user"):
            run("ssh-keygen", "-qt", "ed25519", "-N", "", "-f",
                f"{WORK}/{name}")
        parts = {"certificates": certificates, "creates": creates,
                 "resolving": resolving, "idle": idle}
        for part in PARTS:
            parts[part](broker)
    finally:
        broker.stop()


if __name__ == "__main__":
    main()
