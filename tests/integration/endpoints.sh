#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every kind of endpoint, through the ssh that is installed, to a real
# sshd -i behind each; half-closed connections and 64 MiB both ways with
# digests; what goes wrong with proxies, TLS and WebSockets; and the race:
# blackholes, refused ports, IPv6 only, caches that are out of date.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
world_install

fixtures=$SRCDIR/tests/fixtures
work=/srv/work
alias=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh
entry=$cache/$alias
libexec=$work/libexec
sshd=$(command -v sshd)
export SANDBOX_SSH_LIBEXEC=$libexec

for need in stunnel4 socat tinyproxy websockify openssl sha256sum; do
	command -v "$need" >/dev/null || world_skip "$need is missing"
done

# The servers end when nobody holds their standard input any more; stunnel
# and its like with the world.
hold() {
	mkfifo "$work/hold"
	exec 9<>"$work/hold"
}

# start NAME COMMAND...: in the background, without what is ours.
start() {
	local name=$1
	shift
	"$@" >"$work/$name.log" 2>&1 <"$work/hold" 9>&- &
	echo $! >"$work/$name.pid"
}

listens() {
	ss -Hltn "sport = :$1" | grep -q .
}

says_ready() {
	grep -q . "$work/$1.log"
}

# Fixed ports: the network is this test's own.
ssh_port=2200 half_port=2201 stunnel=2210 stunnel_half=2211
proxy=2220 proxy_auth=2221 websockify=2230
next_port=2300

make_certificates() {
	cd "$work"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -keyout ca.key -out ca.pem -subj /CN=test-ca -days 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	    -keyout server.key -out server.csr -subj /CN=gateway
	printf 'subjectAltName=DNS:gateway.test,IP:127.0.0.1\n' >ext
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key \
	    -CAcreateserial -days 2 -extfile ext -out server.pem
	cat server.pem server.key >both.pem
	cd /
}

make_client() {
	mkdir -p "$entry" "$libexec" "$HOME/.config/sandbox-ssh"
	chmod 700 "$cache" "$entry" "$HOME/.config/sandbox-ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$entry/id_ed25519"
	ssh-keygen -q -t ed25519 -N '' -f "$work/host"
	echo "$alias $(cut -d' ' -f1,2 "$work/host.pub")" >"$entry/known_hosts"
	# sandbox-resolve: does what the test says, and is counted.
	cat >"$libexec/sandbox-resolve" <<-END
	#!/bin/sh
	echo "\$*" >>$work/resolved
	[ ! -e $work/session.next ] || cp -p $work/session.next $entry/session
	END
	chmod +x "$libexec/sandbox-resolve"
	ln -s "$BUILDDIR/sandbox-relay" "$libexec/sandbox-relay"
	sandbox-proxy print-config >"$work/ssh_config"
	cat >"$HOME/.config/sandbox-ssh/config" <<-END
	[endpoint]
	ca_file = $work/ca.pem
	[proxy]
	credentials_file = $work/credentials
	[exec "direct"]
	command = $sshd -i -f $work/sshd_config -o PidFile=%i
	[exec "half"]
	command = $work/half
	[exec "broken"]
	command = /bin/false %i
	END
	: >"$work/credentials"
	chmod 600 "$work/credentials"
}

make_servers() {
	cat >"$work/sshd_config" <<-END
	HostKey $work/host
	AuthorizedKeysFile $entry/id_ed25519.pub
	StrictModes no
	UsePAM no
	PermitRootLogin yes
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	END
	head -c 67108864 /dev/urandom >"$work/data"
	# Says hello, takes all there is, then answers with its digest and as
	# much again: only for a client that can close half a connection.
	cat >"$work/half" <<-END
	#!/bin/sh
	echo hello
	sha256sum
	cat $work/data
	END
	chmod +x "$work/half"
	start sshd /usr/bin/python3 "$fixtures/sshd_socket.py" \
	    --port $ssh_port "$work/ssh.sock" "$sshd" -i -f "$work/sshd_config"
	start half /usr/bin/python3 "$fixtures/sshd_socket.py" \
	    --port $half_port "$work/half.sock" "$work/half"
	start mux /usr/bin/python3 "$fixtures/vsock_mux.py" "$work/mux.sock" \
	    22="$work/ssh.sock" 23="$work/half.sock"
	cat >"$work/stunnel.conf" <<-END
	foreground = yes
	pid =
	cert = $work/both.pem
	TIMEOUTclose = 60
	[ssh]
	accept = 127.0.0.1:$stunnel
	connect = 127.0.0.1:$ssh_port
	END
	start stunnel stunnel4 "$work/stunnel.conf"
	# stunnel loses what a server still says to a client that has ended
	# its direction (see "byte(s) sent to TLS" in its log); socat does not.
	start socat socat -t 60 "OPENSSL-LISTEN:$stunnel_half,\
bind=127.0.0.1,fork,reuseaddr,verify=0,cert=$work/both.pem" \
	    TCP:127.0.0.1:$half_port
	printf 'Port %d\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n' \
	    $proxy >"$work/proxy.conf"
	start proxy tinyproxy -d -c "$work/proxy.conf"
	printf '%s\n' "Port $proxy_auth" 'Listen 127.0.0.1' 'MaxClients 20' \
	    'Timeout 60' 'BasicAuth alice s3cret' >"$work/proxy_auth.conf"
	start proxy_auth tinyproxy -d -c "$work/proxy_auth.conf"
	start websockify websockify --ssl-only --cert "$work/server.pem" \
	    --key "$work/server.key" 127.0.0.1:$websockify \
	    127.0.0.1:$ssh_port
	for port in $ssh_port $half_port $stunnel $stunnel_half $proxy \
	    $proxy_auth $websockify; do
		wait_for "port $port" listens $port
	done
	wait_for "the mux" says_ready mux
}

# websocket TARGET-PORT [MODE...]: one of ours; its port is in $ws.
websocket() {
	ws=$((next_port++))
	start "ws$ws" /usr/bin/python3 "$fixtures/ws_server.py" "$ws" "$@"
	wait_for "the WebSocket" says_ready "ws$ws"
}

# http_proxy [MODE]: its port is in $hp.
http_proxy() {
	hp=$((next_port++))
	start "hp$hp" /usr/bin/python3 "$fixtures/http_proxy.py" "$hp" "$@"
	wait_for "the proxy" says_ready "hp$hp"
}

# session [STATE] ENDPOINT...: to $session_file, or the cache.
session() {
	local to=${session_file:-$entry/session} state=running
	case $1 in stopped) state=stopped; shift ;; esac
	(umask 077; printf '%s\n' version=1 id=run-1234 user=root \
	    "state=$state" not_after=99999999999 single_use=no incarnation= broker= \
	    "origin=$(stat -c %d.%i.%.9Z "$HOME/.config/sandbox-ssh/config")" \
	    "${@/#/endpoint=}" >"$work/session.new")
	mv "$work/session.new" "$to"
	[ -n "${session_file:-}" ] || rm -f "$work/session.next"
	: >"$work/resolved"
}

run() {
	timeout 120 ssh -F "$work/ssh_config" -l root "$alias" "$@"
}

connect() {
	timeout 120 sandbox-proxy connect "$alias"
}

# One line from our programs, and nothing else from them.
tells() {
	grep '^sandbox-' "$err" >"$err.ours" || :
	mv "$err.ours" "$err"
	says "$@"
}

digest_both_ways() {
	local there back
	there=$(run sha256sum <"$work/data")
	back=$(run cat "$work/data" | sha256sum)
	[ "$there" = "$sum" ] && [ "$back" = "$sum" ]
}

half_closed() {
	connect <"$work/data" >"$work/answer" || return
	{ echo hello; echo "$sum"; cat "$work/data"; } |
		cmp - "$work/answer"
}

nobody_left() {
	! pgrep -x sandbox-relay >/dev/null && ! pgrep -x sandbox-proxy
}

# kind NAME ENDPOINT [ENDPOINT-OF-half]
kind() {
	session "$2"
	check 7 "$1: exit status" run exit 7
	check 0 "$1: 64 MiB each way, digests agree" digest_both_ways
	# As hosts.conf says it where the shell prints something.
	touch "$cache/.no-fdpass"
	check 7 "$1: without fd passing" run -o ProxyUseFdpass=no exit 7
	rm "$cache/.no-fdpass"
	if [ -n "${3:-}" ]; then
		session "$3"
		check 0 "$1: half-closed with 64 MiB each way" half_closed
	fi
	is "$1: the broker was not asked" "$(cat "$work/resolved")" ""
	wait_for "$1: nothing of ours stays" nobody_left
}

mkdir -p "$work"
hold
make_certificates >/dev/null 2>&1
make_client
make_servers
echo '127.0.0.1 gateway.test' >>/etc/hosts
sum=$(sha256sum <"$work/data")

# --- every kind
kind unix "unix:$work/ssh.sock" "unix:$work/half.sock"
kind tcp "tcp://127.0.0.1:$ssh_port" "tcp://localhost:$half_port"
kind unix-mux "unix-mux:$work/mux.sock#22" "unix-mux:$work/mux.sock#23"
kind "connect, tinyproxy" "connect://localhost:$proxy/127.0.0.1:$ssh_port"
http_proxy
kind connect "connect://127.0.0.1:$hp/127.0.0.1:$ssh_port" \
    "connect://localhost:$hp/localhost:$half_port"
kind exec "exec:direct/none" "exec:half/x"
kind tls "tls://gateway.test:$stunnel" "tls://127.0.0.1:$stunnel_half"
kind "tls, ALPN" "tls://gateway.test:$stunnel?alpn=ssh"
kind "wss, websockify" "wss://gateway.test:$websockify/"
websocket $ssh_port tls "$work/server.pem" "$work/server.key"
ssh_ws=$ws
websocket $half_port tls "$work/server.pem" "$work/server.key"
kind wss "wss://gateway.test:$ssh_ws/a/b?c=d" "wss://127.0.0.1:$ws"
for mode in wide pings split; do
	websocket $ssh_port $mode
	ssh_ws=$ws
	websocket $half_port $mode
	kind "ws, $mode" "ws://127.0.0.1:$ssh_ws" "ws://localhost:$ws/x"
	is "ws, $mode: all is answered" "$(cat "$work/ws$ws.log")" ready
done

# --- vsock: a real one where the kernel has a loopback for it
if /usr/bin/python3 "$fixtures/vsock_sshd.py" --probe; then
	start vsock /usr/bin/python3 "$fixtures/vsock_sshd.py" 2200 \
	    "$sshd" -i -f "$work/sshd_config"
	wait_for "vsock" says_ready vsock
	kind vsock vsock:1:2200
else
	echo "# no vsock loopback in this kernel: only its failure is tested"
fi
status=0
session vsock:1:4294967294
connect >"$out" 2>"$err" </dev/null || status=$?
[ "$status" = 69 ] || [ "$status" = 75 ] || fail "vsock: exit $status"
says "vsock: nobody there" \
    "vsock:1:4294967294(: (Connection|this kernel has no vsock)|$)"

# --- what was not to be had
session "unix-mux:$work/mux.sock#99"
check 69 "unix-mux: no such port" connect
tells "unix-mux: says so" 'mux.sock#99'

session "connect://127.0.0.1:$proxy_auth/127.0.0.1:$ssh_port"
check 77 "connect: 407" connect
tells "connect: 407 says what to do" \
    "the proxy 127.0.0.1:$proxy_auth wants a user and a password \(407\)"
echo "127.0.0.1:$proxy_auth alice wrong" >"$work/credentials"
check 77 "connect: 407 for a wrong password" connect
tells "connect: says that it is wrong" 'does not take this user'
echo "127.0.0.1:$proxy_auth alice s3cret" >"$work/credentials"
kind "connect, with a password" \
    "connect://alice@127.0.0.1:$proxy_auth/127.0.0.1:$ssh_port"
chmod 644 "$work/credentials"
session "connect://127.0.0.1:$proxy_auth/127.0.0.1:$ssh_port"
check 78 "connect: passwords that all can read" connect
chmod 600 "$work/credentials"
session "connect://127.0.0.1:$proxy/127.0.0.1:1"
check 69 "connect: nothing behind the proxy" connect
tells "connect: says so" "does not connect to 127.0.0.1:1"

http_proxy endless
session "connect://127.0.0.1:$hp/127.0.0.1:$ssh_port"
check 69 "connect: an answer without an end" connect
http_proxy babble
session "connect://127.0.0.1:$hp/127.0.0.1:$ssh_port"
check 76 "connect: no HTTP" connect
http_proxy silent
session "connect://127.0.0.1:$hp/127.0.0.1:$ssh_port" \
    "tcp://127.0.0.1:$ssh_port"
check 0 "connect: a proxy that says nothing, and the next one" run true

session exec:nowhere/x
check 78 "exec: no such command" connect
tells "exec: says so" '\[exec "nowhere"\]'
session exec:broken/x
check 69 "exec: a command that fails" connect

session "tls://localhost:$stunnel"
check 77 "tls: another name" connect
tells "tls: says so" 'certificate that is not to be trusted'
sed -i 's/^ca_file/#ca_file/' "$HOME/.config/sandbox-ssh/config"
session "tls://gateway.test:$stunnel"
check 77 "tls: an unknown CA" connect
session "wss://gateway.test:$websockify"
check 77 "wss: an unknown CA" connect
sed -i 's/^#ca_file/ca_file/' "$HOME/.config/sandbox-ssh/config"
session "tls://127.0.0.1:$ssh_port"
check 69 "tls: no TLS there" connect

session "ws://127.0.0.1:$ssh_port/"
check 76 "ws: no HTTP there" connect
websocket $ssh_port wrong
session "ws://127.0.0.1:$ws/"
check 76 "ws: a wrong key" connect
tells "ws: says so" 'in a wrong way'
for mode in garbage masked reserved huge orphan; do
	websocket $ssh_port $mode
	session "ws://127.0.0.1:$ws/"
	check 255 "ws, $mode: ssh fails" run true
	wait_for "ws, $mode: nothing of ours stays" nobody_left
done

# --- the token goes to the broker and to nobody else
websocket $ssh_port tls "$work/server.pem" "$work/server.key" token t0p-s3cret
session "wss://gateway.test:$ws/tunnel"
export SANDBOX_TOKEN=t0p-s3cret
check 77 "wss: no token for others" connect
tells "wss: says so" 'refuses the tunnel .*401'
SANDBOX_BROKER=https://gateway.test:$ws \
    check 0 "wss: the token for the broker" run true
unset SANDBOX_TOKEN
cp "$HOME/.config/sandbox-ssh/config" "$work/config.before"
(umask 077 && echo t0p-s3cret >"$work/token")
cat >>"$HOME/.config/sandbox-ssh/config" <<-END
[broker]
url = https://gateway.test:$ws
token_file = $work/token
[domain "sandbox"]
url = https://elsewhere.test
END
check 77 "wss: no token of another domain" connect
tells "wss: says so for a domain" 'refuses the tunnel .*401'
cp "$work/config.before" "$HOME/.config/sandbox-ssh/config"
cat >>"$HOME/.config/sandbox-ssh/config" <<-END
[domain "sandbox"]
url = https://gateway.test:$ws
token_file = $work/token
END
check 0 "wss: the token of the domain" run true
cp "$work/config.before" "$HOME/.config/sandbox-ssh/config"

# --- HTTPS_PROXY and NO_PROXY
count_proxied() { grep -c "CONNECT gateway.test" "$work/proxy.log" || :; }
session "wss://gateway.test:$websockify/"
export HTTPS_PROXY=http://127.0.0.1:$proxy
check 0 "wss: through HTTPS_PROXY" run true
[ "$(count_proxied)" -ge 1 ] || fail "the proxy was not asked"
before=$(count_proxied)
NO_PROXY=gateway.test check 0 "wss: NO_PROXY" run true
is "wss: NO_PROXY counts" "$(count_proxied)" "$before"
HTTPS_PROXY=http://127.0.0.1:$proxy_auth check 77 "wss: 407" connect
tells "wss: 407 says what to do" 'HTTPS_PROXY='
HTTPS_PROXY=http://alice:s3cret@127.0.0.1:$proxy_auth \
    check 0 "wss: a proxy with a password" run true
session "tls://gateway.test:$stunnel"
check 0 "tls: through HTTPS_PROXY" run true
[ "$(count_proxied)" -gt "$before" ] || fail "the proxy was not asked"

# A broker behind it: an HTTPS server at least, which answers as it can.
printf '%s\n' '[broker]' "url = https://gateway.test:$websockify" \
    "ca_file = $work/ca.pem" >"$work/broker.conf"
ask_broker() {
	sandboxctl --config "$work/broker.conf" list
}
before=$(count_proxied)
check 76 "broker: through HTTPS_PROXY" ask_broker
says "broker: it was reached" 'status 405'
is "broker: by the proxy" "$(count_proxied)" $((before + 1))
NO_PROXY=gateway.test check 76 "broker: NO_PROXY" ask_broker
is "broker: NO_PROXY counts" "$(count_proxied)" $((before + 1))
HTTPS_PROXY=http://127.0.0.1:$proxy_auth check 69 "broker: 407" ask_broker
says "broker: 407 says what to do" 'HTTPS_PROXY='
unset HTTPS_PROXY

# --- the relay ends with ssh, also one that is killed
session "wss://gateway.test:$websockify/"
run sleep 1000 &
ssh=$!
wait_for "the relay" pgrep -x sandbox-relay
memory=$(awk '/^VmRSS/ { print $2 }' \
    "/proc/$(pgrep -x sandbox-relay)/status")
echo "# resident memory of the relay: $memory KiB"
# It sleeps: no time of the processor goes by while nothing moves.
ticks() { awk '{ print $14 + $15 }' "/proc/$(pgrep -x sandbox-relay)/stat"; }
settled() {
	local before
	before=$(ticks)
	read -rt 1 <> <(:) || :
	[ "$(ticks)" = "$before" ]
}
wait_for "the relay sleeps" settled
pkill -KILL -x ssh # of this machine, which is the test's own
wait "$ssh" 2>/dev/null || :
wait_for "the relay ends with ssh" nobody_left
ok "the relay ends with ssh"

# Whatever the server does: it takes nothing, or it says nothing, for ever.
in_the_middle() {
	case $1 in
	deaf) settled ;;
	empty) [ "$(ticks)" -gt 20 ] ;;
	esac
}
for mode in deaf empty; do
	websocket $ssh_port $mode
	session "ws://127.0.0.1:$ws/"
	# More than fits on the way, from somebody who is killed.
	sandbox-proxy connect "$alias" <"$work/data" >/dev/null 2>&1 &
	ssh=$!
	wait_for "ws, $mode: the relay" pgrep -x sandbox-relay
	wait_for "ws, $mode: it is in the middle" in_the_middle $mode
	kill -KILL "$ssh"
	wait "$ssh" 2>/dev/null || :
	wait_for "ws, $mode: the relay ends" nobody_left
	ok "ws, $mode: the relay ends with ssh"
done

# --- the race. A network that swallows packets, and one that does not.
ip link add hole type veth peer name deep
ip link set deep up
ip addr add 192.0.2.1/24 dev hole
ip addr add 2001:db8::1/64 dev hole nodad
ip link set hole up
# Nobody answers for the others of 192.0.2.0/24: they take packets, and that
# is all.
ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev hole
ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev hole
start six /usr/bin/python3 "$fixtures/sshd_socket.py" --host ::1 \
    --port 2206 "$work/six.sock" "$sshd" -i -f "$work/sshd_config"
wait_for "port 2206" listens 2206

# milliseconds COMMAND...: in $took
milliseconds() {
	local begin=${EPOCHREALTIME/./}
	"$@" || return
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
}
first_bytes() {
	connect </dev/null | head -c 8 | grep -q SSH-2.0-
}

good=tcp://127.0.0.1:$ssh_port
session "$good"
check 0 "alone" first_bytes
for dead in tcp://192.0.2.9:22 "tcp://[2001:db8::9]:22" \
    connect://192.0.2.9:3128/127.0.0.1:22 tls://192.0.2.9:443 \
    wss://192.0.2.9/; do
	session "$dead" "$good"
	milliseconds first_bytes || fail "$dead first: no connection"
	# Its 250 ms, and some for a machine that has other things to do; but
	# not the 4 seconds that all of them have.
	[ "$took" -ge 240 ] && [ "$took" -lt 3000 ] ||
		fail "$dead first cost $took ms"
	ok "$dead costs the next one $took ms"
	is "and nobody was asked" "$(cat "$work/resolved")" ""
	wait_for "nothing goes on" nobody_left
done
for dead in tcp://127.0.0.1:1 "unix:$work/none.sock" \
    "unix-mux:$work/mux.sock#99" exec:broken/x; do
	session "$dead" "$good"
	milliseconds first_bytes || fail "$dead first: no connection"
	[ "$took" -lt 3000 ] || fail "$dead first cost $took ms"
	ok "$dead first: $took ms in all"
done

# Names: a dead first address of another family.
printf '%s\n' '2001:db8::9 dual.test' '127.0.0.1 dual.test' \
    '::1 six.test' '192.0.2.9 four.test' '::1 four.test' >>/etc/hosts
session tcp://dual.test:$ssh_port
check 0 "a name whose IPv6 is dead" first_bytes
session tcp://six.test:2206
check 0 "a name with IPv6 alone" run true
session tcp://four.test:2206
check 0 "a name whose IPv4 is dead" first_bytes
ip addr del 127.0.0.1/8 dev lo
session "tcp://[::1]:2206"
check 0 "a machine with IPv6 alone" run true
session tcp://six.test:2206
check 0 "and names there" run true
ip addr add 127.0.0.1/8 dev lo

# --- a cached endpoint that is dead: asked about once, silently
for dead in tcp://127.0.0.1:1 tcp://192.0.2.9:22; do
	session "$dead"
	session_file=$work/session.next session "$good"
	check 0 "$dead in the cache: re-resolved" run true
	is "$dead: silently" "$(cat "$err")" ""
	is "$dead: once" "$(grep -c wake "$work/resolved")" 1
done
session "tcp://127.0.0.1:1"
session_file=$work/session.next session "tcp://127.0.0.1:1"
check 69 "dead, and dead after asking" connect
tells "it is told once" 'runs but does not answer: .*refused'
is "and was asked once" "$(wc -l <"$work/resolved")" 1

done_testing
