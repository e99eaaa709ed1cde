#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandboxctl exec, cp and open: ssh, scp and editors as they are, told how.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

runs() {
	check 3 "exec" sandboxctl exec one sh -c \
	    'pwd; printf "<%s>" "$@"; echo err >&2; exit 3' x 'a  b' '$HOME' '*'
	is "its output" "$(cat "$out")" "/home/sandbox/workspace
<a  b><\$HOME><*>"
	is "its errors" "$(cat "$err")" err
	check 0 "a name in full, an option of ssh's" sandboxctl exec \
	    -o SendEnv=LC_X one.sandbox -- cat /etc/hostname
	printf in | sandboxctl exec one cat >"$out"
	is "its input" "$(cat "$out")" in
	# Of what is said at the end, script may lose some.
	check 0 "a terminal where there is one" script -qec \
	    'sandboxctl exec one sh -c "tty >tty"' /dev/null
	is "a terminal" "$(sandboxctl exec one cut -d/ -f-3 tty)" /dev/pts
	check 0 "print" sandboxctl exec --print -4 one echo "it's"
	check 0 "what is printed works" sh -c "$(cat "$out")"
	is "what is printed works" "$(cat "$out")" "it's"
	check 64 "no command" sandboxctl exec one
	check 64 "no sandbox" sandboxctl exec
	check 64 "an option that is none" sandboxctl exec --nonsense one true
	check 66 "no such sandbox" sandboxctl exec none true
}

copies() {
	local tree=$HOME/tree
	mkdir -p "$tree/sub" && echo data >"$tree/sub/file"
	check 0 "cp into it" sandboxctl cp "$tree/sub/file" one:workspace/f
	check 0 "cp out of it" sandboxctl cp one.sandbox:workspace/f "$HOME/g"
	is "the same" "$(cat "$HOME/g")" data
	check 0 "options of scp's" sandboxctl cp -r -p -o Compression=yes \
	    "$tree" one:
	is "a tree" "$(sandboxctl exec one cat ../tree/sub/file)" data
	check 0 "a sandbox besides" sandboxctl create two
	check 0 "from one to another" sandboxctl cp -3 one:workspace/f \
	    two:workspace/h
	is "there" "$(sandboxctl exec two cat h)" data
	check 0 "a colon behind a slash" sh -c "cd $HOME && echo c >a:b &&
	    sandboxctl cp ./a:b one:c"
	check 0 "print" sandboxctl cp --print "$tree/sub/file" one:x
	is "print" "$(cat "$out")" "scp -- $tree/sub/file one.sandbox:x"
	check 64 "none in a sandbox" sandboxctl cp "$HOME/g" "$HOME/h"
	check 64 "no target" sandboxctl cp "$HOME/g"
	check 64 "nothing" sandboxctl cp
	check 66 "no such sandbox" sandboxctl cp "$HOME/g" none:
	check 0 "kill" sandboxctl kill two
}

opens() {
	local where=/home/sandbox/workspace name
	check 0 "print" sandboxctl open one --print
	is "VS Code" "$(cat "$out")" \
	    "code --remote ssh-remote+one.sandbox $where"
	check 69 "one that is not installed" sandboxctl open one --in cursor
	grep -q 'cannot run cursor: .*: is it installed' "$err" || fail "says so"
	for name in code cursor zed xdg-open; do
		printf '#!/bin/sh\necho "${0##*/}" "$@"\n' \
		    >"/usr/local/bin/$name"
		chmod 755 "/usr/local/bin/$name"
	done
	while read -r name line; do
		check 0 "open in $name" sandboxctl open --in "$name" one
		is "open in $name" "$(cat "$out")" "$line"
		check 0 "print it" sandboxctl open --in "$name" --print one
		is "it is the same" "$(sh -c "$(cat "$out")")" "$line"
	done <<-END
	code code --remote ssh-remote+one.sandbox $where
	cursor cursor --remote ssh-remote+one.sandbox $where
	zed zed ssh://one.sandbox$where
	jetbrains xdg-open jetbrains://gateway/ssh/environment?h=one.sandbox&launchIde=true&projectHint=$where
	END
	check 64 "another editor" sandboxctl open --in ed one
	check 66 "no such sandbox" sandboxctl open none
}

world_install
check 0 "a sandbox" sandboxctl create one
check 78 "ssh does not know how" sandboxctl exec one true
check 78 "nor scp" sandboxctl cp one:x .
check 78 "nor an editor" sandboxctl open one --print
sandbox-proxy setup >/dev/null
runs
copies
opens
done_testing
