# SPDX-License-Identifier: ISC
# Root's sandboxd in a private machine, driven over its socket: sourced after
# world.sh by tests that want nothing else of the machine.
#
# shellcheck shell=bash disable=SC2034,SC2154

# Where every folder belongs to root, as sshd demands of its helpers.
broker_work=/srv/broker
broker_state=$broker_work/state
broker_run=$broker_work/run
broker_socket=$broker_run/sandboxd.sock
broker_log=$broker_state/sandboxd.log
export SANDBOX_SSH_LIBEXEC=$broker_work/libexec

broker_programs() {
	mkdir -p "$SANDBOX_SSH_LIBEXEC"
	cp "$BUILDDIR/init/sandbox-init" "$BUILDDIR/authkeys/sandbox-authkeys" \
	    "$SANDBOX_SSH_LIBEXEC/"
}

# broker_sandboxd [OPTION...]
broker_sandboxd() {
	"$BUILDDIR/sandboxd" --config "$broker_work/sandboxd.conf" \
	    --state-dir "$broker_state" --runtime-dir "$broker_run" "$@"
}

# broker_serve [LINE...]: with these lines for a configuration.
broker_serve() {
	printf '%s\n' "$@" >"$broker_work/sandboxd.conf"
	broker_sandboxd --daemon 2>"$err" || fail "sandboxd does not start"
}

broker_stop() {
	broker_sandboxd --stop >/dev/null || fail "sandboxd does not stop"
}

# broker_call USER STATUS NAME METHOD PATH [curl's arguments]: the answer is in
# $out.
broker_call() {
	local user=$1 want=$2 name=$3 method=$4 path=$5 got
	shift 5
	got=$(setpriv --reuid "$user" --regid "$user" --clear-groups \
	    curl -sS --max-time 120 --unix-socket "$broker_socket" \
	    -X "$method" -w '%{stderr}%{http_code}' "$@" \
	    "http://localhost$path" 2>&1 >"$out") || got="curl $?: $got"
	is "$name" "$got" "$want"
}

# broker_database CODE: Python over the database, db.
broker_database() {
	/usr/bin/python3 -c "import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=30)
$1
db.commit()" "$broker_state/db/sandboxd.db" || fail "the database"
}
