#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandboxctl run: its output, input, terminal, status and signals, what others
# see meanwhile, and what is left, however it ends.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

ids() {
	sandboxctl list --json | jq -r '.[].id' | xargs
}

nothing_left() {
	[ -z "$(ids)" ]
}

nobody_left() {
	! pgrep -x 'ssh|tar|sandboxctl' >/dev/null
}

# begin FILE ARG...: one in the background, as process $run.
begin() {
	local to=$1
	shift
	: >"$to"
	sandboxctl run "$@" >"$to" 2>"$to.err" </dev/null &
	run=$!
}

# python NAME: what stands on standard input, which check would not pass on.
python() {
	cat >"$HOME/script.py"
	check 0 "$1" timeout 60 /usr/bin/python3 "$HOME/script.py"
}

# ends STATUS NAME
ends() {
	local status=0
	wait "$run" || status=$?
	is "$2" "$status" "$1"
}

streams() {
	check 3 "the status" sandboxctl run one -- \
	    sh -c 'echo out; echo err >&2; exit 3'
	is "its output" "$(cat "$out")" out
	is "its errors, and not a word of ours" "$(cat "$err")" err
	is "nothing is left" "$(ids)" ""
	check 0 "words as they are" sandboxctl run -- printf '<%s>' 'a  b' '' \
	    '$HOME' "it's" '*'
	is "words as they are" "$(cat "$out")" "<a  b><><\$HOME><it's><*>"
	printf 'in\nand more' | sandboxctl run -- cat >"$out"
	is "its input" "$(tail -n 1 "$out")" "and more"
	check 0 "where" sandboxctl run -- pwd
	is "it runs in the workspace" "$(cat "$out")" /home/sandbox/workspace
	check 127 "no such command" sandboxctl run -- nonsense
	grep -q 'nonsense: not found' "$err" || fail "in words"
	ok "in words"
	check 137 "one that a signal ends" sandboxctl run -- \
	    sh -c 'kill -KILL $$'
	is "without a word" "$(cat "$err")" ""
	head -c 5000000 /dev/urandom >"$HOME/much"
	sandboxctl run -- cat <"$HOME/much" >"$HOME/back"
	cmp "$HOME/much" "$HOME/back" || fail "bytes"
	ok "bytes, both ways"
}

refused() {
	check 64 "no command" sandboxctl run one
	check 64 "no word of it" sandboxctl run one --
	check 64 "two ids" sandboxctl run one two -- true
	check 64 "a bad id" sandboxctl run BAD -- true
	check 64 "no folder" sandboxctl run --upload "$HOME/none" -- true
	check 64 "both" sandboxctl run --preserve --timeout session -- true
	check 64 "what to do" sandboxctl run --on-failure wait -- true
	check 78 "ssh does not know how" sandboxctl run --ssh -- true
	grep -q 'run sandbox-proxy setup' "$err" || fail "the cure"
	ok "the cure"
	is "nothing was made" "$(ids)" ""
	check 0 "otherwise that does not matter" sandboxctl run -- true
	sandbox-proxy setup >/dev/null
	check 0 "a sandbox" sandboxctl create one
	check 73 "an id that is taken" sandboxctl run one -- true
	is "it stays" "$(ids)" one
	check 0 "kill" sandboxctl kill one
}

# A configuration for people, which would be in the way.
odd_configuration() {
	cp "$HOME/.ssh/config" "$HOME/config"
	printf '%s\n' 'Host *' 'RemoteCommand false' 'RequestTTY force' \
	    'LocalForward 1 localhost:1' >>"$HOME/.ssh/config"
	check 0 "an odd configuration" sandboxctl run -- echo fine
	is "an odd configuration" "$(cat "$out")" fine
	cp "$HOME/config" "$HOME/.ssh/config"
}

others() {
	local line
	begin "$HOME/r" --ssh busy -- sh -c \
	    'until [ -e go ]; do sleep 0.1; done; cat go'
	wait_for "the line" grep -q . "$HOME/r.err"
	line=$(cat "$HOME/r.err")
	is "the line says how to get in" "$line" "ssh busy.sandbox"
	check 0 "it works at once" sh -c "$line 'cd workspace; pwd'"
	check 0 "look and edit" ssh busy.sandbox \
	    'echo from outside >workspace/new; mv workspace/new workspace/go'
	ends 0 "the command sees it"
	is "and says so" "$(cat "$HOME/r")" "from outside"
	wait_for "its end" nothing_left
	check 255 "nobody gets in any more" ssh busy.sandbox true
}

uploads() {
	local from=$HOME/from
	mkdir -p "$from/sub" "$from/.hidden"
	echo one >"$from/f" && chmod 640 "$from/f"
	ln -s f "$from/link" && ln -s /nowhere "$from/broken"
	echo x >"$from/-n odd
name" && chmod 2750 "$from/sub" && chmod 500 "$from"
	check 0 "upload" sandboxctl run --upload "$from" -- \
	    find . -printf '%p %y %m %l\n'
	is "modes and links are kept, and the workspace's own" \
	    "$(sort "$out")" "$(cd "$from" &&
	    find . -printf '%p %y %m %l\n' | sed '1s/500/755/' | sort)"
	mkdir "$HOME/empty"
	check 0 "an empty folder" sandboxctl run --upload "$HOME/empty" -- ls
	is "an empty folder" "$(cat "$out")" ""
	check 0 "a relative one" sh -c \
	    "cd $HOME && sandboxctl run --upload from -- cat f"
	chmod 700 "$from"
	begin "$HOME/r" --upload "$from" big -- true
	ends 0 "and one more"
}

# Ctrl-C while it uploads: what is kept is told, what is not goes.
interrupted() {
	python "Ctrl-C while it uploads" <<-'END'
	import os, pty, subprocess
	home = os.environ["HOME"] + "/slow"
	os.makedirs(home)
	with open(home + "/large", "wb") as f:
	    f.truncate(1 << 30)
	pid, master = pty.fork()
	if pid == 0:
	    os.execvp("sandboxctl", ["sandboxctl", "run", "--ssh", "--preserve",
	        "--upload", home, "slow", "--", "true"])
	seen = b""
	while b"ssh slow.sandbox" not in seen:
	    seen += os.read(master, 1000)
	while subprocess.run(["pgrep", "-x", "tar"],
	                     stdout=subprocess.DEVNULL).returncode:
	    pass
	os.write(master, b"\x03")
	try:
	    while True:
	        seen += os.read(master, 1000)
	except OSError:
	    pass
	assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 69, seen
	assert b"could not be uploaded" in seen, seen
	assert b"slow is kept" in seen, seen
	END
	check 0 "it is there" sandboxctl kill slow
}

# It goes to the whole command, which may take it as it likes.
signals() {
	local name
	for name in INT TERM HUP QUIT; do
		begin "$HOME/r" -- sh -c \
		    "trap 'echo $name; exit 7' $name; echo up
		    while :; do sleep 0.1; done"
		wait_for "the command" grep -q up "$HOME/r"
		kill -s "$name" "$run"
		ends 7 "$name: a command that has its own way"
		is "$name" "$(tail -n 1 "$HOME/r")" "$name"
	done
	begin "$HOME/r" -- sh -c 'echo up; sleep 1000 & wait; echo no'
	wait_for "the command" grep -q up "$HOME/r"
	kill -TERM "$run"
	ends 143 "TERM: one that has none"
	begin "$HOME/r" deaf -- sh -c 'trap "" TERM; echo up; while :; do
	    sleep 0.1; done'
	wait_for "the command" grep -q up "$HOME/r"
	for _ in 1 2 3; do
		kill -TERM "$run"
		sleep 0.2 # two that come at once are one
	done
	ends 137 "one that is deaf"
	wait_for "its end" nothing_left
	ok "its sandbox is gone"
}

killed() {
	begin "$HOME/r" dies -- sh -c 'echo up; exec sleep 1000'
	wait_for "the command" grep -q up "$HOME/r"
	kill -9 "$run"
	ends 137 "kill -9"
	wait_for "the sandbox's end" nothing_left
	ok "the sandbox goes by itself"
	begin "$HOME/r" --preserve stays -- sh -c 'echo up; exec sleep 1000'
	wait_for "the command" grep -q up "$HOME/r"
	kill -9 "$run"
	ends 137 "kill -9 with --preserve"
	check 0 "that one stays" ssh stays.sandbox true
	check 0 "kill" sandboxctl kill stays
	begin "$HOME/r" other -- sh -c 'echo up; exec sleep 1000'
	wait_for "the command" grep -q up "$HOME/r"
	check 0 "somebody removes it" sandboxctl kill other
	ends 255 "the run ends, too"
	grep -q '^sandboxctl: other was removed meanwhile$' "$HOME/r.err" ||
		fail "and says so"
	ok "and says so"
}

keeps() {
	check 1 "a command that fails" sandboxctl run --on-failure keep a -- \
	    sh -c 'echo left >note; exit 1'
	is "how to get in, how to remove it" "$(cat "$err")" \
	    "sandboxctl: a is kept: get in with 'ssh a.sandbox', remove it with \
'sandboxctl kill a'"
	check 0 "get in" ssh a.sandbox cat workspace/note
	is "what it left" "$(cat "$out")" left
	check 0 "one that does not" sandboxctl run --on-failure keep b -- true
	is "goes" "$(ids)" a
	check 0 "preserve" sandboxctl run --preserve --timeout 30m b -- true
	is "its end" "$(sandboxctl show --json b |
		jq '.expires_at - .created_at')" 1800
	check 0 "the ways that were said" sh -c \
	    "$(sed -n "s/.*'\\(ssh .*\\)', .*/\\1/p" "$err") true &&
	    $(sed -n "s/.*'\\(sandboxctl .*\\)'.*/\\1/p" "$err")"
	check 0 "kill" sandboxctl kill a
	is "nothing is left" "$(ids)" ""
	begin "$HOME/r" --timeout 3s short -- sleep 1000
	ends 255 "an end before that of the command"
	wait_for "its end" nothing_left
}

as_json() {
	check 4 "json" sandboxctl run --json --ssh --upload "$HOME/from" j -- \
	    sh -c 'echo out; echo err >&2; exit 4'
	is "its output is not among the steps" "$(sort "$err")" "err
out"
	is "the steps" "$(jq -c 'del(.sandbox) | [.[]]' "$out")" \
	    '["sandbox","j"]
["ssh","j","ssh j.sandbox"]
["uploaded","j"]
["exit","j",4]
["end","j",false]'
	is "the sandbox" "$(jq -r 'select(.step == "sandbox") |
		.sandbox.session' "$out")" true
	check 1 "json, keep" sandboxctl run --json --on-failure keep j -- false
	is "what is left" "$(jq -c 'select(.step == "end")' "$out")" \
	    '{"step":"end","id":"j","kept":true,"enter":"ssh j.sandbox","remove":"sandboxctl kill j.sandbox"}'
	check 0 "remove it" sh -c "$(jq -r 'select(.step == "end").remove' "$out")"
}

# A terminal, whose size changes, and Ctrl-C on it.
terminal() {
	python "a terminal" <<-'END'
	import fcntl, os, pty, struct, termios

	def size(rows, columns):
	    fcntl.ioctl(master, termios.TIOCSWINSZ,
	                struct.pack("HHHH", rows, columns, 0, 0))

	def expect(text):
	    seen = b""
	    while text not in seen:
	        seen += os.read(master, 1000)

	pid, master = pty.fork()
	if pid == 0:
	    while os.get_terminal_size().lines != 33:
	        pass
	    os.execvp("sandboxctl", ["sandboxctl", "run", "--", "sh", "-c",
	        "trap 'stty size' WINCH; trap 'exit 9' INT; tty; stty size;"
	        "while :; do sleep 0.1; done"])
	size(33, 99)
	expect(b"/dev/pts/")
	expect(b"33 99")
	size(44, 111)
	expect(b"44 111")
	os.write(master, b"\x03")
	assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
	END
	wait_for "its end" nothing_left
	ok "nothing is left"
}

world_install
streams
refused
odd_configuration
others
uploads
interrupted
signals
killed
keeps
as_json
terminal
wait_for "no process of ours" nobody_left
done_testing
