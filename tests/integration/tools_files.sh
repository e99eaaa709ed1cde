#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Sandboxes as places for files: sshfs, git with submodules, and what IDEs do
# over sftp.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

# Debian gives everybody /dev/fuse; what runs this test may not.
open_fuse() {
	[ -e /dev/fuse ] && grep -qw fuse /proc/filesystems ||
		world_skip "FUSE, which sshfs needs, is impossible here"
	mknod -m 0666 /run/fuse c 10 229
	mount --bind /run/fuse /dev/fuse
}

# What the last command has written, compared with a file.
same() {
	cmp "$out" "$2" >"$err" 2>&1 || fail "$1"
	ok "$1"
}

main() {
	mkdir "$HOME/work"
	cd "$HOME/work"
	mkdir -p tree/deep
	head -c 1000000 /dev/urandom >tree/data
	echo text >tree/deep/file
	a_mount
	submodules
	ide_upload
}

a_mount() {
	mkdir mnt
	check 0 "sshfs" sshfs "$host:workspace" mnt
	is "it is mounted" "$(findmnt -n -o FSTYPE mnt)" fuse.sshfs
	check 0 "copy into it" cp -r tree mnt/
	check 0 "it is inside" ssh "$host" cat workspace/tree/data
	same "the same bytes" tree/data
	check 0 "move and remove" bash -c \
	    'mv mnt/tree/deep/file mnt/tree/moved && rmdir mnt/tree/deep'
	check 0 "write inside" ssh "$host" 'echo inside >workspace/new'
	is "read outside" "$(cat mnt/new)" inside
	check 0 "git works in it" git -C mnt init -q repo
	is "nothing of ours serves it" \
	    "$(pgrep -u "$(id -u)" -f 'sandbox-(proxy|resolve)' || :)" ""
	check 0 "unmount" fusermount3 -u mnt
	# Without -f it silences ssh.
	check 1 "sshfs -f of a sandbox that is not there" \
	    sshfs -f run-9.sandbox:workspace mnt
	grep -q 'run-9: no such sandbox' "$err" || fail "it says which"
	ok "it says which"
}

submodules() {
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
	export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	local name
	for name in part whole; do
		ssh "$host" git init -q --bare -b main \
		    "workspace/$name.git"
		git init -q -b main "$name"
		git -C "$name" remote add origin "$host:workspace/$name.git"
	done
	cp tree/data part/
	git -C part add data
	git -C part commit -q -m data
	check 0 "git push" git -C part push -q origin main
	check 0 "git submodule add" git -C whole submodule --quiet add \
	    "$host:workspace/part.git" part
	git -C whole commit -q -m part
	check 0 "git push, the whole" git -C whole push -q origin main
	check 0 "git clone --recurse-submodules" git clone -q \
	    --recurse-submodules -j 2 "$host:workspace/whole.git" again
	check 0 "the part has come along" cmp tree/data again/part/data
	date >part/new
	git -C part add new
	git -C part commit -q -m new
	git -C part push -q origin main
	check 0 "git submodule update --remote" \
	    git -C again submodule --quiet update --remote
	check 0 "the new part too" cmp part/new again/part/new
	check 0 "git ls-remote" git ls-remote -q "ssh://$host/~/workspace/part.git"
	check 0 "git fetch --depth" git clone -q --depth 1 \
	    "ssh://$host/~/workspace/part.git" shallow
}

# JetBrains' IDEs ask for the platform, upload under another name, rename
# over what is there, keep modes and times, and unpack.
ide_upload() {
	check 0 "uname" ssh "$host" uname -sm
	is "what it says" "$(cat "$out")" "$(uname -sm)"
	tar -C tree -czf ide.tar.gz .
	touch -d 2001-02-03T04:05:06Z ide.tar.gz
	chmod 0640 ide.tar.gz
	printf '%s\n' '-mkdir .cache' 'mkdir .cache/IDE' \
	    'put tree/data .cache/IDE/ide.tar.gz' \
	    'put -p ide.tar.gz .cache/IDE/ide.tar.gz.part' \
	    'rename .cache/IDE/ide.tar.gz.part .cache/IDE/ide.tar.gz' \
	    'ls -l .cache/IDE' 'symlink IDE .cache/current' 'df .' \
	    >./batch
	check 0 "upload and rename over" sftp -q -b batch "$host"
	check 0 "mode and time are kept" ssh "$host" \
	    stat -c "'%a %Y'" .cache/current/ide.tar.gz
	is "which are these" "$(cat "$out")" "640 981173106"
	check 0 "unpack" ssh "$host" \
	    'cd .cache/IDE && tar xzf ide.tar.gz && cat data'
	same "the same bytes" tree/data
	check 0 "an upload that was cut short" bash -c \
	    "head -c 100000 tree/data >cut &&
	    printf 'put cut .cache/IDE/data\n' | sftp -q -b - $host"
	printf 'reput tree/data .cache/IDE/data\n' >./batch
	check 0 "goes on" sftp -q -b batch "$host"
	check 0 "it is whole" ssh "$host" cat .cache/IDE/data
	same "with the same bytes" tree/data
}

[ -n "${1:-}" ] || open_fuse
world_main "$@"
