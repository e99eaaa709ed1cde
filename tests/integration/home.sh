#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The home of a sandbox: what is kept over a stop, that nothing in it decides
# who gets in, and where sessions start.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

again() {
	check 0 "$1: stop" sandboxctl stop run-1234
	check 0 "$1: start" sandboxctl start run-1234
}

main() {
	kept
	hostile
	ephemeral
	starts_in
}

kept() {
	check 0 "a home with something in it" ssh "$host" \
	    'echo old >.bash_history && mkdir -p .cache/editor &&
	    echo server >.cache/editor/server && rm .profile &&
	    echo work >workspace/file && echo gone | tee /tmp/file >/var/tmp/file'
	again "kept"
	check 0 "it is there" ssh "$host" \
	    'cat .bash_history .cache/editor/server workspace/file'
	is "all of it" "$(paste -sd ' ' "$out")" "old server work"
	check 0 "but for what is temporary" ssh "$host" \
	    '[ ! -e /tmp/file ] && [ ! -e /var/tmp/file ]'
	check 0 "what was removed stays so" ssh "$host" '[ ! -e .profile ]'
	check 0 "its size is what counts" ssh "$host" \
	    'head -c 3000000 /dev/zero >.cache/blob && sync .cache/blob'
	wait_for "it is measured" measured
	ok "it is measured"
}

measured() {
	[ "$(sandboxctl show --json run-1234 |
		jq .limits.workspace.used)" -gt 3000000 ]
}

# A key that no gate knows.
own_key() {
	ssh -F none -i "$HOME/own" -o IdentitiesOnly=yes -o BatchMode=yes \
	    -o "ProxyCommand=sandbox-proxy connect $host" \
	    -o "UserKnownHostsFile=$HOME/.cache/sandbox-ssh/$host/known_hosts" \
	    "sandbox@$host" "$@"
}

hostile() {
	local link
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/own"
	check 0 "a home full of traps" ssh "$host" '
	    mkdir -p -m 700 .ssh && cat >.ssh/authorized_keys &&
	    cp .ssh/authorized_keys .ssh/authorized_keys2 &&
	    echo "touch ~/rc-ran" >.ssh/rc && chmod +x .ssh/rc &&
	    echo "TRAP=1" | tee .ssh/environment .pam_environment >/dev/null &&
	    echo "*" >.shosts && echo + >.rhosts && echo sandbox >.k5login &&
	    echo "Host *" >.ssh/config' <"$HOME/own.pub"
	ssh "$host" 'cat >.ssh/authorized_keys' <"$HOME/own.pub"
	again "traps"
	check 255 "its authorized_keys let nobody in" own_key true
	grep -q 'Permission denied' "$err" || fail "by the gate"
	check 0 "its environment is nobody's" ssh "$host" 'echo "<$TRAP>"'
	is "not set" "$(cat "$out")" "<>"
	check 1 "its rc does not run" ssh "$host" 'test -e rc-ran'
	for link in / /etc /opt/sandbox-ssh /var/lib/sandbox-authkeys /nowhere; do
		check 0 "a link to $link" ssh "$host" \
		    "rm -rf workspace .bashrc && ln -s $link workspace &&
		    ln -s $link .bashrc"
		again "$link"
		check 0 "it gets in" ssh "$host" readlink workspace .bashrc
		is "and the links are as they were" \
		    "$(paste -sd ' ' "$out")" "$link $link"
		is "what they point to is not its own" \
		    "$(ssh "$host" "find $link -maxdepth 0 -user sandbox" \
		    2>/dev/null)" ""
	done
	check 0 "a home that keeps its user out" ssh "$host" \
	    'rm workspace .bashrc && mkdir workspace && chmod 0 .'
	again "kept out"
	check 0 "who gets in can cure it" ssh "$host" 'chmod 755 /home/sandbox'
}

ephemeral() {
	check 0 "create --ephemeral" sandboxctl create --ephemeral run-2
	check 0 "show" sandboxctl show run-2
	grep -qx 'ephemeral: yes' "$out" || fail "it does not say so"
	ok "it says so"
	check 0 "files" ssh run-2.sandbox 'touch file workspace/file'
	check 0 "stop" sandboxctl stop run-2
	check 0 "it is nothing but new" ssh run-2.sandbox \
	    '[ ! -e file ] && [ ! -e workspace/file ] && [ -e .bashrc ]'
	check 0 "kill" sandboxctl kill run-2
}

# places NAME FOLDER: all ways in start there.
places() {
	is "$1: a command" "$(ssh "$host" pwd)" "$2"
	is "$1: a shell" "$(echo pwd | ssh -T "$host")" "$2"
	is "$1: sftp" "$(echo pwd | sftp -q -b - "$host" 2>/dev/null |
		sed -n 's/^Remote working directory: //p')" "$2"
	echo "$1" >"$HOME/note"
	check 0 "$1: scp" scp -q "$HOME/note" "$host:by-scp"
	check 0 "$1: scp -O" scp -qO "$HOME/note" "$host:by-old-scp"
	check 0 "$1: rsync" rsync "$HOME/note" "$host:by-rsync"
	is "$1: files get there" "$(ssh "$host" "cd / && cat $2/by-*" |
		paste -sd ' ')" "$1 $1 $1"
	ssh "$host" "rm $2/by-*"
	is "$1: who, and what shell" \
	    "$(ssh "$host" 'echo $HOME $SHELL $SANDBOX_WORKSPACE $PATH')" \
	    "/home/sandbox /bin/bash /home/sandbox/workspace $path"
}

# A broker of one's own is told by a file; the others' is as it is.
starts_in() {
	local conf=$HOME/.config/sandbox-ssh/sandboxd.conf path
	path=$(ssh "$host" 'echo $PATH')
	places home /home/sandbox
	[ "$(id -un)" = alice ] || return 0
	install -D -m 0644 /dev/stdin "$conf" <<-END
	[local]
	start_in = workspace
	END
	sandboxd --stop
	again "the other place"
	places workspace /home/sandbox/workspace
	check 0 "a login shell is one" ssh "$host" -tt 'exec bash -lc "shopt login_shell"'
	check 0 "where it is gone" ssh "$host" 'rm -r ~/workspace && pwd'
	check 0 "home is next" ssh "$host" pwd
	is "home is next" "$(cat "$out")" /home/sandbox
	rm "$conf"
	sandboxd --stop
	check 0 "the usual again" sandboxctl list
}

world_main "$@"
