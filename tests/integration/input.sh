#!/usr/bin/env bash
# Bad input, everywhere: one line that says what, why and what to do, a status
# of sysexits.h, and nothing left behind.
. "$(dirname "$0")/world.sh"
world_enter "$0" "$@"

# Everything of ours below the home folder, and nothing else.
left() {
	find "$HOME/.cache" "$HOME/.config" "$HOME/.ssh" "$HOME"/x* \
	    -printf '%p %m %s\n' 2>/dev/null | sort || :
}

# bad STATUS REGEX COMMAND...
bad() {
	local status=$1 regex=$2 before
	shift 2
	before=$(left)
	check "$status" "refused: $*" "$@"
	says "    in one line" "$regex"
	is "    nothing on standard output" "$(cat "$out")" ""
	is "    nothing left behind" "$(left)" "$before"
}

main() {
	cd "$HOME"
	names
	reader_gone
	usage
	configuration
	files
}

names() {
	local name
	for name in '../x.sandbox' 'a/b.sandbox' 'a*.sandbox' '#x.sandbox' \
	    'é.sandbox' '%h.sandbox' 'a..b.sandbox' '.sandbox' 'sandbox' \
	    'a-.sandbox' 'A.sandbox' 'a.sandbox.' 'a b.sandbox' \
	    "$(printf 'a%.0s' {1..300}).sandbox" "$(printf 'a\nb').sandbox"; do
		bad 64 'not a sandbox name' \
		    sandbox-proxy connect --fdpass "$name" 22
		check 64 "prepare $name" sandbox-proxy prepare "$name"
	done
	bad 64 "see sandbox-proxy" sandbox-proxy connect -x.sandbox
	for name in '../x' 'a/b' 'A' 'a-' '' 'a.b' "$(printf 'a%.0s' {1..64})"; do
		bad 64 'a sandbox (id|name)' sandboxctl show "$name"
		bad 64 'a sandbox (id|name)' sandboxctl create "$name"
		bad 64 'a sandbox (id|name)' sandboxctl kill "$name"
	done
	# As people type them, through ssh itself.
	check 255 "ssh ../../x.sandbox" ssh '../../x.sandbox' true
	check 255 "ssh a*.sandbox" ssh 'a*.sandbox' true
	check 255 "ssh run-9.sandbox" ssh run-9.sandbox true
	grep -q "run-9: no such sandbox" "$err" || fail "it says which"
	bad 66 "run-9: no such sandbox" sandboxctl show run-9
	bad 66 "run-9: no such sandbox" sandboxctl start run-9
	bad 66 "run-9: no such sandbox" sandbox-proxy connect run-9.sandbox
	bad 73 'run-1234.*already exists' sandboxctl create run-1234
}

# As in "sandboxctl list | head -1".
reader_gone() {
	check 0 "nobody reads any more, and no word of it" \
	    /usr/bin/python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
sys.exit(subprocess.run(["sandboxctl", "list"], stdout=w,
    stderr=subprocess.PIPE).stderr != b"")'
}

usage() {
	local program
	for program in sandbox-proxy sandboxctl sandbox-cert; do
		bad 64 "see $program --help" "$program"
		bad 64 "see $program --help" "$program" no-such-command
		bad 64 "see $program --help" "$program" --no-such-option
		check 0 "$program --help" "$program" --help
		check 0 "$program --version" "$program" --version
	done
	check 0 "sandboxd --help" sandboxd --help
	bad 64 "see sandboxd --help" sandboxd --no-such-option
	bad 64 'duration' sandboxctl create x1 --timeout 60
	bad 64 'duration' sandboxctl create x1 --timeout never
	bad 64 'ttl' sandboxctl ssh run-1234 --ttl 0 -- true
	bad 64 'ttl' sandboxctl ssh run-1234 --ttl 48h -- true
}

configuration() {
	local file=$HOME/.config/sandbox-ssh/config
	mkdir -p "${file%/*}"
	printf '[broker]\nurll = x\n' >"$file"
	bad 78 "$file:2: unknown key 'urll'" sandboxctl list
	printf '[broker]\ntimeout = ten\n' >"$file"
	bad 78 "$file:2: timeout" sandboxctl list
	printf '[broker]\nurl = http://example.org\n' >"$file"
	bad 78 'https' sandboxctl list
	printf '[broker]\nurl = unix:/nowhere/sandboxd.sock\n' >"$file"
	bad 69 '/nowhere/sandboxd.sock' sandboxctl list
	printf '[broker]\ntoken_file = %s\nurl = https://localhost\n' \
	    "$HOME/token" >"$file"
	echo secret >"$HOME/token"
	chmod 0644 "$HOME/token"
	bad 78 "$HOME/token" sandboxctl list
	printf '[broker]\n' >"$file"
	chmod 0666 "$file"
	bad 78 "$file" sandboxctl list
	rm "$file" "$HOME/token"
}

files() {
	bad 66 'x.none' sandbox-cert show "$HOME/x.none"
	echo nonsense >"$HOME/x.text"
	bad 65 'x.text' sandbox-cert show "$HOME/x.text"
	check 0 "a CA" sandbox-cert ca-init "$HOME/x.ca"
	bad 73 'exists' sandbox-cert ca-init "$HOME/x.ca"
	bad 65 'x.text' sandbox-cert issue --ca "$HOME/x.ca" --sandbox run-1 \
	    "$HOME/x.text"
	chmod 0644 "$HOME/x.ca"
	bad 78 'x.ca' sandbox-cert issue --ca "$HOME/x.ca" --sandbox run-1 \
	    "$HOME/x.ca.pub"
	rm "$HOME"/x.*
}

world_main "$@"
