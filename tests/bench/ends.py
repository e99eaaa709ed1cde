#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench-ends: many sandboxes of ten owners that end in the same second.

    ends.py [SANDBOXES [STUBBORN]]      on a private machine

When the first processes of all of them are gone, counted from their time;
STUBBORN of one owner's have a process that ignores every polite signal. Then
when their files are.
"""

import http.client
import json
import os
import select
import socket
import sqlite3
import subprocess
import sys
import time

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
STUBBORN = int(sys.argv[2]) if len(sys.argv) > 2 else 40
OWNERS = 10
FIRST_UID = 2000
AHEAD = 8  # seconds from the last preparation to the end

BUILD = os.environ["BUILDDIR"]
WORK = "/srv/bench"
STATE = WORK + "/state"
SOCKET = WORK + "/run/sandboxd.sock"
IGNORING = """trap '' HUP TERM; sleep 1000 </dev/null >/dev/null 2>&1 &"""


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def create(owner):
    """As one owner, one after the other."""
    os.setresgid(FIRST_UID + owner, FIRST_UID + owner, FIRST_UID + owner)
    os.setresuid(FIRST_UID + owner, FIRST_UID + owner, FIRST_UID + owner)
    for n in range(owner, COUNT, OWNERS):
        c = Connection("localhost", timeout=120)
        c.request("POST", "/v1/sandboxes",
                  json.dumps({"id": f"run-{n}", "timeout": "1h"}))
        answer = c.getresponse()
        if answer.status != 201:
            sys.exit(f"create: {answer.status} {answer.read().decode()}")
        c.close()


def all_of(job, count):
    children = []
    for n in range(count):
        pid = os.fork()
        if pid == 0:
            job(n)
            os._exit(0)
        children.append(pid)
    for pid in children:
        if os.waitpid(pid, 0)[1] != 0:
            sys.exit("a preparation failed")


def first_process(n):
    """What does not die with us, of the process 1 of a sandbox."""
    with open(f"{STATE}/sandboxes/run-{n}/init", encoding="ascii") as f:
        return os.pidfd_open(int(f.readline().split()[0]))


def files():
    return sum(os.path.exists(f"{STATE}/sandboxes/run-{n}")
               for n in range(COUNT))


def main():
    os.makedirs(WORK)
    env = dict(os.environ, HOME="/home/root",
               PATH="/usr/local/sbin:/usr/local/bin:" + os.environ["PATH"],
               SANDBOX_BROKER="unix:" + SOCKET)
    subprocess.run(["make", "-s", "-C", BUILD, "install"], check=True,
                   env=env, capture_output=True)
    subprocess.run(["sandbox-proxy", "setup"], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["sandboxd", "--daemon", "--state-dir", STATE,
                    "--runtime-dir", WORK + "/run"], check=True, env=env)
    began = time.monotonic()
    all_of(create, OWNERS)
    print(f"{COUNT} sandboxes of {OWNERS} owners, made in "
          f"{time.monotonic() - began:.0f} s")
    for n in range(STUBBORN):
        subprocess.run(["ssh", f"run-{n * OWNERS}.sandbox", IGNORING], check=True, env=env)
    gone = {first_process(n): n for n in range(COUNT)}
    poll = select.poll()
    for fd in gone:
        poll.register(fd, select.POLLIN)
    end = int(time.time()) + AHEAD
    ticks = int(time.clock_gettime(time.CLOCK_BOOTTIME)) + AHEAD
    db = sqlite3.connect(STATE + "/db/sandboxd.db", timeout=30)
    db.execute("UPDATE sandboxes SET expires_at = ?, end_ticks = ?",
               (end, ticks))
    db.commit()
    db.close()
    # Both clocks must have reached it.
    end = max(end, time.time() + ticks -
              time.clock_gettime(time.CLOCK_BOOTTIME))
    times = {}
    while len(times) < COUNT:
        for fd, _ in poll.poll():
            times[gone[fd]] = time.time() - end
            poll.unregister(fd)
    polite = sorted(t for n, t in times.items()
                    if n % OWNERS or n // OWNERS >= STUBBORN)
    others = sorted(t for n, t in times.items()
                    if not (n % OWNERS or n // OWNERS >= STUBBORN))
    print(f"ended, seconds after their time: first {polite[0]:.2f}, "
          f"half {polite[len(polite) // 2]:.2f}, last {polite[-1]:.2f}")
    if others:
        print(f"those that resist ({STUBBORN}): first {others[0]:.2f}, "
              f"last {others[-1]:.2f}")
    while files():
        time.sleep(0.1)
    print(f"files gone after {time.time() - end:.1f} s")
    subprocess.run(["sandboxd", "--stop", "--state-dir", STATE,
                    "--runtime-dir", WORK + "/run"], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    late = max(times.values())
    print(f"all ended within 2 s: {'yes' if late <= 2 else 'NO'}")
    return 0 if late <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
