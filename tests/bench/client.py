#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""client.py: what the client costs, against its neighbours (make bench-client).

Everything in one run on one machine: rounds in which each way has its turn,
medians, ratios.  The budgets are those of the design.  A neighbour that is
not installed is left out, and said so.  systemd-ssh-proxy, which Debian 12
has not, is the one of tests/bench/fetch-peers (BENCH_PEERS).

environment: BENCH_ROUNDS (25) logins a way, BENCH_LAPS (300) short programs,
BENCH_MIB (4096) of throughput in BENCH_PIECES (8), BENCH_REPEAT (3) times for
the processor time
"""
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SRC, BUILD = os.environ["SRCDIR"], os.environ["BUILDDIR"]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 25))
LAPS = int(os.environ.get("BENCH_LAPS", 300))
MIB = int(os.environ.get("BENCH_MIB", 4096))
REPEAT = int(os.environ.get("BENCH_REPEAT", 3))
PIECES = int(os.environ.get("BENCH_PIECES", 8))
RELAY_SHARE = 0.85  # budget: of the processor time of the ssh beside it
ALIAS = "run-1234.sandbox"
FIXTURES = SRC + "/tests/fixtures/"
PYTHON = "/usr/bin/python3"


def has_slow_kex():
    """Is this client's first choice the one that local_kex is about?"""
    told = subprocess.run(["ssh", "-F", "none", "-G", "x"], check=True,
                          capture_output=True, text=True).stdout
    return "mlkem768x25519" not in told


SLOW_KEX = has_slow_kex()


class World:
    """Keys, a cache, and servers that end with us."""

    def __init__(self, folder):
        self.dir = folder
        self.servers = []
        os.mkdir(folder + "/libexec")
        os.symlink(BUILD + "/sandbox-relay", folder + "/libexec/sandbox-relay")
        os.environ["SANDBOX_SSH_LIBEXEC"] = folder + "/libexec"
        for name in ("host", "key"):
            self.run("ssh-keygen", "-qt", "ed25519", "-N", "", "-f", self.path(name))
        self.make_certificates()
        with open(self.path("sshd_config"), "w") as f:
            f.write(
                f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
                "StrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            )
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
        first = self.serve(
            BUILD + "/tests/bench/serve", self.path("sock"),
            sshd, "-i", "-f", self.path("sshd_config"),
        )
        self.port = int(first)
        self.serves = self.servers[-1].pid
        # For programs that only connect: nobody is woken by it.
        self.quiet = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.local = socket.socket(socket.AF_UNIX)
        self.local.bind(self.path("quiet"))
        self.local.listen(4096)
        self.proxy = self.free_port()
        self.serve(PYTHON, FIXTURES + "http_proxy.py", str(self.proxy))
        with open(self.path("client.conf"), "w") as f:
            f.write(f"[endpoint]\nca_file = {folder}/ca.pem\n")

    def path(self, name):
        return self.dir + "/" + name

    @staticmethod
    def run(*words):
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make_certificates(self):
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes", "-days", "2")
        self.run("openssl", "req", "-x509", *new, "-subj", "/CN=ca",
                 "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"))
        self.run("openssl", "req", *new[:-2], "-subj", "/CN=server",
                 "-keyout", self.path("tls.key"), "-out", self.path("tls.csr"))
        with open(self.path("ext"), "w") as f:
            f.write("subjectAltName=IP:127.0.0.1\n")
        self.run("openssl", "x509", "-req", "-days", "2", "-in",
                 self.path("tls.csr"), "-CA", self.path("ca.pem"), "-CAkey",
                 self.path("ca.key"), "-CAcreateserial", "-extfile",
                 self.path("ext"), "-out", self.path("tls.pem"))

    @staticmethod
    def free_port():
        with socket.create_server(("127.0.0.1", 0)) as s:
            return s.getsockname()[1]

    def serve(self, *words):
        """A server of ours: it says a line when it listens."""
        server = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.servers.append(server)
        return server.stdout.readline()

    def serve_other(self, port, *words):
        server = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.servers.append(server)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{words[0]} does not listen")

    def end(self):
        for server in self.servers:
            if server.stdin:
                server.stdin.close()
            else:
                server.send_signal(signal.SIGTERM)
            server.wait()

    def cache(self, name, endpoint, local_kex=False):
        """A cache of its own for each endpoint, and what ssh is told."""
        cache = self.path("cache-" + name)
        entry = cache + "/" + ALIAS
        os.makedirs(entry, 0o700)
        os.chmod(cache, 0o700)
        shutil.copy(self.path("key"), entry + "/id_ed25519")
        with open(self.path("host.pub")) as f:
            key = " ".join(f.read().split()[:2])
        with open(entry + "/known_hosts", "w") as f:
            f.write(f"{ALIAS} {key}\n")
        with open(entry + "/session", "w") as f:
            f.write("version=1\nid=run-1234\nuser=root\nstate=running\n"
                    "not_after=99999999999\nsingle_use=no\nincarnation=\nbroker=\n"
                    f"origin={self.origin()}\n"
                    f"endpoint={endpoint}\n")
        os.chmod(entry + "/session", 0o600)
        if local_kex:
            with open(cache + "/hosts.conf", "w") as f:
                f.write(f"Host {ALIAS}\n"
                        "    KexAlgorithms ^curve25519-sha256\n")
        proxy = [BUILD + "/sandbox-proxy", "--cache", cache,
                 "--config", self.path("client.conf")]
        text = subprocess.run(proxy + ["print-config"], check=True,
                              capture_output=True, text=True).stdout
        with open(self.path("config-" + name), "w") as f:
            f.write(text)
        return proxy

    def origin(self):
        st = os.stat(self.path("client.conf"))
        seconds, nanoseconds = divmod(st.st_ctime_ns, 10**9)
        return f"{st.st_dev}.{st.st_ino}.{seconds}.{nanoseconds:09}"

    def ssh_ours(self, name):
        return ["ssh", "-F", self.path("config-" + name), "-l", "root", ALIAS]

    def ssh_plain(self, *options):
        return ["ssh", "-F", "none", "-o", "UserKnownHostsFile=" +
                self.path("plain_hosts"), "-o", "IdentitiesOnly=yes", "-o",
                "PreferredAuthentications=publickey", "-o",
                "GlobalKnownHostsFile=none", "-i", self.path("key"), *options,
                "-p", str(self.port), "-l", "root", "127.0.0.1"]


def table(title, rows, unit):
    """rows: name, value, ratio, what it is a ratio to, budget or None"""
    print(f"\n{title}")
    for name, value, ratio, budget, least in rows:
        line = f"  {name:<34} {value:>10.3f} {unit}"
        if ratio is not None:
            line += f"  {ratio:>6.3f}"
        if budget is not None:
            good = ratio >= budget if least else ratio <= budget
            line += (f"  budget {'>=' if least else '<='} {budget}"
                     f"  {'ok' if good else 'OVER'}")
            if not good:
                over.append(f"{title}: {name}")
        print(line, flush=True)


over = []


def measure(ways, rounds, once):
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(once(way))
    return {name: statistics.median(t) for name, t in times.items()}


def login(words):
    begin = time.monotonic()
    subprocess.run(words + ["true"], check=True, stdin=subprocess.DEVNULL)
    return (time.monotonic() - begin) * 1000


def find_systemd():
    """The peers' folder is where fetch-peers was told to put them."""
    peers = os.environ.get("BENCH_PEERS", BUILD + "/tests/bench/peers")
    return shutil.which(peers + "/systemd-ssh-proxy")


def logins(w):
    fdpass = ("-o", "ProxyUseFdpass=yes")
    ways = {"direct": w.ssh_plain(), "sandbox-proxy, tcp": w.ssh_ours("tcp"),
            "sandbox-proxy, unix": w.ssh_ours("unix"),
            "sandbox-proxy, unix, local_kex": w.ssh_ours("local"),
            "sandbox-proxy, connect": w.ssh_ours("connect"),
            "sandbox-proxy, tls": w.ssh_ours("tls"),
            "sandbox-proxy, wss": w.ssh_ours("wss")}
    neighbours = {
        "nc -F": (["nc", "-F", "%h", "%p"], fdpass),
        "nc": (["nc", "%h", "%p"], ()),
        "socat": (["socat", "-", "TCP:%h:%p"], ()),
        "connect-proxy": (["connect-proxy", "%h", "%p"], ()),
        "corkscrew (HTTP proxy)":
            (["corkscrew", "127.0.0.1", str(w.proxy), "%h", "%p"], ()),
    }
    systemd = find_systemd()
    if systemd:
        neighbours["systemd-ssh-proxy, unix"] = (
            [systemd, "unix" + w.path("sock"), "22"], fdpass)
    else:
        print("systemd-ssh-proxy: not measured: tests/bench/fetch-peers "
              "tests/bench/peers fetches it")
    for name, (command, options) in neighbours.items():
        if not shutil.which(command[0]):
            print(f"{command[0]} is not installed")
            continue
        ways[name] = w.ssh_plain(
            "-o", "ProxyCommand=" + " ".join(command), *options)
    for way in ways.values():
        login(way)
    got = measure(ways, ROUNDS, login)
    budgets = {"sandbox-proxy, tcp": 0.87, "sandbox-proxy, unix": 0.72}
    if SLOW_KEX:
        budgets["sandbox-proxy, unix, local_kex"] = 0.40
    table("ssh ... true, and its ratio to direct",
          [(n, t, t / got["direct"], budgets.get(n), False)
           for n, t in got.items()], "ms")


def lap(mode, commands):
    words = [BUILD + "/tests/bench/lap", mode, str(LAPS)]
    for i, command in enumerate(commands):
        words += (["--"] if i else []) + command
    out = subprocess.run(words, check=True, capture_output=True,
                         text=True).stdout
    return [int(line) / 1e6 for line in out.split()]


def programs(w, ours):
    empty, prepare = lap("exit", [
        [BUILD + "/tests/bench/nothing"], ours["tcp"] + ["prepare", ALIAS]])
    table("programs, and their ratio to an empty one",
          [("an empty static program", empty, None, None, False),
           ("sandbox-proxy prepare, warm", prepare, prepare / empty, 2.0,
            False)], "ms")
    nc = shutil.which("nc")
    port = w.quiet.getsockname()[1]
    ways = {"nc -F": [nc, "-F", "127.0.0.1", str(port)]} if nc else {}
    for name, endpoint in (("tcp", f"tcp://127.0.0.1:{port}"),
                           ("unix", "unix:" + w.path("quiet"))):
        ways["connect --fdpass, " + name] = (
            w.cache("quiet-" + name, endpoint) +
            ["connect", "--fdpass", ALIAS, "22"])
    systemd = find_systemd()
    if systemd:
        ways["systemd-ssh-proxy, unix"] = [
            systemd, "unix" + w.path("quiet"), "22"]
    got = dict(zip(ways, lap("descriptor", list(ways.values()))))
    base = got.get("nc -F")
    table("time to the descriptor, and its ratio to nc -F",
          [(n, t, base and t / base,
            1.0 if base and n == "connect --fdpass, tcp" else None, False)
           for n, t in got.items()], "ms")


def up(words):
    begin = time.monotonic()
    feed = subprocess.Popen(["head", "-c", f"{MIB // PIECES}M", "/dev/zero"],
                            stdout=subprocess.PIPE)
    subprocess.run(words + ["cat >/dev/null"], check=True, stdin=feed.stdout)
    feed.wait()
    return MIB // PIECES / (time.monotonic() - begin)


def down(words):
    begin = time.monotonic()
    subprocess.run(words + [f"head -c {MIB // PIECES}M /dev/zero"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return MIB // PIECES / (time.monotonic() - begin)


def find_process(program, word=b""):
    """The newest one of that program, a word of whose command is known."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read()
        except OSError:
            continue
        if program in command.partition(b"\0")[0] and word in command:
            found.append(int(pid))
    return max(found, default=None)


def seconds(pid):
    """Of the processor, to the nanosecond; 0.0 of whom there is not."""
    if pid is None:
        return 0.0
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e9


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def youngest(pid):
    """The last of a line: of sshd the process that has the connection."""
    return max(children(pid), default=None)


def memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        text = f.read()
    return [int(re.search(rf"^{key}:\s+(\d+)", text, re.M).group(1))
            for key in ("Rss", "Private_Dirty")]


def carry_some(ssh, mib):
    """There, after its word that it is ready, and back."""
    chunk = bytes(1 << 20)
    for _ in range(mib):
        ssh.stdin.write(chunk)
    ssh.stdin.flush()
    ssh.stdout.read(3)
    yield
    left = mib << 20
    while left:
        left -= len(ssh.stdout.read(min(left, 1 << 20)))
    yield


def costs(w):
    """What each process costs, whoever else wants the processor.  Returns the
    ratio to direct that is possible while all processors are busy."""
    mib = min(512, MIB)
    command = (f"echo up; head -c {mib}M >/dev/null; echo up; "
               f"head -c {mib}M /dev/zero; cat >/dev/null")
    rows, notes = {}, []
    ways = {"direct": w.ssh_plain()}
    ways.update((name, w.ssh_ours(name)) for name in w.extra)
    for _ in range(REPEAT):
        for name, words in ways.items():
            ssh = subprocess.Popen(words + [command], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
            ssh.stdout.read(3)
            relay = find_process(b"/sandbox-relay", w_dir)
            who = {"ssh": ssh.pid, "sshd": youngest(w.serves),
                   "relay": relay if name != "direct" else None,
                   "far end": youngest(w.far) if name != "direct" else None}
            if who["relay"]:
                notes.append((name, *memory(who["relay"])))
            before = {n: seconds(pid) for n, pid in who.items()}
            for way, _ in zip(("up", "down"), carry_some(ssh, mib)):
                after = {n: seconds(pid) for n, pid in who.items()}
                for n in who:
                    rows.setdefault((name, way, n), []).append(
                        (after[n] - before[n]) * 1024 / mib)
                before = after
            ssh.stdin.close()
            ssh.wait()
    print("\nprocessor seconds a GiB, the least of", REPEAT)
    print(f"  {'':<14}", *(f"{n:>8}" for n in who),
          f"{'relay / ssh':>12} {'at best':>8}")
    alone, best = {}, {}
    for name in ways:
        for way in ("up", "down"):
            least = {n: min(rows[name, way, n]) for n in who}
            line = f"  {name + ', ' + way:<14} " + " ".join(
                f"{t:8.2f}" for t in least.values())
            total = sum(least.values())
            alone.setdefault(way, total)
            if name != "direct":
                # Whole processors busy all the time, and nothing else.
                share = least["relay"] / least["ssh"]
                best[name, way] = alone[way] / total
                line += f" {share:12.2f} {best[name, way]:8.2f}"
                if share > RELAY_SHARE:
                    over.append(f"processor time of the relay: {name}, {way}")
            print(line, flush=True)
    print("  at best: the ratio to direct while every processor is busy")
    for name, rss, own in sorted({n[0]: n for n in notes}.values()):
        print(f"  memory of the relay, {name}: {rss} KiB resident, "
              f"{own} KiB its own")
    return best


w_dir = b""


def wss_budget(best):
    """Of ssh, relay, far end and sshd each wants a processor."""
    return 0.70 if os.cpu_count() >= 4 else round(min(0.70, best), 2)


def throughput(w, best):
    """Short pieces in turns, each next to a direct one: a ratio a round, of
    which the median counts, so that what else the machine does hits both."""
    ways = {"through " + n: w.ssh_ours(n)
            for n in ["tcp", "unix", "connect", *w.extra]}
    direct = w.ssh_plain()
    for title, way_of, once in (("to the sandbox", "up", up),
                                ("from the sandbox", "down", down)):
        budgets = {"through tcp": 0.98,
                   "through wss": wss_budget(best["wss", way_of])}
        rates = {name: [] for name in ["direct", *ways]}
        ratios = {name: [] for name in ways}
        for turn in range(PIECES):
            for name, way in ways.items():
                pair = [("direct", direct), (name, way)]
                got = {n: once(words)
                       for n, words in (pair[::-1] if turn % 2 else pair)}
                for n, rate in got.items():
                    rates[n].append(rate)
                ratios[name].append(got[name] / got["direct"])
        table(f"{PIECES} times {MIB // PIECES} MiB {title}, "
              "and the ratio to direct",
              [(n, statistics.median(rates[n]),
                statistics.median(ratios[n]) if n in ratios else 1.0,
                budgets.get(n), True) for n in rates], "MiB/s")


def main():
    global w_dir
    folder = tempfile.mkdtemp(prefix="bench-client.")
    w_dir = folder.encode()
    w = World(folder)
    try:
        far = w.serve(BUILD + "/tests/bench/far", w.path("tls.pem"),
                      w.path("tls.key"), str(w.port)).strip()
        w.far = w.servers[-1].pid
        w.extra = {"tls": f"tls://127.0.0.1:{far}",
                   "wss": f"wss://127.0.0.1:{far}/"}
        endpoints = {
            "tcp": f"tcp://127.0.0.1:{w.port}",
            "unix": "unix:" + w.path("sock"),
            "local": "unix:" + w.path("sock"),
            "connect": f"connect://127.0.0.1:{w.proxy}/127.0.0.1:{w.port}",
            **w.extra,
        }
        ours = {n: w.cache(n, e, local_kex=n == "local")
                for n, e in endpoints.items()}
        with open(w.path("host.pub")) as f:
            key = " ".join(f.read().split()[:2])
        with open(w.path("plain_hosts"), "w") as f:
            f.write(f"[127.0.0.1]:{w.port} {key}\n")
        programs(w, ours)
        logins(w)
        throughput(w, costs(w))
    finally:
        w.end()
        shutil.rmtree(folder)
    print()
    for what in over:
        print("over budget:", what)


main()
