#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Sandboxes with a root file system of their own: folders and tars of every
# kind, who may name which, and what a hostile one can do.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

roots=/srv/roots

# --- what they are made of

busybox_tree() {
	local name
	mkdir -p "$1"/{bin,etc,usr/bin}
	install /bin/busybox "$1/bin"
	for name in sh ls cat id env tty sleep kill touch mkdir rm stat test \
	    readlink ln grep head; do
		ln -s busybox "$1/bin/$name"
	done
	echo busybox >"$1/etc/what"
}

# As debootstrap leaves it: merged /usr, accounts, a resolv.conf that is a link
# to nowhere, devices.
debian_tree() {
	local name
	mkdir -p "$1"/{dev,etc,home,proc,run,sys,tmp,root,usr/{bin,lib,lib64,sbin}}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$1/$name"
	done
	for name in bash cat id env tty ls touch stat rm readlink getent sleep \
	    hostname; do
		cp "/usr/bin/$name" "$1/usr/bin"
		ldd "/usr/bin/$name" | grep -o '/[^ ]*' | while IFS= read -r lib; do
			[ -e "$1/$lib" ] || install -D "$lib" "$1/$lib"
		done
	done
	cp -L /lib/x86_64-linux-gnu/libnss_files.so.2 "$1/usr/lib" 2>/dev/null || :
	ln -s bash "$1/usr/bin/sh"
	ln -s ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
	echo 12.0 >"$1/etc/debian_version"
	echo old >"$1/etc/hostname"
	echo 'passwd: files' >"$1/etc/nsswitch.conf"
	printf 'root:x:0:0:root:/root:/bin/bash\nnode:x:1234:1234::/home/node:/bin/sh\n' \
	    >"$1/etc/passwd"
	printf 'root:x:0:\nnode:x:1234:\n' >"$1/etc/group"
	echo secret >"$1/etc/shadow"
	chmod 0640 "$1/etc/shadow"
	mknod "$1/dev/mem" c 1 1
	mkfifo "$1/dev/pipe"
	cp "$1/usr/bin/id" "$1/usr/bin/setuid"
	chmod 4755 "$1/usr/bin/setuid"
}

make_roots() {
	mkdir -p "$roots"
	busybox_tree "$roots/busybox"
	debian_tree "$roots/debian"
	mkdir "$roots/scratch"
	tar -C "$roots/debian" -czf "$roots/debian.tar.gz" .
	# As docker export does it: no "./", owners that no sandbox has.
	(cd "$roots/busybox" && tar --owner=70000 --group=70000 -cf \
	    "$roots/busybox.tar" -- *)
	tar -C "$roots/busybox" -cJf "$roots/busybox.tar.xz" .
}

# --- what must work

# gets_in ID: by all ways, as in any sandbox.
gets_in() {
	local host=$1.sandbox
	check 7 "$1: a command and its status" ssh "$host" 'echo in; exit 7'
	is "$1: its output" "$(cat "$out")" in
	check 0 "$1: a terminal" ssh -tt "$host" tty
	grep -q '^/dev/pts/' "$out" || fail "no terminal"
	echo data >"$HOME/note"
	check 0 "$1: scp" scp -q "$HOME/note" "$host:note"
	check 0 "$1: scp -O" scp -qO "$HOME/note" "$host:workspace/note"
	check 0 "$1: rsync" rsync "$HOME/note" "$host:rsynced"
	check 0 "$1: sftp" sftp -q "$host:note" "$HOME/back"
	is "$1: the same bytes" "$(cat "$HOME/back")" data
	is "$1: who and where" "$(ssh "$host" 'id -u; echo $HOME')" \
	    "$(printf '1000\n/home/sandbox')"
	check 255 "$1: the gate is ours" ssh -F none -i "$HOME/own" \
	    -o IdentitiesOnly=yes -o BatchMode=yes \
	    -o "ProxyCommand=sandbox-proxy connect $host" \
	    -o "UserKnownHostsFile=$HOME/.cache/sandbox-ssh/$host/known_hosts" \
	    "sandbox@$host" true
	check 0 "$1: stop" sandboxctl stop "$1"
	is "$1: its home is kept" "$(ssh "$host" cat workspace/note)" data
}

main() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/own"
	folders
	tars
	hostile
	refused
}

folders() {
	check 0 "busybox, a folder" sandboxctl create --root "$roots/busybox" b-1
	gets_in b-1
	is "its programs" "$(ssh b-1.sandbox cat /etc/what)" busybox
	check 0 "show" sandboxctl show b-1
	grep -qx "root: $roots/busybox" "$out" || fail "it does not say so"
	ok "it says which"
	check 1 "it is read-only" ssh b-1.sandbox 'touch /bin/new'
	check 0 "what the home is not is gone after a stop" ssh b-1.sandbox \
	    'touch /tmp/file'
	sandboxctl stop b-1 >/dev/null
	check 1 "it is gone" ssh b-1.sandbox 'test -e /tmp/file'
	check 0 "kill" sandboxctl kill b-1
	[ -e "$roots/busybox/bin/busybox" ] || fail "the folder is gone"

	(cd "$roots" && sandboxctl create --root debian d-1) >/dev/null ||
		fail "a relative name"
	gets_in d-1
	is "bash of its own, its release" "$(ssh d-1.sandbox \
	    'echo ${BASH##*/} $SHELL; cat /etc/debian_version')" \
	    "$(printf 'bash /bin/bash\n12.0')"
	is "it knows who one is" \
	    "$(ssh d-1.sandbox 'id -un; getent passwd node')" \
	    "$(printf 'sandbox\nnode:x:1234:1234::/home/node:/bin/sh')"
	is "its name" "$(ssh d-1.sandbox 'cat /etc/hostname; hostname')" \
	    "$(printf 'd-1\nd-1')"
	check 1 "what the host keeps from others stays so" \
	    ssh d-1.sandbox 'cat /etc/shadow'
	check 1 "devices are none" ssh d-1.sandbox 'cat /dev/mem'
	check 0 "kill" sandboxctl kill d-1

	check 0 "scratch, an empty folder" \
	    sandboxctl create --root "$roots/scratch" s-1
	gets_in s-1
	check 0 "kill" sandboxctl kill s-1
}

tars() {
	local tar
	cp "$roots/debian.tar.gz" "$HOME/d.tar.gz"
	check 0 "debian, a tar" sandboxctl create --root "$HOME/d.tar.gz" t-1
	gets_in t-1
	is "its files have their owners" \
	    "$(ssh t-1.sandbox 'stat -c %u /etc/passwd; id -un; cat /etc/hostname')" \
	    "$(printf '0\nsandbox\nt-1')"
	check 1 "its secrets are its root's" ssh t-1.sandbox 'cat /etc/shadow'
	is "no setuid" "$(ssh t-1.sandbox 'stat -c %a /usr/bin/setuid')" 755
	rm "$HOME/d.tar.gz"
	sandboxctl stop t-1 >/dev/null
	check 0 "the tar is not needed again" ssh t-1.sandbox true
	check 0 "kill" sandboxctl kill t-1
	for tar in busybox.tar busybox.tar.xz; do
		check 0 "$tar" sandboxctl create --root "$roots/$tar" t-2
		is "$tar: what is in it" "$(ssh t-2.sandbox 'cat /etc/what;
		    stat -c %u:%g /bin/busybox')" "$(printf 'busybox\n0:0')"
		check 0 "kill" sandboxctl kill t-2
	done
}

# sandboxes_left: rows and files.
nothing_left() {
	is "$1: nothing is left" "$(sandboxctl list --json)" "[]"
	[ ! -r "$boxes" ] || is "$1: no file either" \
	    "$(find "$boxes" -mindepth 1 -name "*bad*")" ""
}

# evil NAME < a tar's Python: t is a tarfile, add(name, ...) adds to it
evil() {
	/usr/bin/python3 -c "
import io, sys, tarfile
t = tarfile.open(sys.argv[1], 'w')
def add(name, data=b'', **kw):
    i = tarfile.TarInfo(name)
    i.size = len(data)
    i.mode = 0o755
    for k, v in kw.items():
        setattr(i, k, v)
    t.addfile(i, io.BytesIO(data))
$(cat)
t.close()" "$HOME/evil.tar"
}

# turned_down NAME REGEX: a tar that is refused, and leaves nothing.
turned_down() {
	check 64 "$1" sandboxctl create --root "$HOME/evil.tar" bad-1
	says "$1: and it says so" "$2"
	nothing_left "$1"
}

hostile() {
	local name
	evil <<-'END'
	add('../../escape', b'x')
	END
	turned_down "names that lead out" "'\.\.'|\.\."
	evil <<-'END'
	add('out', type=tarfile.SYMTYPE, linkname='/srv/world-writable')
	add('out/file', b'x')
	END
	turned_down "a name by way of a link" "symlink"
	evil <<-'END'
	add('/etc/abs', b'abs')
	add('bin', type=tarfile.DIRTYPE)
	add('hard', type=tarfile.LNKTYPE, linkname='etc/abs')
	add('disk', type=tarfile.BLKTYPE, devmajor=8)
	add('link', type=tarfile.SYMTYPE, linkname='/etc/abs')
	END
	check 0 "absolute names are below it, devices left out" \
	    sandboxctl create --root "$HOME/evil.tar" odd-1
	is "what is there" "$(ssh odd-1.sandbox \
	    'cat /etc/abs /hard /link; ls -d /disk' 2>/dev/null)" absabsabs
	check 0 "kill" sandboxctl kill odd-1
	evil <<-'END'
	for name in 'dev', 'etc', 'home', 'proc', 'run', 'tmp':
	    add(name, type=tarfile.SYMTYPE, linkname='/srv')
	END
	check 69 "links where things are mounted" \
	    sandboxctl create --root "$HOME/evil.tar" bad-1
	says "and it says which" 'no folder'
	nothing_left "links"
	evil <<-'END'
	i = tarfile.TarInfo('huge')
	i.size = 1 << 50
	t.fileobj.write(i.tobuf(tarfile.GNU_FORMAT))
	END
	turned_down "one that says it is huge" "MiB, which is the limit"
	evil <<-'END'
	for n in range(5000):
	    add(f'f{n}')
	END
	if [ "$(id -un)" = alice ]; then
		limited "a tar of many files" "4096 files, which is the limit"
	fi
	head -c 3000000 /dev/zero >"$HOME/evil.tar"
	turned_down "zeros" "empty|no tar"
	head -c 3000000 /dev/urandom >"$HOME/evil.tar"
	turned_down "no tar" "no tar"
	head -c 30000 "$roots/busybox.tar.xz" >"$HOME/evil.tar"
	turned_down "one that was cut short" "damaged|truncated"
	# Whatever a file of it can do to whoever opens or believes it.
	evil <<-'END'
	for name in 'passwd', 'group', 'hosts', 'hostname', 'resolv.conf', \
	    'localtime', 'nsswitch.conf', 'nologin', 'ssh/sshrc':
	    add('etc/' + name, type=tarfile.SYMTYPE, linkname='/dev/full')
	add('home', type=tarfile.DIRTYPE)
	add('home/sandbox', type=tarfile.SYMTYPE, linkname='/etc')
	add('etc/ld.so.preload', b'/nowhere.so\n')
	add('dev', type=tarfile.DIRTYPE)
	add('dev/.sandbox-ssh', type=tarfile.SYMTYPE, linkname='/etc')
	add('run', type=tarfile.DIRTYPE)
	add('run/user', type=tarfile.SYMTYPE, linkname='/')
	END
	check 0 "traps" sandboxctl create --root "$HOME/evil.tar" traps-1
	gets_in traps-1
	check 0 "kill" sandboxctl kill traps-1
}

# With a broker of one's own that has little room.
limited() {
	local conf=$HOME/.config/sandbox-ssh/sandboxd.conf
	install -D -m 0644 /dev/stdin "$conf" <<-END
	[local]
	workspace = 64M
	END
	sandboxd --stop >/dev/null
	turned_down "$1" "$2"
	evil <<-'END'
	for n in range(5):
	    add(f'{n}/' + 'a/' * 1000 + 'f')
	END
	turned_down "a tar of many folders that it does not name" "$2"
	evil <<-'END'
	add('large', bytes(65 << 20))
	END
	turned_down "a tar of many bytes" "64 MiB, which is the limit"
	rm "$conf"
	sandboxd --stop >/dev/null
}

refused() {
	check 64 "what is not there" sandboxctl create --root /nowhere bad-1
	says "and it says so" '/nowhere: No such file'
	check 64 "what is none of both" sandboxctl create --root /dev/null bad-1
	says "and it says so" 'neither a folder nor a tar'
	mkdir -m 0700 "$HOME/mine"
	busybox_tree "$HOME/mine/tree"
	chmod 0700 "$HOME/mine/tree"
	check 64 "a folder that sandboxes cannot read" \
	    sandboxctl create --root "$HOME/mine/tree" bad-1
	says "and it says what to do" 'chmod o\+rx'
	chmod 0755 "$HOME/mine/tree"
	check 0 "below a folder that only its user enters" \
	    sandboxctl create --root "$HOME/mine/tree" mine-1
	is "it works" "$(ssh mine-1.sandbox cat /etc/what)" busybox
	check 0 "stop" sandboxctl stop mine-1
	if [ -r "$boxes" ]; then
		exec 8<"$boxes/mine-1"
		flock 8
		check 69 "start, while an earlier one waits for that folder" \
		    sandboxctl start mine-1
		says "and it says so" 'still waits'
		exec 8<&-
	fi
	mv "$HOME/mine" "$HOME/moved"
	check 64 "start, where it is gone" sandboxctl start mine-1
	says "and it says so" 'mine/tree: No such file'
	check 0 "kill" sandboxctl kill mine-1
	rm -r "$HOME/moved"
	if [ "$(id -un)" = bob ]; then
		for name in /srv/private/tree /srv/private/some.tar; do
			check 64 "root's broker opens $name as who asks" \
			    sandboxctl create --root "$name" bad-1
			says "and says so" "$name: Permission denied"
		done
	fi
	nothing_left "refused"
}

boxes=/var/lib/sandbox-ssh/sandboxes
if [ "${1:-}" = as ]; then
	[ "$(id -un)" != alice ] ||
		boxes=$HOME/.local/state/sandbox-ssh/sandboxes
	sandbox-proxy setup >/dev/null
	main
	done_testing
	exit
fi
world_install
make_roots
mkdir -m 0700 /srv/private
cp -a "$roots/busybox" /srv/private/tree
cp "$roots/busybox.tar" /srv/private/some.tar
for who in alice root bob; do
	[ "$who" = root ] || world_user "$who"
	world_as "$who" as
done
