#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Bad input, everywhere: one line that says what, why and what to do, a status
# of sysexits.h, and nothing left behind.
. "$(dirname "$0")/../world/world.sh"
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
	domains
	reader_gone
	usage
	statuses
	kinds
	configuration
	files
	stopping
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

# What a name and --domain say must agree; who errs is told what to write.
domains() {
	local file=$HOME/.config/sandbox-ssh/config
	bad 64 "'run-1' is not a sandbox name: write run-1.sandbox\$" \
	    sandbox-proxy doctor run-1
	bad 64 "write run-1.corp\$" sandbox-proxy --suffix corp connect run-1
	bad 64 "'foo.example.com' is not a sandbox name: write foo.sandbox\$" \
	    sandboxctl create foo.example.com
	check 0 "what it says to write" sandboxctl create foo.sandbox
	sandboxctl kill foo >/dev/null
	mkdir -p "${file%/*}"
	printf '[domain "prod.sandbox"]\nurl = unix:/nowhere/x\n' >"$file"
	bad 64 "'a.prod.sandbox' is in the domain prod.sandbox, not in sandbox" \
	    sandboxctl create a.prod.sandbox --domain sandbox
	bad 64 "'a.sandbox' is in the domain sandbox, not in prod.sandbox" \
	    sandboxctl create a.sandbox --domain prod.sandbox
	bad 64 "'q.prod' is not a sandbox name: write q.prod.sandbox\$" \
	    sandboxctl create q.prod
	bad 64 "write q.prod.sandbox\$" \
	    sandboxctl create q.prod --domain prod.sandbox
	bad 69 'unix:/nowhere/x' \
	    sandboxctl create a.prod.sandbox --domain prod.sandbox
	printf '[domain "prod"]\nurl = unix:/nowhere/y\n' >>"$file"
	bad 69 'unix:/nowhere/y' sandboxctl create q.prod
	bad 69 'unix:/nowhere/y' sandboxctl create q.prod --domain prod
	bad 64 "'q.prod' is in the domain prod, not in prod.sandbox" \
	    sandboxctl create q.prod --domain prod.sandbox
	rm "$file"
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
	bad 64 'ttl.* range 1s to 24h' sandboxctl ssh run-1234 --ttl 0 -- true
	bad 64 'ttl.* range 1s to 24h' sandboxctl ssh run-1234 --ttl 48h -- true
	bad 64 'ALIAS is missing: see sandbox-proxy connect --help' \
	    sandbox-proxy connect
	bad 64 "'c' is one word too many" sandbox-proxy connect a b c
	bad 64 "'x' is one word too many" sandbox-proxy print-config x
	bad 64 'ID is missing: see sandboxctl ssh --help' sandboxctl ssh
	bad 64 'the value of -p is missing: see sandboxctl ssh --help' \
	    sandboxctl ssh a -p
	bad 64 'the value of -l is missing: see sandboxctl cp --help' \
	    sandboxctl cp -l
	bad 64 "'b' is one word too many" sandboxctl create a b
	bad 64 "'a' is one word too many" sandboxctl list a
	bad 64 'a file is missing: see sandbox-cert show --help' \
	    sandbox-cert show
}

# A bad value is 64 on the command line, 65 in a file or on standard input,
# which is empty here, and 78 in a configuration file, such as the set of CAs
# that are trusted.
statuses() {
	local status regex words
	sandbox-cert ca-init "$HOME/x.ca"
	echo nonsense >"$HOME/x.text"
	echo 'serial 0x9-0x1' >"$HOME/x.serials"
	while IFS='|' read -r status regex words; do
		# shellcheck disable=SC2086 # words
		bad "$status" "$regex" ${words//\~/$HOME}
	done <<-'END'
	64|range 1s to 365d|sandboxctl create x1 --timeout 366d
	64|range 1s to 1h|sandboxctl start run-1234 --wait 2h
	64|is not KEY=VALUE|sandboxctl create x1 --label x
	64|a key is 1 to 63|sandboxctl create x1 --label a,b=1
	64|'k' is given twice|sandboxctl create x1 --label k=v --label k=w
	64|one too many: give 1|sandboxctl list --label k=v --label l=w
	64|none of: any, creating|sandboxctl list --state x
	64|not an absolute path|sandboxctl --config x list
	64|not a suffix|sandbox-proxy --suffix A hosts
	64|cannot stand in ssh_config|sandbox-proxy --cache /a"b print-config
	64|not an absolute path|sandboxd --socket x
	64|longer than the 107 bytes|sandboxd --socket /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	64|not a sandbox id|sandbox-cert issue --ca ~/x.ca --sandbox A ~/x.ca.pub
	64|not a list like|sandbox-cert issue --ca ~/x.ca --sandbox a --source-address x ~/x.ca.pub
	64|printable ASCII|sandbox-cert issue --ca ~/x.ca --sandbox a --key-id é ~/x.ca.pub
	64|hexadecimal digits|sandbox-cert issue --ca ~/x.ca --sandbox a --serial x ~/x.ca.pub
	64|--ca, or --ca-agent, is missing: see sandbox-cert issue --help|sandbox-cert issue --sandbox a ~/x.ca.pub
	64|--ca, or --ca-agent, is missing: see sandbox-cert revoke --help|sandbox-cert revoke --list ~/x.list ~/x.text
	64|sandbox-cert revocations sign --help|sandbox-cert revocations sign --out ~/x.list
	64|the lower first|sandbox-cert revocations sign --ca ~/x.ca --out ~/x.list --serial 0x9-0x1
	64|not a sandbox id|sandbox-cert verify --ca ~/x.ca.pub --sandbox A ~/x.text
	64|range 1s to 24h|sandbox-cert verify --ca ~/x.ca.pub --sandbox a --max-ttl 25h ~/x.text
	65|\(stdin\)|sandbox-cert show -
	65|\(stdin\)|sandbox-cert ca-line -
	65|\(stdin\)|sandbox-cert issue --ca ~/x.ca --sandbox a -
	65|x.text|sandbox-cert revocations show ~/x.text
	65|\(stdin\)|sandbox-cert verify --ca ~/x.ca.pub --sandbox a -
	78|x.text:1|sandbox-cert verify --ca ~/x.text --sandbox a ~/x.ca.pub
	65|x.text|sandbox-cert ca-rotate --next ~/x.next --trusted ~/x.trusted ~/x.text
	65|x.text|sandbox-cert revoke --ca ~/x.ca --list ~/x.list --new ~/x.text
	78|x.text:1|sandboxctl --config ~/x.text list
	78|x.text:1|sandbox-proxy --config ~/x.text hosts --refresh
	78|x.text:1|sandboxd --config ~/x.text
	78|^sandbox-cert: |sandbox-cert verify -c ~/x.text ~/x.ca.pub
	END
	check 65 "a bad serial in a file" sandbox-cert revocations sign \
	    --ca "$HOME/x.ca" --out "$HOME/x.list" --from "$HOME/x.serials"
	says "    in one line" 'x.serials:1: .*the lower first'
	check 0 "rotate" sandbox-cert ca-rotate "$HOME/x.ca.pub"
	bad 73 'x.ca-next.*already exists: name another file with --next' \
	    sandbox-cert ca-rotate "$HOME/x.ca.pub"
	rm "$HOME"/x.*
}

# Root's home is its own; its broker is for others.
unsearchable() {
	mkdir -m 0755 /srv/x-try
	mkdir -m 0750 /srv/x-try/in /srv/x-try/run
	ln -s in /srv/x-try/link
	bad 78 "^sandboxd: $HOME/x-try/state: other users cannot search the folder $HOME \(mode 0700\)" \
	    sandboxd --daemon --state-dir "$HOME/x-try/state" \
	    --runtime-dir "$HOME/x-try/run"
	bad 78 'cannot search the folder /srv/x-try/in \(mode 0750\)' \
	    sandboxd --daemon --state-dir /srv/x-try/link/state
	bad 78 'cannot search the folder /srv/x-try/run \(mode 0750\)' \
	    sandboxd --daemon --state-dir /srv/x-try/state \
	    --runtime-dir /srv/x-try/run
	[ ! -e /srv/x-try/state ] || fail "something was made"
	chmod o+x /srv/x-try/run
	check 0 "what it says to do" sandboxd --daemon \
	    --state-dir /srv/x-try/state --runtime-dir /srv/x-try/run
	check 0 "what it says to do: it serves" env \
	    SANDBOX_BROKER=unix:/srv/x-try/run/sandboxd.sock sandboxctl list
	check 0 "what it says to do: stop" sandboxd --stop \
	    --state-dir /srv/x-try/state --runtime-dir /srv/x-try/run
	rm -r /srv/x-try
}

# One status for one kind of failure, whichever program meets it: the kind, what
# is said, and the command.
kinds() {
	local status regex words home=$HOME
	local kind=''
	sandbox-cert ca-init "$HOME/x.ca"
	ssh-keygen -qt ed25519 -N '' -f "$HOME/x.key"
	mkdir "$HOME/x.dir"
	echo nonsense >"$HOME/x.text"
	cp "$HOME/x.text" "$HOME/x.secret"
	chmod 000 "$HOME/x.secret"
	while IFS='|' read -r status regex words; do
		case $status in
		'#'*) kind=${status#?} && continue ;;
		esac
		# What root may not read there is none of.
		[ "$(id -un)" != root ] || [[ $words != *x.secret* ]] || continue
		# shellcheck disable=SC2086 # words
		check "$status" "$kind: $words" ${words//\~/$home}
		says "    in one line" "$regex"
	done <<-'END'
	# settings that are not there
	78|x.none|sandboxctl --config ~/x.none list
	78|x.none|sandbox-proxy --config ~/x.none hosts --refresh
	78|x.none|sandboxd --config ~/x.none
	78|x.none|sandbox-cert verify --ca ~/x.none --sandbox a ~/x.key.pub
	78|x.none|sandbox-proxy setup --include ~/x.none
	# settings that are a folder
	78|x.dir|sandboxctl --config ~/x.dir list
	78|x.dir|sandbox-proxy --config ~/x.dir hosts --refresh
	78|x.dir|sandboxd --config ~/x.dir
	78|x.dir|sandbox-cert verify --ca ~/x.dir --sandbox a ~/x.key.pub
	78|x.dir|sandbox-proxy setup --include ~/x.dir
	# settings that cannot be read
	78|x.secret|sandboxctl --config ~/x.secret list
	78|x.secret|sandbox-proxy --config ~/x.secret hosts --refresh
	78|x.secret|sandboxd --config ~/x.secret
	78|x.secret|sandbox-cert verify --ca ~/x.secret --sandbox a ~/x.key.pub
	78|x.secret|sandbox-proxy setup --include ~/x.secret
	# input that is not there
	66|x.none|sandbox-cert show ~/x.none
	66|x.none|sandbox-cert ca-line ~/x.none
	66|x.none|sandbox-cert issue --ca ~/x.none --sandbox a ~/x.key.pub
	66|x.none|sandbox-cert issue --ca ~/x.ca --sandbox a ~/x.none
	66|x.none|sandbox-cert verify --ca ~/x.ca.pub --sandbox a ~/x.none
	66|x.none|sandbox-cert revocations show ~/x.none
	66|x.none|sandbox-cert revocations sign --ca ~/x.ca --out ~/x.list --from ~/x.none
	66|x.none|sandbox-cert ca-rotate ~/x.none
	# input that is a folder
	66|x.dir|sandbox-cert show ~/x.dir
	66|x.dir|sandbox-cert ca-line ~/x.dir
	66|x.dir|sandbox-cert issue --ca ~/x.ca --sandbox a ~/x.dir
	66|x.dir|sandbox-cert verify --ca ~/x.ca.pub --sandbox a ~/x.dir
	66|x.dir|sandbox-cert revocations show ~/x.dir
	66|x.dir|sandbox-cert revocations sign --ca ~/x.ca --out ~/x.list --from ~/x.dir
	66|x.dir|sandbox-cert ca-rotate ~/x.dir
	# input that cannot be read
	66|x.secret|sandbox-cert show ~/x.secret
	66|x.secret|sandbox-cert ca-line ~/x.secret
	66|x.secret|sandbox-cert issue --ca ~/x.secret --sandbox a ~/x.key.pub
	66|x.secret|sandbox-cert issue --ca ~/x.ca --sandbox a ~/x.secret
	66|x.secret|sandbox-cert verify --ca ~/x.ca.pub --sandbox a ~/x.secret
	66|x.secret|sandbox-cert revocations show ~/x.secret
	66|x.secret|sandbox-cert revocations sign --ca ~/x.ca --out ~/x.list --from ~/x.secret
	66|x.secret|sandbox-cert ca-rotate ~/x.secret
	# what cannot be made
	74|x.none/x|sandbox-cert ca-init ~/x.none/x
	74|x.none/x|sandbox-cert issue --ca ~/x.ca --sandbox a --out ~/x.none/x ~/x.key.pub
	74|x.none/x|sandbox-cert revocations sign --ca ~/x.ca --out ~/x.none/x --serial 0x1
	74|x.none/x|sandbox-cert ca-rotate --next ~/x.none/x ~/x.ca.pub
	74|/proc/x|sandbox-cert ca-init /proc/x
	74|/proc|sandbox-proxy setup --file /proc/x
	74|/proc/x|sandbox-proxy --cache /proc/x hosts --refresh
	74|/proc/x|sandbox-proxy --cache /proc/x connect run-1234.sandbox
	74|/proc/x|sandboxd --daemon --state-dir /proc/x --runtime-dir /tmp/x-run
	74|standard output|to_full sandboxctl list
	74|standard output|to_full sandboxctl show run-1234
	74|standard output|to_full sandboxctl --help
	74|standard output|to_full sandboxctl list --help
	74|standard output|to_full sandbox-proxy hosts
	74|standard output|to_full sandbox-proxy print-config
	74|standard output|to_full sandbox-proxy --version
	74|standard output|to_full sandbox-proxy hosts --help
	74|No space left|to_full sandbox-cert ca-line ~/x.ca.pub
	74|standard output|to_full sandbox-cert show --help
	74|standard output|to_full sandboxd --help
	# what is there already
	73|x.ca|sandbox-cert ca-init ~/x.ca
	73|run-1234|sandboxctl create run-1234
	# a broker that is down
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandboxctl list
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandboxctl create x1
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandboxctl kill x1
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandboxctl ssh x1
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandbox-proxy hosts --refresh
	69|/nowhere|env SANDBOX_BROKER=unix:/nowhere sandbox-proxy connect x1.sandbox
	69|/nowhere|sandboxd --stop --socket /nowhere
	# no such sandbox
	66|x1: no such|sandboxctl show x1
	66|x1: no such|sandboxctl start x1
	66|x1: no such|sandboxctl stop x1
	66|x1: no such|sandboxctl kill x1
	66|x1: no such|sandboxctl ssh x1
	66|x1: no such|sandbox-proxy connect x1.sandbox
	# a program that cannot be run
	69|cannot run /nowhere/sandbox-resolve|env SANDBOX_SSH_LIBEXEC=/nowhere sandboxctl ssh run-1234
	69|cannot run /nowhere/sandbox-resolve|env SANDBOX_SSH_LIBEXEC=/nowhere sandbox-proxy connect x1.sandbox
	69|cannot run /nowhere/sandbox-resolve|env SANDBOX_SSH_LIBEXEC=/nowhere sandbox-proxy hosts --refresh
	69|cannot run /nowhere/sandbox-resolve|env SANDBOX_SSH_LIBEXEC=/nowhere sandbox-proxy doctor
	69|cannot run ssh|env PATH=/nowhere /usr/local/bin/sandboxctl ssh run-1234
	END
	if [ "$(id -un)" != root ]; then
		mkdir "$HOME/x.closed"
		chmod 000 "$HOME/x.closed"
		bad 77 'Permission denied' \
		    sandboxd --stop --socket "$HOME/x.closed/x"
		bad 77 'Permission denied' env \
		    SANDBOX_BROKER="unix:$HOME/x.closed/x" sandboxctl list
	fi
	rm -rf "$HOME"/x.* /tmp/x-run
}

to_full() {
	"$@" >/dev/full
}

# It says whether there was one. One of one's own needs a folder that its
# processes may enter, which root's home is not.
stopping() {
	bad 69 "no sandboxd listens at $HOME/x.sock" \
	    sandboxd --stop --socket "$HOME/x.sock"
	[ "$(id -un)" != root ] || unsearchable
	[ "$(id -un)" = alice ] || return 0
	bad 77 'cannot see who listens at /root/x.sock: Permission denied' \
	    sandboxd --stop --socket /root/x.sock
	local own=(--state-dir "$HOME/x-state" --runtime-dir "$HOME/x-run")
	check 0 "one of one's own" sandboxd --daemon "${own[@]}"
	check 0 "it is stopped" sandboxd --stop "${own[@]}"
	grep -Eqx 'stopped sandboxd, process [0-9]+' "$out" || fail "says so"
	is "quietly" "$(cat "$err")" ""
	check 69 "it is no more" sandboxd --stop "${own[@]}"
	rm -r "$HOME/x-state" "$HOME/x-run"
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
