#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The kit in images of every kind: what ssh, scp and rsync get there, that
# nothing of the image is opened before the shell, and what a hostile image
# can do about it. bubblewrap makes the containers.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

K=/dev/.sandbox-ssh
kit=/srv/kit
keys=/srv/keys
# What a container engine leaves root there, and sshd needs.
powers=(--cap-add CAP_CHOWN --cap-add CAP_DAC_OVERRIDE --cap-add CAP_FOWNER
	--cap-add CAP_KILL --cap-add CAP_SETGID --cap-add CAP_SETUID
	--cap-add CAP_SYS_CHROOT)

# --- images

image_busybox() {
	local name
	mkdir -p "$1"/{bin,etc,proc,dev,tmp,home/app,root}
	install /bin/busybox "$1/bin"
	for name in sh ls cat id env tty sleep kill; do
		ln -s busybox "$1/bin/$name"
	done
	chown 1000:1000 "$1/home/app"
}

image_scratch() {
	mkdir -p "$1"/{proc,dev,tmp}
	install "$BUILDDIR/init/sandbox-init" "$1/only"
}

# The host's own programs, as a distribution's image would have them.
image_debian() {
	local name
	mkdir -p "$1"/{etc,proc,dev,tmp,home/app,root,usr}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$1/$name"
	done
	mount --bind /usr "$1/usr"
	cp -R /etc/alternatives /etc/bash.bashrc /etc/profile "$1/etc"
	printf 'root:x:0:0::/root:/bin/bash\napp:x:1000:1000::/home/app:/bin/bash\n' \
	    >"$1/etc/passwd"
	chown 1000:1000 "$1/home/app"
}

image_musl() {
	image_busybox "$1"
	mkdir "$1/lib"
	cp -L /lib/ld-musl-*.so.1 "$1/lib"
	printf 'int puts(const char *);\nint main(void) { return puts("musl") < 0; }\n' |
		musl-gcc -o "$1/bin/hello" -x c -
}

# Whatever a file of the image can do to whoever opens or believes it.
image_hostile() {
	local name
	image_busybox "$1"
	mkdir -p "$1"/{etc/ssh,etc/selinux,etc/gss,usr/lib/ssl,var/log,run,lib,dev}
	for name in localtime passwd group shadow nsswitch.conf gai.conf \
	    krb5.conf hosts.deny hosts.allow nologin selinux/config gss/mech \
	    ssh/sshrc ssh/sshd_config host.conf ld.so.cache security environment; do
		mkfifo "$1/etc/$name"
	done
	mkfifo "$1/usr/lib/ssl/openssl.cnf" "$1/var/log/wtmp" \
	    "$1/var/log/lastlog" "$1/var/log/btmp" "$1/var/log/wtmp.db"
	cat >"$1/evil.c" <<-END
	#include <fcntl.h>
	#include <unistd.h>
	__attribute__((constructor)) static void begin(void)
	{
		close(open("/tmp/evil", O_CREAT | O_WRONLY, 0666));
	}
	END
	gcc -shared -fPIC -o "$1/lib/evil.so" "$1/evil.c"
	echo /lib/evil.so >"$1/etc/ld.so.preload"
	ln -s evil.so "$1/lib/libcrypto.so.3"
	ln -s ../evil "$1/run/sshd"
}

# --- a container

# box NAME LOGIN: the files that belong to one sandbox.
box() {
	local name=$1 login=$2 other=${3:-74} gate=${4:-75}
	local box=/srv/$name/box
	rm -rf "/srv/$name"
	mkdir -p "$box"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$box/host_key"
	echo "$name $(cut -d' ' -f1,2 "$box/host_key.pub")" >"/srv/$name/known_hosts"
	cp "$keys/ca.pub" "$box/ca.pub"
	cat >"$box/passwd" <<-END
	root:*:0:0:root:/root:$K/bin/sandbox-shell
	sshd:*:$other:$other:sshd:/:/nologin
	sandbox-authkeys:*:$gate:$gate:login gate:/:/nologin
	app:*:1000:1000:app:/home/app:$K/bin/sandbox-shell
	END
	printf 'root:*:0:\ntty:*:5:\nsshd:*:74:\napp:*:1000:\nextra:*:2000:app\n' \
	    >"$box/group"
	printf '%s\0' "PATH=/bin:/opt/own" "COLOUR=red
blue" LANG=C >"$box/env"
	cat >"$box/authkeys.conf" <<-END
	sandbox_id = $name
	trusted_ca = $K/box/ca.pub
	login_users = $login
	END
	cat >"$box/sshd_config" <<-END
	HostKey $K/box/host_key
	AuthorizedKeysFile none
	TrustedUserCAKeys none
	AuthorizedPrincipalsFile none
	AuthorizedKeysCommand $K/bin/sandbox-authkeys -c $K/box/authkeys.conf %u %t %k
	AuthorizedKeysCommandUser sandbox-authkeys
	PermitRootLogin prohibit-password
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	UsePAM no
	UseDNS no
	PrintMotd no
	PrintLastLog no
	PidFile none
	Subsystem sftp internal-sftp
	END
	if [ -e "$kit/libexec/sshd-session" ]; then
		echo "SshdSessionPath $K/libexec/sshd-session" >>"$box/sshd_config"
	fi
	if [ -e "$kit/libexec/sshd-auth" ]; then
		echo "SshdAuthPath $K/libexec/sshd-auth" >>"$box/sshd_config"
	fi
	ssh-keygen -q -s "$keys/ca" -I "$name" -z $((++serial)) -n "$name" \
	    -V -1m:+50m "$keys/user.pub"
	mv "$keys/user-cert.pub" "/srv/$name/cert.pub"
	cat >"/srv/$name/ssh_config" <<-END
	Host $name
	User $login
	HostKeyAlias $name
	UserKnownHostsFile /srv/$name/known_hosts
	IdentityFile $keys/user
	CertificateFile /srv/$name/cert.pub
	IdentitiesOnly yes
	StrictHostKeyChecking yes
	ProxyCommand socat - UNIX-CONNECT:/srv/$name/sock
	END
}

# enter NAME IMAGE BWRAP-OPTION...: process 1 listens when it returns.
enter() {
	local name=$1 image=$2
	shift 2
	/usr/bin/python3 - "/srv/$name/sock" ${tracer[@]+"${tracer[@]}"} bwrap \
	    --unshare-pid --unshare-ipc --unshare-uts --as-pid-1 --die-with-parent \
	    "$rootbind" "$image" / --dev /dev --proc /proc \
	    --perms 1777 --tmpfs /tmp --dir "$K" --ro-bind "$kit" "$K" \
	    --ro-bind "/srv/$name/box" "$K/box" --clearenv --setenv TZ "" \
	    --setenv OPENSSL_CONF "$K/etc/openssl.cnf" --cap-drop ALL "$@" \
	    "$K/bin/sandbox-init" -- "$K/libexec/sshd" -i -e \
	    -f "$K/box/sshd_config" <<-'END' 2>"/srv/$name/log" &
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen(64)
	os.dup2(s.fileno(), 3)
	os.set_inheritable(3, True)
	os.execvp(sys.argv[2], sys.argv[2:])
	END
	container=$!
	wait_for "$name listens" test -S "/srv/$name/sock"
}

leave() {
	kill -9 "$container"
	wait "$container" 2>/dev/null || :
}

# --- what must work

in_box() {
	local name=$1
	shift
	timeout 30 ssh -F "/srv/$name/ssh_config" "$name" "$@"
}

copy_scp() {
	timeout 30 scp -q -F "/srv/$here/ssh_config" "$@" /srv/blob \
	    "$here:/tmp/copy$*" && in_box "$here" "cat '/tmp/copy$*'" |
		cmp - /srv/blob
}

copy_rsync() {
	timeout 30 rsync -e "ssh -F /srv/$here/ssh_config" /srv/blob \
	    "$here:/tmp/synced" && in_box "$here" cat /tmp/synced |
		cmp - /srv/blob
}

battery() {
	here=$1
	local what=$2
	check 7 "$what: exit status" in_box "$here" \
	    'echo out; echo err >&2; exit 7'
	is "$what: standard output" "$(cat "$out")" out
	is "$what: standard error, apart" "$(cat "$err")" err
	check 0 "$what: the image's environment" in_box "$here" \
	    'echo "$COLOUR:$PATH"'
	is "$what: variables with line breaks, PATH extended" "$(cat "$out")" \
	    "red
blue:/bin:/opt/own:$K/bin:$K/applets"
	check 0 "$what: a terminal" in_box "$here" -tt tty
	grep -q pts "$out" || fail "$what: no terminal"
	check 0 "$what: scp" copy_scp
	check 0 "$what: scp -O" copy_scp -O
	check 0 "$what: rsync" copy_rsync
	check 0 "$what: -R to a socket" in_box "$here" \
	    -R /tmp/back.sock:/srv/nothing test -S /tmp/back.sock
}

# --- the tests

one_kit() {
	local options=()
	[ -z "${OPENSSH_SERVER:-}" ] || options=(--openssh "$OPENSSH_SERVER")
	check 0 "make-kit" sandboxd --make-kit "$kit" "${options[@]}"
	check 0 "the same again" sandboxd --make-kit /srv/again "${options[@]}"
	check 0 "the same bytes" diff -r --no-dereference "$kit" /srv/again
	(cd "$kit" && sed -n 's/^sha256 //p' manifest | sha256sum --check \
	    --quiet) || fail "the manifest is wrong"
	ok "the manifest has the digests"
	check 73 "it overwrites nothing" sandboxd --make-kit "$kit"
	says "and says so" "exists"
}

more_musl() {
	check 0 "musl: its own programs" in_box musl hello
}

more_debian() {
	check 0 "debian: the image's shell" in_box debian \
	    'echo $BASH_VERSION $SHELL'
	grep -q '/bin/bash$' "$out" || fail "not bash: $(cat "$out")"
	check 0 "debian: the image's git" in_box debian 'git --version'
}

every_image() {
	local kind
	for kind in busybox scratch debian musl; do
		"image_$kind" "/srv/image-$kind"
		box "$kind" app
		rootbind=--ro-bind
		enter "$kind" "/srv/image-$kind" "${powers[@]}"
		battery "$kind" "$kind, read-only"
		check 0 "$kind: who" in_box "$kind" 'id -u; id -G'
		is "$kind: groups are the box's" "$(paste -sd ' ' "$out")" \
		    "1000 1000 2000"
		! declare -F "more_$kind" >/dev/null || "more_$kind"
		leave
	done
}

# Process 1 has no capability at all: there is nothing that sshd could drop.
powerless() {
	box powerless root 0 0
	rootbind=--ro-bind
	enter powerless /srv/image-busybox
	battery powerless "no capabilities"
	check 0 "none inside either" in_box powerless \
	    'cat /proc/self/status'
	grep -q '^CapPrm:[[:blank:]]*0*$' "$out" || fail "$(grep Cap "$out")"
	leave
}

opened_before_the_shell() {
	/usr/bin/python3 - /srv/trace "$K" <<-'END'
	import re, sys
	names, started = set(), False
	for line in open(sys.argv[1], errors="replace"):
	    if sys.argv[2] + '/bin/sandbox-init"' in line:
	        started = True
	    if 'execve("/bin/sh"' in line:
	        break
	    found = re.search(r'(open\w*|connect)\(.*?"([^"]+)"', line)
	    # /dev and /proc are the engine's and the kernel's, and the gate waits
	    # for nobody at its log.
	    if started and found and not found[2].startswith(("/dev/", "/proc/")):
	        names.add(found[2])
	print(" ".join(sorted(names)))
	END
}

hostile() {
	image_hostile /srv/image-hostile
	mkfifo /srv/image-hostile/etc/timezone
	box hostile app
	rootbind=--bind
	tracer=(strace -f -o /srv/trace -e "trace=file,connect")
	enter hostile /srv/image-hostile "${powers[@]}"
	tracer=()
	battery hostile "hostile image"
	check 1 "its code did not run in sshd" in_box hostile \
	    'test -e /tmp/evil'
	leave
	# sandbox-shell looks for the account's shell in the image's passwd
	# once it is that account.
	is "opened before the shell" "$(opened_before_the_shell)" \
	    "/etc/passwd"
}

world_install
mkdir -p "$keys"
serial=0
tracer=()
for key in ca user; do
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$keys/$key"
done
head -c 300000 /dev/urandom >/srv/blob

one_kit
every_image
powerless
hostile
done_testing
