#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A sandbox that is shared: who gets in, what they may do, and that nothing of
# it is left when it is not shared any more.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1.sandbox

as() {
	local who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" \
	    LOGNAME="$who" "$@"
}

socket() {
	find /run/sandbox-ssh/sandboxes -name "$1.*.sock"
}

# told WHO ID COMMAND...: what comes of it, whatever the id is.
told() {
	local who=$1 id=$2 status=0
	shift 2
	as "$who" "${@//ID/$id}" >"$out" 2>"$err" </dev/null || status=$?
	echo "$status"
	sed -E "s/$id/ID/g; s/[0-9]+ (ms|s)/N \1/g" "$out" "$err"
}

# nothing WHO ID: all that is said of it is said of what does not exist.
nothing() {
	local who=$1 id=$2 command
	for command in "show ID" "start ID" "stop ID" "stop --hold ID" \
	    "kill ID" "extend --timeout 1h ID" "share --with $who ID" \
	    "share --with nobody-here ID" "unshare --with $who ID" "ssh ID id"
	do
		# shellcheck disable=SC2086
		is "$who: $command" "$(told "$who" "$id" sandboxctl $command)" \
		    "$(told "$who" none-such sandboxctl $command)"
	done
	is "$who: ssh" "$(told "$who" "$id" ssh ID.sandbox id)" \
	    "$(told "$who" none-such ssh ID.sandbox id)"
	is "$who: doctor" "$(told "$who" "$id" sandbox-proxy doctor ID.sandbox)" \
	    "$(told "$who" none-such sandbox-proxy doctor ID.sandbox)"
	check 0 "$who: list" as "$who" sandboxctl list --json
	! grep -q "\"$id\"" "$out" || fail "$who sees $id"
}

# A session of WHO's, and something below it, until it is cut.
session() {
	as "$1" ssh "$host" "echo \$\$ >workspace/$1.pid; setsid sleep 997 &
	    exec sleep 998" >"/tmp/$1.out" 2>&1 &
	wait_for "a session of $1's" test -s "$(workspace)/$1.pid"
}

workspace() {
	echo /var/lib/sandbox-ssh/sandboxes/run-1/home/workspace
}

# How many processes of the sandbox have this command line.
running() {
	pgrep -fc -- "^$1\$" || :
}

# What was killed takes a moment to go.
are_running() {
	[ "$(running "$1")" = "$2" ]
}

is_running() {
	[ "$(running "$1")" = "$2" ]
}

one_user() {
	nothing bob run-1
	is "nobody but its owner may connect" \
	    "$(getfacl -cpn "$(socket run-1)" | grep -c ':rw-$')" 1
	check 0 "alice shares it" as alice sandboxctl share run-1 --with bob
	is "that is said" "$(cat "$out")" "run-1: user bob: show,ssh,start"
	check 0 "bob's ssh" as bob ssh "$host" id -un
	is "he is in" "$(cat "$out")" sandbox
	ssh-keygen -L -f /home/bob/.cache/sandbox-ssh/$host/id_ed25519-cert.pub |
		grep -q 'Key ID: "bob/run-1/' || fail "by his own certificate"
	ok "by his own certificate"
	check 0 "bob's list" as bob sandboxctl list
	grep -Eq '^run-1 .* alice +show,ssh,start$' "$out" ||
		fail "says whose it is and what he may"
	ok "says whose it is and what he may"
	check 0 "bob's show" as bob sandboxctl show run-1
	grep -qx 'you_may: show,ssh,start' "$out" || fail "what he may"
	! grep -q shared_with "$out" || fail "with whom it is shared"
	check 0 "alice's show" as alice sandboxctl show run-1
	grep -qx 'shared_with: user bob: show,ssh,start' "$out" ||
		fail "with whom it is shared"
	check 0 "bob's events" as bob sandboxctl events --json run-1
	is "are none of who else has what" "$(jq -r '"\(.event) \(.by)"' "$out" |
	    sort -u | grep -E '^(shared|certificate) ')" "certificate bob"
	ok "who else has it is for its owner"
	nothing carol run-1
}

# What was not shared is refused, in words that name whom to ask.
verbs() {
	local verb
	for verb in stop kill "extend --timeout 1h" "share --with carol"; do
		# shellcheck disable=SC2086
		check 77 "bob: $verb" as bob sandboxctl $verb run-1
		says "bob: $verb: says why" "alice shares 'run-1' with you for show,ssh,start, not for ${verb%% *}: ask them"
	done
	check 77 "bob: unshare" as bob sandboxctl unshare run-1 --with bob
	check 0 "only to look" as alice sandboxctl share run-1 --with bob \
	    --verbs show
	is "that is said, too" "$(cat "$out")" "run-1: user bob: show"
	check 255 "bob's ssh" as bob ssh "$host" true
	check 0 "bob's show" as bob sandboxctl show run-1
	rm -r /home/bob/.cache/sandbox-ssh
	check 255 "bob's ssh without a certificate" as bob ssh "$host" true
	grep -q "for show, not for ssh" "$err" || fail "ssh says why"
	ok "ssh says why"
	check 0 "ssh alone" as alice sandboxctl share run-1 --with bob \
	    --verbs ssh
	is "which is to be seen, too" "$(cat "$out")" "run-1: user bob: show,ssh"
	check 0 "bob's ssh" as bob ssh "$host" true
	check 0 "alice stops it" as alice sandboxctl stop run-1
	check 255 "bob's ssh does not wake it" as bob ssh "$host" true
	grep -q "not for start" "$err" || fail "ssh says why"
	check 0 "with start" as alice sandboxctl share run-1 --with user:bob \
	    --verbs ssh,start
	check 0 "bob's ssh wakes it" as bob ssh "$host" true
	check 0 "alice holds it" as alice sandboxctl stop --hold run-1
	check 69 "bob cannot start it" as bob sandboxctl start run-1
	says "says whom to ask" "alice stopped 'run-1' on purpose, and it is held: ask them to start it"
	check 255 "nor wake it" as bob ssh "$host" true
	check 0 "alice can" as alice sandboxctl start run-1
	check 64 "a verb that is none" as alice sandboxctl share run-1 \
	    --with bob --verbs fly
	says "says which there are" "'fly' cannot be shared: these can: show,ssh,start"
	check 64 "a verb of the owner's" as alice sandboxctl share run-1 \
	    --with bob --verbs kill
}

whom() {
	local with
	for with in nobody-here group:bobby user:team 'a/b' uid:4294967295 \
	    user:; do
		check 64 "with '$with'" as alice sandboxctl share run-1 \
		    --with "$with"
		says "that is one line" "$(printf %s "${with#*:}" |
			head -c 20)"
	done
	check 64 "with nobody" as alice sandboxctl share run-1
	check 64 "with herself" as alice sandboxctl share run-1 --with alice
	check 64 "with root" as alice sandboxctl share run-1 --with uid:0
	check 0 "with an account that will go" as alice sandboxctl share \
	    run-1 --with dave
	userdel dave
	check 0 "unshared by its name" as alice sandboxctl unshare run-1 \
	    --with dave
	check 69 "twice" as alice sandboxctl unshare run-1 --with dave
	says "says so" "'run-1' is not shared with dave"
}

# Whoever is in a group now is, and whoever was is not.
group() {
	check 0 "a group" as alice sandboxctl share run-1 --with team
	grep -qx 'run-1: group team: show,ssh,start' "$out" || fail "which"
	check 0 "carol's ssh" as carol ssh "$host" true
	check 0 "carol's list" as carol sandboxctl list
	grep -q '^run-1 ' "$out" || fail "carol sees it"
	gpasswd -d carol team >/dev/null
	nothing_without_cache carol
	gpasswd -a carol team >/dev/null
	check 0 "in it again" as carol ssh "$host" true
}

nothing_without_cache() {
	rm -r "/home/$1/.cache/sandbox-ssh"
	nothing "$1" run-1
}

# Sessions of those who may no more end at once, and nobody else's.
unshare() {
	local who
	for who in alice bob carol; do
		session "$who"
	done
	wait_for "three sessions" are_running 'sleep 998' 3
	check 0 "alice unshares it" as alice sandboxctl unshare run-1 --with bob
	wait_for "bob's session is over" are_running 'sleep 998' 2
	wait_for "with all below it" are_running 'sleep 997' 2
	for who in alice carol; do
		as alice ssh "$host" "kill -0 \$(cat workspace/$who.pid)" ||
			fail "$who's session goes on"
		ok "$who's session goes on"
	done
	# With a certificate that is still in date.
	check 255 "bob's ssh" as bob ssh "$host" true
	check 0 "what still lets in" as alice sandboxctl show run-1
	is "is hers and carol's" "$(sed -n 's|^certificate: \([^/]*\)/.*|\1|p' \
	    "$out" | sort -u | paste -sd ' ')" "alice carol"
	nothing_without_cache bob
	check 0 "nor is the group's" as alice sandboxctl unshare run-1 \
	    --with group:team
	is "and that is all" "$(cat "$out")" "run-1: nobody else"
	wait_for "carol's session is over" are_running 'sleep 998' 1
	nothing_without_cache carol
	check 0 "alice's ssh" as alice ssh "$host" true
	is "nobody but its owner may connect again" \
	    "$(getfacl -cpn "$(socket run-1)" | grep -c ':rw-$')" 1
}

# Root inside can keep process 1 from giving up its socket.
resists() {
	local status=0
	check 0 "shared again" as alice sandboxctl share run-1 --with bob
	pkill -STOP -x sandbox-init
	as alice sandboxctl unshare run-1 --with bob >"$out" 2>"$err" ||
		status=$?
	pkill -CONT -x sandbox-init
	[ "$status" != 0 ] || fail "one that resists: unshare says it is done"
	says "one that resists: the way out" \
	    'stop it, say this again, and then start it'
	check 0 "stop it" as alice sandboxctl stop run-1
	check 0 "say it again" as alice sandboxctl unshare run-1 --with bob
	check 0 "start it" as alice sandboxctl start run-1
	nothing_without_cache bob
	is "its socket is alice's alone" \
	    "$(getfacl -cpn "$(socket run-1)" | grep -c ':rw-$')" 1
}

# Connections that nobody logs in on, and those that wait, are cut as well.
flood() {
	check 0 "shared" as alice sandboxctl share run-1 --with bob
	as bob /usr/bin/python3 - "$(socket run-1)" 300 >/tmp/flood <<-'END' &
	import socket, sys
	socks = []
	for n in range(int(sys.argv[2])):
	    s = socket.socket(socket.AF_UNIX)
	    s.setblocking(False)
	    try:
	        s.connect(sys.argv[1])
	    except BlockingIOError:
	        break
	    socks.append(s)
	print("connected", flush=True)
	for s in socks:
	    s.setblocking(True)
	for s in socks:
	    try:
	        while s.recv(4096):
	            pass
	    except ConnectionResetError:
	        pass
	print("cut", flush=True)
	END
	wait_for "connections" grep -qx connected /tmp/flood
	check 0 "unshared" as alice sandboxctl unshare run-1 --with bob
	wait_for "the end of all of them" grep -qx cut /tmp/flood
	check 0 "alice's ssh" as alice ssh "$host" true
}

# It lasts over restarts of the broker and the sandbox, and ends with it.
lasts() {
	check 0 "shared" as alice sandboxctl share run-1 --with bob
	sandboxd --stop >/dev/null
	serve
	check 0 "the broker was started again" as bob ssh "$host" true
	check 0 "stop" as alice sandboxctl stop run-1
	check 0 "the sandbox, too" as bob ssh "$host" true
	rm -r /run/sandbox-ssh/sandboxes
	check 0 "its socket was lost" as bob ssh "$host" true
	is "a shared one counts for its owner" \
	    "$(as bob sandboxctl list --json | jq -r '.[].owner')" alice
	check 0 "kill" as alice sandboxctl kill run-1
	check 0 "another of that id" as alice sandboxctl create run-1
	nothing bob run-1
}

# Those of an ordinary user's own broker, and without isolation.
not_these() {
	as carol sandboxd --daemon
	check 0 "carol's own" as carol sandboxctl create mine
	check 69 "cannot be shared" as carol sandboxctl share mine --with bob
	says "says why" "an ordinary user's own"
	as carol sandboxctl kill mine
	as carol sandboxd --stop >/dev/null
	sandboxd --stop >/dev/null
	printf '[local]\nisolation = none\n' >/root/bare.conf
	sandboxd --daemon --config /root/bare.conf
	check 0 "root's, without isolation" sandboxctl create bare
	check 69 "cannot be shared" sandboxctl share bare --with bob
	says "says why" "a shell of root's: it is not for others"
	sandboxctl kill bare
}

# With no more power than the unit for systemd gives it.
serve() {
	local caps
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' \
	    "$SRCDIR/systemd/sandboxd.service.in" | sed 's/CAP_/+/g; s/ /,/g')
	[ -n "$caps" ] || fail "the unit has no capabilities"
	setpriv --bounding-set "-all,${caps,,}" --inh-caps=-all \
	    sandboxd --daemon || fail "sandboxd does not start"
}

main() {
	local who
	world_install
	for who in alice bob carol dave; do
		world_user "$who"
	done
	groupadd team
	usermod -aG team carol
	serve
	for who in alice bob carol; do
		as "$who" sandbox-proxy setup >/dev/null
	done
	check 0 "alice's sandbox" as alice sandboxctl create run-1
	one_user
	verbs
	whom
	group
	unshare
	resists
	flood
	lasts
	not_these
	done_testing
}

main
