# SPDX-License-Identifier: ISC
# A private machine for a test: sourced by those in tests/integration.
#
# world_enter runs the calling script again with the whole file system
# under a throw-away overlay, and with its own processes and network, so a
# test may install, write to /etc and start daemons: nothing of it reaches the
# machine, and nothing outlives the test. Needs root and overlayfs.
#
# shellcheck shell=bash

set -euo pipefail

: "${SRCDIR:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${BUILDDIR:=$PWD}"
export SRCDIR BUILDDIR LC_ALL=C.UTF-8

world_die() {
	echo "$(basename "$0"): $*" >&2
	exit 99
}

# What cannot run here is skipped, unless everything is required.
world_skip() {
	[ "${SANDBOX_REQUIRE:-0}" = 0 ] ||
		world_die "$* (and SANDBOX_REQUIRE is set)"
	echo "skipped: $*"
	exit 77
}

# world_openssh ROOT: other programs of OpenSSH than those installed, where
# ROOT will look for them. OPENSSH_CLIENT and OPENSSH_SERVER name folders with
# bin, sbin, libexec, lib and etc, as scripts/fetch-openssh makes them; lib
# goes where their programs expect it, /usr/lib/openssh-VERSION. Sandboxes see
# the same /usr and have them too. The settings go along: a distribution's
# name options that its other releases do not know.
world_openssh() {
	local root=$1 dir
	for dir in "${OPENSSH_CLIENT:-}" "${OPENSSH_SERVER:-}"; do
		[ -n "$dir" ] || continue
		[ ! -d "$dir/lib" ] || install -D -m 0755 \
		    -t "$root/usr/lib/openssh-$(basename "$dir")" "$dir/lib"/*
	done
	if [ -n "${OPENSSH_CLIENT:-}" ]; then
		install -m 0755 -t "$root/usr/bin" "$OPENSSH_CLIENT/bin"/*
		install -D -m 0755 -t "$root/usr/lib/openssh" \
		    "$OPENSSH_CLIENT/libexec"/ssh-*
		[ ! -e "$OPENSSH_CLIENT/etc/ssh_config" ] ||
			install -D -m 0644 -t "$root/etc/ssh" \
			    "$OPENSSH_CLIENT/etc/ssh_config"
	fi
	if [ -n "${OPENSSH_SERVER:-}" ]; then
		install -m 0755 -t "$root/usr/sbin" "$OPENSSH_SERVER/sbin/sshd"
		# Since 9.8 sshd is several programs.
		find "$OPENSSH_SERVER/libexec" \
		    '(' -name 'sshd-*' -o -name sftp-server ')' \
		    -exec install -m 0755 -t "$root/usr/lib/openssh" {} +
		[ ! -e "$OPENSSH_SERVER/etc/sshd_config" ] ||
			install -D -m 0644 -t "$root/etc/ssh" \
			    "$OPENSSH_SERVER/etc/sshd_config"
	fi
	[ -z "${OPENSSH_CLIENT:-}${OPENSSH_SERVER:-}" ] || {
		echo "client: $(chroot "$root" /usr/bin/ssh -V 2>&1)"
		# Before 9.3 it is an unknown option that gets the same answer.
		echo "server: $(chroot "$root" /usr/sbin/sshd -V 2>&1 |
			grep -m 1 ^OpenSSH)"
	}
}

# Runs in the new namespaces: make the overlay the root, then the script.
world_pivot() {
	local top=$1 place
	shift
	mount --make-rprivate /
	mount -t tmpfs -o mode=0755 world "$top"
	mkdir "$top/root" "$top/upper" "$top/work"
	mount -t overlay -o \
	    "lowerdir=/,upperdir=$top/upper,workdir=$top/work" \
	    world "$top/root"
	for place in /dev /sys; do
		mount --rbind "$place" "$top/root$place"
	done
	# Folders on file systems of their own are not part of the overlay.
	for place in "$SRCDIR" "$BUILDDIR"; do
		[ -e "$top/root$place" ] || {
			mkdir -p "$top/root$place"
			mount --rbind "$place" "$top/root$place"
		}
	done
	world_openssh "$top/root"
	mkdir -p "$top/root/proc" "$top/root/run"
	mount -t proc proc "$top/root/proc"
	mount -t tmpfs -o mode=0755 run "$top/root/run"
	mkdir "$top/root/run/sshd" "$top/root/run/old"
	cd "$top/root"
	pivot_root . run/old
	umount -l /run/old
	rmdir /run/old
	# Whoever works on sandbox-ssh may use it as well.
	rm -rf /etc/sandbox-ssh /var/lib/sandbox-ssh
	for place in sandbox sandbox-authkeys other alice bob; do
		! getent passwd "$place" >/dev/null || userdel -f "$place"
	done
	# A home as new, and the tests where every user can read them.
	mkdir -m 0700 /home/root
	usermod --home /home/root root 2>/dev/null ||
		sed -i 's|^root:\(.*\):[^:]*:\([^:]*\)$|root:\1:/home/root:\2|' \
		    /etc/passwd
	mkdir /srv/tests
	for place in integration world fixtures; do
		cp -R "$SRCDIR/tests/$place" /srv/tests
	done
	chmod -R go+rX /srv/tests
	ip link set lo up
	cd /
	umask 022
	exec env -i WORLD_INSIDE=1 SRCDIR="$SRCDIR" BUILDDIR="$BUILDDIR" \
	    SANDBOX_REQUIRE="${SANDBOX_REQUIRE:-0}" LC_ALL=C.UTF-8 \
	    TERM=xterm HOME=/home/root USER=root LOGNAME=root \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    bash "/srv/tests/integration/$1" "${@:2}"
}

# First line of every test: "world_enter "$0" "$@"".
world_enter() {
	local top need status=0
	if [ "${WORLD_INSIDE:-0}" != 0 ]; then
		[ "$(findmnt -n -o SOURCE /)" = world ] ||
			world_die "WORLD_INSIDE is set, but this is outside"
		return 0
	fi
	[ "$(id -u)" = 0 ] || world_skip "needs root"
	for need in unshare pivot_root ip; do
		command -v "$need" >/dev/null || world_skip "$need is missing"
	done
	rm "$out"
	top=$(mktemp -d /tmp/world.XXXXXX)
	unshare --mount --pid --net --ipc --uts --fork --kill-child -- \
	    bash -c '. "$1/tests/world/world.sh"
		shift
		world_pivot "$@"' world "$SRCDIR" "$top" \
	    "$(basename "$1")" "${@:2}" || status=$?
	rmdir "$top"
	exit "$status"
}

# Install the build under test where it was configured to go.
world_install() {
	make -s -C "$BUILDDIR" install >/tmp/install.log 2>&1 || {
		tail -20 /tmp/install.log >&2
		world_die "make install failed"
	}
	PATH=$(world_path):$PATH
	export PATH
}

world_path() {
	printf 'show:\n\t@echo $(bindir):$(sbindir)\n' |
		make -s -C "$BUILDDIR" -f Makefile -f - show
}

# An ordinary user with id ranges of its own.
world_user() {
	useradd --create-home --shell /bin/bash "$1"
	grep -q "^$1:" /etc/subuid || echo "$1:500000:65536" >>/etc/subuid
	grep -q "^$1:" /etc/subgid || echo "$1:500000:65536" >>/etc/subgid
}

# Run this test again as that user, with these operands.
world_as() {
	local who=$1
	shift
	echo "# as $who"
	setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" \
	    LOGNAME="$who" bash "$0" "$@"
}

# The test's function main, with a sandbox run-1234: for alice, an ordinary
# user with a broker of her own; for root, whose broker is the machine's; and
# for bob, who uses root's.
world_main() {
	if [ "${1:-}" = as ]; then
		sandbox-proxy setup >/dev/null
		sandboxctl create run-1234 >/dev/null
		[ "$(id -un)" != bob ] ||
			[ ! -e "$HOME/.local/state/sandbox-ssh" ] ||
			fail "bob has a broker of his own"
		main
		sandboxctl kill run-1234
		done_testing
		exit
	fi
	world_install
	for who in alice root bob; do
		[ "$who" = root ] || world_user "$who"
		world_as "$who" as
	done
}

# Counting. A check that fails ends the test at once, with what it saw.
passed=0

ok() {
	passed=$((passed + 1))
	echo "ok - $*"
}

fail() {
	echo "not ok - $*" >&2
	[ ! -s "$err" ] || tail -20 "$err" | sed 's/^/    /' >&2
	exit 1
}

done_testing() {
	[ "$passed" -gt 0 ] || fail "no check ran"
	echo "$passed passed, 0 failed"
}

out=$(mktemp "${TMPDIR:-/tmp}/out.XXXXXX")
err=$out.err

# check STATUS NAME COMMAND...: output in $out and $err.
check() {
	local want=$1 name=$2 status=0
	shift 2
	"$@" >"$out" 2>"$err" </dev/null || status=$?
	[ "$status" = "$want" ] || {
		tail -20 "$out" >&2
		fail "$name: exit $status, expected $want: $*"
	}
	ok "$name"
}

# says NAME REGEX: the last command's one line on standard error.
says() {
	[ "$(wc -l <"$err")" = 1 ] || fail "$1: not one line"
	grep -Eq -- "$2" "$err" || fail "$1: does not say '$2'"
	ok "$1"
}

is() {
	[ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
	ok "$1"
}

# wait_for NAME COMMAND...: until it succeeds, for a generous while.
wait_for() {
	local name=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || {
			"$@" >"$err" 2>&1 || :
			fail "$name: waited in vain"
		}
		read -rt 0.05 <> <(:) || :
	done
}
