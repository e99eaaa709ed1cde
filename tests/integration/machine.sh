#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The private machine of the tests is the same one, whatever there is on the
# machine they run on: it is looked at twice, the second time from a machine
# that somebody has used.
. "$(dirname "$0")/../world/world.sh"

[ "$(id -u)" = 0 ] || world_skip "needs root"

# Whatever a test may come across.
facts() {
	env | sort
	ulimit -aS
	ulimit -aH
	umask
	nice
	id
	grep -E '^Sig(Blk|Ign)' /proc/self/status
	find / -xdev ! -path "/tmp/out.*" ! -path "/tmp/test.*" ! -path '/srv/tests*' -printf '%p %m %u %g\n' | sort
	find /usr/local /dev ! -path '/dev/pts/*' -printf '%p %m %u %g\n' | sort
	ls /usr/bin /usr/sbin /usr/lib/sandbox* /usr/libexec /usr/lib/systemd/*/
	(cd /etc && find . -type f ! -name 'ld.so.cache' -exec sha256sum {} +) |
		sort
	processes=$(ps -e -o comm=)
	sort <<<"$processes"
	find /sys/fs/cgroup -type d | sort
	ip -brief address
	ipcs
	cat /proc/net/unix
	ssh -G example.org
	git config --list
	bash -lic 'alias; set' </dev/null 2>&1 |
		grep -vE '^(BASH|PPID|RANDOM|SECONDS|EPOCH|SRANDOM)'
	getent passwd
	getent group
	getent hosts localhost example.org
	crontab -l
	locale
	date +%Z
} 2>&1

# look FILE: from here, as make check or somebody by hand would.
look() {
	env -u TEST_RUNNER bash "$SRCDIR/tests/world/enter.sh" \
	    bash /srv/tests/integration/machine.sh facts >"$1" 2>"$err" ||
		fail "there is no private machine"
}

# What people and quickstart leave on a machine. Of all that nothing is left
# when we end: the folders are layers, in a mount namespace of our own.
use() {
	local place layers work
	work=$(mktemp -d)
	mount -t tmpfs layers "$work"
	for place in /etc /home /usr/local /run; do
		layers=$(mktemp -d "$work/XXXXXX")
		mkdir "$layers/upper" "$layers/work"
		mount -t overlay -o "lowerdir=$place,upperdir=$layers/upper" \
		    -o "workdir=$layers/work" overlay "$place"
	done
	for place in alice bob sandbox sandbox-authkeys; do
		getent passwd "$place" >/dev/null || useradd -m "$place"
		mkdir -p "/home/$place/.ssh" "/home/$place/.config/sandbox-ssh"
		echo 'Host *' >"/home/$place/.ssh/config"
	done
	mkdir -p /etc/sandbox-ssh /etc/ssh/ssh_config.d /etc/profile.d \
	    /usr/local/bin /usr/local/lib/sandbox-ssh
	echo '[limits]' >/etc/sandbox-ssh/sandboxd.conf
	printf 'Host *\n\tUser somebody\n' >/etc/ssh/ssh_config.d/x.conf
	printf 'Port 7\n' >>/etc/ssh/ssh_config
	printf '[user]\n\tname = somebody\n' >/etc/gitconfig
	echo 'echo Welcome' | tee -a /etc/bash.bashrc >>/etc/profile
	echo 'alias ls=false' >/etc/profile.d/x.sh
	echo 'SANDBOX_BROKER=unix:/x' >>/etc/environment
	echo '192.0.2.1 example.org' >>/etc/hosts
	echo 'root:1000000:65536' | tee -a /etc/subuid >>/etc/subgid
	ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime
	cp "$BUILDDIR/sandboxd" "$BUILDDIR/sandboxctl" /usr/local/bin
	mkdir -p /run/sandbox-ssh
	"$BUILDDIR/sandboxd" --daemon --state-dir "$work/state" \
	    --runtime-dir /run/sandbox-ssh || fail "no broker"
	[ -S /run/sandbox-ssh/sandboxd.sock ] || fail "no socket"
}

case ${1:-} in
facts)
	set +e
	facts
	;;
used)
	use
	trap '' INT HUP
	umask 077
	ulimit -Sn 64
	export SANDBOX_BROKER=unix:/x SANDBOX_TOKEN=x HOME=/home/alice \
	    XDG_CONFIG_HOME=/home/bob ENV=/x BASH_ENV=/etc/environment LANG=de_DE
	look "$2"
	;;
*)
	look "$out.clean"
	grep -qx 'root:x:0:0:root:/home/root:/bin/bash' "$out.clean" ||
		fail "that is no private machine"
	ok "a private machine"
	unshare --mount --propagation private bash "$0" used "$out.used" ||
		fail "a used machine"
	diff "$out.clean" "$out.used" >"$out" || {
		head -40 "$out"
		fail "something of the machine shows"
	}
	ok "nothing of a used one shows"
	done_testing
	;;
esac
