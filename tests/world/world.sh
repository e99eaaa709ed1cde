# SPDX-License-Identifier: ISC
# A private machine for a test: sourced by those in tests/integration.
#
# world_enter runs the calling script again on a machine that has the programs
# of this one and nothing else of it: no users, homes, settings, installed
# copies, processes or network. So a test may install, write to /etc and start
# daemons: nothing of it reaches the machine, and nothing outlives the test.
# Needs root and overlayfs.
#
# shellcheck shell=bash

set -euo pipefail

: "${SRCDIR:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${BUILDDIR:=$PWD}"
SRCDIR=$(realpath "$SRCDIR") BUILDDIR=$(realpath "$BUILDDIR")
export SRCDIR BUILDDIR
# And a function of this file, with its operands, in new namespaces.
world_go=(bash -c '. "$0/tests/world/world.sh"; "$@"' "$SRCDIR")

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

# What the private machine has of this one's /etc: what belongs to programs,
# and hardly anybody changes.
world_shared="alternatives apparmor apparmor.d bash_completion
    bash_completion.d ca-certificates ca-certificates.conf debian_version
    ld.so.cache ld.so.conf ld.so.conf.d magic magic.mime mime.types
    os-release perl protocols python3 services ssh/moduli ssl"

# world_etc ROOT: an /etc as on the day of the installation, but for that.
world_etc() {
	local root=$1 etc=$1/etc name
	mkdir -p "$etc"/{default,pam.d,profile.d,skel} \
	    "$etc"/ssh/ssh{,d}_config.d
	install -d -m 0750 "$etc/sudoers.d"
	(cd /etc && for name in $world_shared; do
		[ ! -e "$name" ] || cp -a --parents "$name" "$etc"
	done)
	sed 's|:/root:|:/home/root:|' /usr/share/base-passwd/passwd.master \
	    >"$etc/passwd"
	cp /usr/share/base-passwd/group.master "$etc/group"
	cp /usr/share/base-files/profile "$etc/profile"
	cp /usr/share/openssh/sshd_config "$etc/ssh"
	echo "multi on" >"$etc/host.conf"
	: >"$etc/fstab"
	: >"$etc/machine-id"
	: >"$etc/resolv.conf"
	: >"$etc/subuid"
	: >"$etc/subgid"
	ln -s /proc/self/mounts "$etc/mtab"
	uname -n >"$etc/hostname"
	cat >"$etc/hosts" <<-END
	127.0.0.1 localhost
	127.0.1.1 $(uname -n)
	::1 localhost ip6-localhost ip6-loopback
	END
	cat >"$etc/nsswitch.conf" <<-'END'
	passwd: files
	group: files
	shadow: files
	hosts: files dns
	END
	cat >"$etc/login.defs" <<-'END'
	USERGROUPS_ENAB yes
	UMASK 022
	END
	cat >"$etc/bash.bashrc" <<-'END'
	PS1='\u@\h:\w\$ '
	END
	cat >"$etc/sudoers" <<-'END'
	Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
	root ALL=(ALL:ALL) ALL
	@includedir /etc/sudoers.d
	END
	chmod 0440 "$etc/sudoers"
	printf '%s required pam_unix.so\n' auth account password session \
	    >"$etc/pam.d/other"
	cat >"$etc/ssh/ssh_config" <<-'END'
	Include /etc/ssh/ssh_config.d/*.conf
	Host *
	    SendEnv LANG LC_*
	    HashKnownHosts yes
	    GSSAPIAuthentication yes
	END
	chroot "$root" sh -c 'umask 077; pwconv; grpconv
		useradd --system --home-dir /run/sshd --no-create-home \
		    --gid nogroup --shell /usr/sbin/nologin sshd'
}

# world_dev DEV: no terminals, memory or log of this machine in it.
world_dev() {
	local dev=$1 node
	mkdir -p "$dev"
	mount -t tmpfs -o mode=0755,nosuid dev "$dev"
	mkdir "$dev"/{mqueue,net,pts}
	mkdir -m 1777 "$dev/shm"
	for node in null zero full random urandom tty fuse; do
		[ -e "/dev/$node" ] || continue
		: >"$dev/$node"
		mount --bind "/dev/$node" "$dev/$node"
	done
	# Whose it is differs where udev does not run.
	[ ! -e /dev/net/tun ] || mknod -m 0666 "$dev/net/tun" c 10 200
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 \
	    devpts "$dev/pts"
	mount -t mqueue mqueue "$dev/mqueue"
	ln -s pts/ptmx "$dev/ptmx"
	ln -s /proc/self/fd "$dev/fd"
	ln -s fd/0 "$dev/stdin"
	ln -s fd/1 "$dev/stdout"
	ln -s fd/2 "$dev/stderr"
}

# world_layer TOP FOLDER: it is there too, and may be written to.
world_layer() {
	local layers
	layers=$(mktemp -d "$1/layer.XXXXXX")
	mkdir -p "$layers/upper" "$layers/work" "$1/root$2"
	mount -t overlay -o \
	    "lowerdir=$2,upperdir=$layers/upper,workdir=$layers/work" \
	    overlay "$1/root$2"
}

# Runs in the new namespaces: make another machine the root, then the script.
# It has the programs of this one, the source and the build; all else is new.
world_pivot() {
	local top=$1 root=$1/root place
	shift
	umask 022
	mount --make-rprivate /
	mount -t tmpfs -o mode=0755 layers "$top"
	mkdir "$root"
	mount -t tmpfs -o mode=0755 world "$root"
	world_layer "$top" /usr
	for place in /bin /sbin /lib /lib32 /lib64 /libx32; do
		if [ -L "$place" ]; then
			cp -a "$place" "$root"
		elif [ -d "$place" ]; then
			world_layer "$top" "$place"
		fi
	done
	# Copies of ours, wherever they were installed.
	mount -t tmpfs -o mode=0755 local "$root/usr/local"
	mkdir "$root"/usr/local/{bin,etc,games,include,lib,sbin,share,src}
	ln -s share/man "$root/usr/local/man"
	rm -rf "$root"/usr/{bin,sbin,lib,libexec,share}/sandbox{-*,d,ctl} \
	    "$root"/usr/lib/systemd/*/sandboxd.*
	mkdir -p "$root"/{boot,home,media,mnt,opt,proc,run/lock,run/sshd} \
	    "$root"/{srv,sys} "$root"/var/{backups,cache,lib,log,mail,opt,spool}
	mkdir -m 1777 "$root/tmp" "$root/var/tmp"
	chmod 1777 "$root/run/lock"
	ln -s /run "$root/var/run"
	ln -s /run/lock "$root/var/lock"
	# Which packages are there.
	world_layer "$top" /var/lib/dpkg
	# One may lie in the other.
	for place in $(printf '%s\n' "$SRCDIR" "$BUILDDIR" "${BENCH_PEERS:-}" |
		sort -u); do
		[ -n "$(ls -A "$root$place" 2>/dev/null)" ] ||
			world_layer "$top" "$place"
	done
	# Where a benchmark waits for a real disk.
	[ -z "${BENCH_DISK:-}" ] || {
		mkdir "$root/srv/disk"
		mount --bind "$BENCH_DISK" "$root/srv/disk"
	}
	world_etc "$root"
	world_dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	world_groups_mount "$root/sys/fs/cgroup"
	world_openssh "$root"
	# A home as new, and the tests where every user can read them.
	mkdir -m 0700 "$root/root" "$root/home/root"
	mkdir "$root/srv/tests"
	for place in bench fixtures integration world; do
		cp -R "$SRCDIR/tests/$place" "$root/srv/tests"
	done
	chmod -R go+rX "$root/srv/tests"
	mkdir "$root/old"
	cd "$root"
	pivot_root . old
	umount -l /old
	rmdir /old
	ip link set lo up
	cd /
	# Process 1 gets what others leave behind: that is no work for a shell,
	# whose "wait" would wait for it.
	TEST_SECONDS=0 exec "$BUILDDIR/tests/runner" env -u TMPDIR \
	    WORLD_INSIDE=1 WORLD_GROUPS="${WORLD_GROUPS:+yes}" HOME=/home/root \
	    USER=root LOGNAME=root bash "/srv/tests/$1" "${@:2}"
}

# Control groups of the test's own, where this machine lets us make them; it
# sees no others, and those of its sandboxes go with it. In version 2 only the
# top has controllers to give for sure. WORLD_GROUPS has CONTROLLER:FOLDER.
world_groups_make() {
	local name path group
	while IFS=: read -r _ name path; do
		case $name in
		'') path=$(findmnt -n -t cgroup2 -o TARGET | head -n 1) ;;
		pids | memory) path=$(findmnt -n -t cgroup -O "$name" \
		    -o TARGET | head -n 1)$path ;;
		*) continue ;;
		esac
		! group=$(mktemp -d "$path/sandbox-ssh-test.XXXXXX") ||
			! mkdir "$group/test" ||
			WORLD_GROUPS+=" $name:$group"
	done </proc/self/cgroup 2>/dev/null
}

# Until the last process has left them.
world_groups_remove() {
	local group
	for group in $WORLD_GROUPS; do
		for _ in {1..50}; do
			find "${group#*:}" -depth -type d -exec rmdir {} + \
			    2>/dev/null || :
			[ -e "${group#*:}" ] || break
			sleep 0.1
		done
	done
}

# world_groups_join BELOW
world_groups_join() {
	local group
	for group in $WORLD_GROUPS; do
		echo "$BASHPID" >"${group#*:}$1/cgroup.procs"
	done
}

# Nothing above ours is seen.
world_groups_mount() {
	local group name controller
	mount -t tmpfs -o mode=0755 cgroup "$1"
	for group in $WORLD_GROUPS; do
		name=${group%%:*}
		if [ -n "$name" ]; then
			mkdir "$1/$name"
			mount -t cgroup -o "$name" cgroup "$1/$name"
			continue
		fi
		[ -z "$(ls "$1")" ] || {
			name=unified
			mkdir "$1/unified"
		}
		mount -t cgroup2 cgroup2 "$1/$name"
		for controller in pids memory; do
			echo "+$controller" \
			    >"$1/$name/cgroup.subtree_control" || :
		done 2>/dev/null
	done
	# Tests ask whether it is empty, to know what to expect.
	[ -e "$1/memory" ] || [ -e "$1/memory.max" ] || WORLD_GROUPS=
}

# In a namespace of control groups: leave the one where only groups may be.
world_apart() {
	world_groups_join /test
	exec unshare --mount --pid --net --ipc --uts --fork --kill-child -- \
	    "${world_go[@]}" world_pivot "$@"
}

# First line of every test, and of what else needs such a machine:
# "world_enter "$0" "$@"".
world_enter() {
	local test top need status=0
	test=$(realpath --relative-to="$SRCDIR/tests" "$1")
	if [ "${WORLD_INSIDE:-0}" != 0 ]; then
		[ "$(findmnt -n -o SOURCE /)" = world ] ||
			world_die "WORLD_INSIDE is set, but this is outside"
		return 0
	fi
	rm "$out"
	# By hand as by make check; it is there when a test was made once.
	[ "${TEST_RUNNER:-0}" != 0 ] ||
		exec "$BUILDDIR/tests/runner" bash "$1" "${@:2}"
	[ "$(id -u)" = 0 ] || world_skip "needs root"
	for need in unshare pivot_root ip; do
		command -v "$need" >/dev/null || world_skip "$need is missing"
	done
	for need in base-passwd/passwd.master base-files/profile \
	    openssh/sshd_config; do
		[ -e "/usr/share/$need" ] || world_skip \
		    "/usr/share/$need is missing: needs Debian's openssh-server"
	done
	top=$(mktemp -d)
	export WORLD_GROUPS=
	world_groups_make
	trap world_groups_remove EXIT
	(
		world_groups_join ""
		exec unshare --cgroup -- "${world_go[@]}" \
		    world_apart "$top" "$test" "${@:2}"
	) || status=$?
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

# Counting. A check that fails ends the test at once, with what it saw. It is
# told where the test's own words go, also in the middle of a check.
passed=0
step=
exec {world_log}>&2

# When its time is over tests/runner ends what runs, then this.
trap '[ -z "$step" ] || fail "ended $step"; exit 1' TERM

ok() {
	passed=$((passed + 1))
	step="after: $*"
	echo "ok - $*"
}

fail() {
	echo "not ok - $*" >&"$world_log"
	[ ! -s "$err" ] || tail -20 "$err" | sed 's/^/    /' >&"$world_log"
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
	step="in: $name"
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
	local name=$1 end=$((SECONDS + 60))
	step="while waiting for: $name"
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			"$@" >"$err" 2>&1 || :
			fail "$name: waited in vain"
		}
		read -rt 0.05 <> <(:) || :
	done
}
