#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The tools that copy files over ssh, each unchanged: scp, sftp, rsync, git.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	mkdir "$HOME/work"
	cd "$HOME/work"
	mkdir -p tree/deep/er
	head -c 100000 /dev/urandom >tree/data
	echo text >'tree/deep/er/a name with blanks'
	chmod 0751 tree/data

	scp_both_ways
	sftp_batch
	rsync_both_ways
	git_both_ways
}

scp_both_ways() {
	check 0 "scp up" scp -q tree/data "$host:workspace/data"
	check 0 "scp down" scp -q "$host:workspace/data" back
	check 0 "scp: the same bytes" cmp tree/data back
	check 0 "scp -r up" scp -qr tree "$host:workspace/tree"
	check 0 "scp -r down" scp -qr "$host:workspace/tree" tree.back
	check 0 "scp -r: the same tree" diff -r tree tree.back
	check 0 "scp -O (the old protocol) up" \
	    scp -qO tree/data "$host:workspace/old"
	check 0 "scp -O down" scp -qO "$host:workspace/old" old
	check 0 "scp -O: the same bytes" cmp tree/data old
	check 255 "scp from a sandbox that is not there" \
	    scp -q "run-9.sandbox:x" .
	[ ! -e x ] || fail "scp left a file"
}

sftp_batch() {
	printf '%s\n' 'cd workspace' 'mkdir box' 'cd box' 'put tree/data' \
	    'chmod 640 data' 'rename data renamed' 'ls -l' \
	    'get renamed sftp.back' 'rm renamed' 'cd ..' \
	    'rmdir box' >./batch
	check 0 "an sftp batch" sftp -q -b batch "$host"
	check 0 "sftp: the same bytes" cmp tree/data sftp.back
}

rsync_both_ways() {
	check 0 "rsync up" rsync -a --delete tree/ "$host:workspace/r/"
	check 0 "rsync up again" \
	    rsync -ai --delete tree/ "$host:workspace/r/"
	is "the second transfers nothing" "$(cat "$out")" ""
	rm -r tree/deep
	check 0 "rsync --delete" rsync -a --delete tree/ "$host:workspace/r/"
	check 1 "what was deleted is gone inside" \
	    ssh "$host" test -e workspace/r/deep
	check 0 "rsync down" rsync -a --delete "$host:workspace/r/" r.back/
	check 0 "rsync down again" \
	    rsync -ai --delete "$host:workspace/r/" r.back/
	is "the second down transfers nothing" "$(cat "$out")" ""
	check 0 "rsync: the same tree" diff -r tree r.back
}

git_both_ways() {
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
	export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	check 0 "a bare repository inside" \
	    ssh "$host" git init -q --bare workspace/repo.git
	check 0 "git clone" git clone -q "$host:workspace/repo.git" clone
	cp tree/data clone/
	git -C clone add data
	git -C clone commit -q -m 'data'
	check 0 "git push" git -C clone push -q origin HEAD:refs/heads/main
	check 0 "git clone -b main" \
	    git clone -q -b main "ssh://$host/home/sandbox/workspace/repo.git" \
	    again
	check 0 "git: the same bytes" cmp tree/data again/data
}

world_main "$@"
