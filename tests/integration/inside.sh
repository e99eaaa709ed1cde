#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What people do in a local sandbox works there as on a fresh Debian: in one
# of root's broker, and in one of a user's own.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

inside() { ssh run-1234.sandbox "$@"; }

# finds NAME REGEX COMMAND: its output has a line like that.
finds() {
	check 0 "$1" inside "$3"
	grep -Eq -- "$2" "$out" || {
		cat "$out" >&2
		fail "$1: no line like $2"
	}
}

names() {
	finds "localhost, IPv4" '^127\.0\.0\.1 ' 'getent ahostsv4 localhost'
	finds "localhost, IPv6" '^::1 ' 'getent ahostsv6 localhost'
	finds "its own name" '^run-1234$' 'hostname -f'
	check 2 "another name, at once" inside \
	    'timeout 5 getent hosts example.com'
	finds "accounts that packages count on" '^www-data:' \
	    'getent passwd www-data'
	finds "groups" '^users:' 'getent group users'
	finds "services" '^ssh .*22/tcp' 'getent services ssh'
	finds "protocols" '^tcp ' 'getent protocols tcp'
	finds "a machine's id" '^[0-9a-f]{32}$' 'cat /etc/machine-id'
	finds "a socket of each family" '^both$' 'python3 -c "
import socket
for family, host in (socket.AF_INET, \"127.0.0.1\"), (socket.AF_INET6, \"::1\"):
    server = socket.create_server((host, 0), family=family)
    socket.create_connection(server.getsockname()[:2])
print(\"both\")"'
}

surroundings() {
	finds "mounts, where programs look" ' /home/sandbox ' \
	    'cat /etc/mtab'
	finds "as many processors as the host" "^$(nproc)\$" nproc
	finds "packages of the host" '^ii  *bash ' 'dpkg -l bash'
	finds "C.UTF-8" '^UTF-8$' 'LC_ALL=C.UTF-8 locale charmap'
	finds "a prompt as on Debian" skel 'cat .bashrc'
	finds "open files" '^1024 [0-9]{4,}$' \
	    'echo $(ulimit -Sn) $(ulimit -Hn)'
	finds "a stack" '^8192 unlimited$' 'echo $(ulimit -Ss) $(ulimit -Hs)'
	check 0 "its home is its own" inside 'echo >>.bashrc && touch .profile'
	finds "a runtime folder" '^700 sandbox$' \
	    'stat -c "%a %U" /run/user/1000'
	check 0 "folders that are there everywhere" inside \
	    'ls -d /mnt /media /srv /opt /var/cache /var/log /var/spool/mail/.'
	check 0 "a terminal" ssh -tt run-1234.sandbox \
	    '[ "$(stat -c "%a %U" "$(tty)")" = "620 sandbox" ] &&
	    tput -T xterm cols'
	check 0 "terminals within it" ssh -tt run-1234.sandbox \
	    'script -qec tty /dev/null'
}

tools() {
	check 0 "git" inside 'cd workspace && git init -q repository &&
	    cd repository && git -c user.name=a -c user.email=a@b \
	    commit -q --allow-empty -m first && git gc -q && git log -1'
	finds "python: processes" '^\[1, 2\]$' 'python3 -c "
import multiprocessing
print(multiprocessing.Pool(2).map(abs, [-1, 2]))"'
	finds "node: workers, files that change, io_uring asked for" '^done$' \
	    'UV_USE_IO_URING=1 node -e "
new (require(\"worker_threads\").Worker)(\"1\", { eval: true }).on(\"exit\",
    () => console.log(\"done\"));
require(\"fs\").watch(\".\").close();
require(\"fs\").promises.readFile(\"/etc/passwd\");"'
	check 0 "gcc" inside 'cd workspace && printf "%s\n" \
	    "int main(void) { volatile int i = 0; i = 1; return i - 1; }" \
	    >a.c && gcc -g -o a a.c && ./a'
	finds "gdb: a watchpoint" '^New value = 1$' 'cd workspace &&
	    gdb -q -batch -ex "break main" -ex run -ex "watch i" -ex continue \
	    ./a 2>/dev/null'
	check 0 "strace" inside 'strace -f -o trace sh -c /bin/true &&
	    strace -f --seccomp-bpf -e trace=execve -o trace sh -c /bin/true &&
	    grep -q execve trace'
	check 0 "strace of what runs" inside 'sleep 1000 & pid=$!
	    timeout -s INT 1 strace -o trace -p "$pid"; kill "$pid"
	    grep -q nanosleep trace || test -e trace'
	finds "tmux" '^0: 1 windows' \
	    'tmux new-session -d "sleep 100" && tmux ls && tmux kill-server'
	check 0 "rsync" inside \
	    'rsync -a workspace/repository/ workspace/copy/'
	check 0 "gpg, and its agent" inside 'gpg --batch --passphrase "" \
	    --quick-gen-key a@b && gpg --list-secret-keys a@b &&
	    gpgconf --kill all'
	check 0 "ssh-agent" inside ssh-agent true
	check 0 "bubblewrap" inside 'bwrap --ro-bind / / --dev /dev \
	    --proc /proc --unshare-all true'
	finds "a namespace in it" '^0$' 'unshare -Urmpf --mount-proc sh -c \
	    "mount -t tmpfs none /mnt && id -u"'
}

main() {
	names
	surroundings
	tools
}

[ "${1:-}" = as ] || echo "# from skel" >/etc/skel/.bashrc
world_main "$@"
