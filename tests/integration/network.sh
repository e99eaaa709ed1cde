#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The network of a sandbox: none, all of it but the host's own services, or
# some destinations. The outside is another namespace behind a cable.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

outside=192.0.2.2
host_side=192.0.2.1

# --- the outside, and services of the host that are nobody's business

# Answers every question with 192.0.2.2.
cat_dns() {
	cat <<-'END'
	import socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("192.0.2.2", 53))
	while True:
	    q, peer = s.recvfrom(512)
	    end = q.index(b"\0", 12) + 5
	    a = q[:2] + b"\x81\x80\0\1" + (b"\0\1" if q[end-3] == 1 else b"\0\0") \
	        + b"\0\0\0\0" + q[12:end]
	    if q[end-3] == 1:
	        a += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\2"
	    s.sendto(a, peer)
	END
}

serve() {
	/usr/bin/python3 -m http.server --directory /srv/page --bind "$1" "$2" \
	    >/dev/null 2>&1 &
}

make_outside() {
	mkdir /srv/page
	echo page >/srv/page/index.html
	unshare --net sleep 1000000 &
	far=$!
	wait_for "another namespace" apart "$far"
	ip link add near type veth peer name far netns "$far"
	ip addr add "$host_side/24" dev near
	ip addr add 2001:db8::1/64 dev near nodad
	ip link set near up
	nsenter --net --target "$far" ip link set lo up
	nsenter --net --target "$far" ip addr add "$outside/24" dev far
	nsenter --net --target "$far" ip addr add 2001:db8::2/64 dev far nodad
	nsenter --net --target "$far" ip link set far up
	ip route add default via "$outside"
	ip route add default via 2001:db8::2
	echo "nameserver $outside" >/etc/resolv.conf
	cat_dns >/srv/dns.py
	nsenter --net --target "$far" /usr/bin/python3 /srv/dns.py &
	for port in 8000 9000; do
		nsenter --net --target "$far" /usr/bin/python3 -m http.server --bind :: "$port" \
		    --directory /srv/page >/dev/null 2>&1 &
	done
	serve 127.0.0.1 7777
	serve ::1 7777
	serve "$host_side" 7778
	for url in "http://$outside:8000/" "http://[2001:db8::2]:9000/" \
	    http://127.0.0.1:7777/ "http://[::1]:7777/" "http://$host_side:7778/"; do
		wait_for "$url" curl -s -m 2 "$url"
	done
}

apart() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# --- what is tried from inside

# gets ID URL; no ID URL: not, and not by waiting.
gets() {
	is "$1 reaches $2" "$(ssh "$1.sandbox" \
	    "curl -sS -m 10 '$2'" 2>&1)" page
}

no() {
	check 0 "$1 does not reach $2" ssh "$1.sandbox" \
	    "! curl -sS -m 10 '$2' 2>&1 | grep -q page"
}

carriers() { pgrep -fc '[p]asta --config-net' || :; }
none_carries() { [ "$(carriers)" = 0 ]; }

main() {
	none_carries || fail "pasta runs already"
	check 0 "without a network" sandboxctl create none-1
	no none-1 "http://$outside:8000/"
	check 0 "kill" sandboxctl kill none-1
	full
	allow
	own_root
	refused
}

full() {
	check 0 "--network full" sandboxctl create --network full full-1
	check 0 "show" sandboxctl show full-1
	grep -qx 'network: full' "$out" || fail "it does not say so"
	gets full-1 "http://$outside:8000/"
	gets full-1 "http://[2001:db8::2]:9000/"
	gets full-1 "http://name.example:8000/"
	for url in http://127.0.0.1:7777/ "http://[::1]:7777/" \
	    http://localhost:7777/ "http://$outside:7777/" \
	    "http://$host_side:7777/" "http://$host_side:7778/" \
	    "http://[2001:db8::2]:7777/" "http://[2001:db8::1]:7777/" \
	    http://0.0.0.0:7777/; do
		no full-1 "$url"
	done
	ssh full-1.sandbox 'cd /tmp && echo page >index.html &&
	    (python3 -m http.server 6666 >/dev/null 2>&1 </dev/null &) &&
	    until curl -s -m 2 http://127.0.0.1:6666/ >/dev/null; do sleep 0.1
	    done'
	for url in http://127.0.0.1:6666/ "http://$host_side:6666/" \
	    "http://[::1]:6666/"; do
		check 7 "nothing of it is at $url" curl -sS -m 5 "$url"
	done
	# Only root can look from there.
	[ "$(id -u)" != 0 ] || check 7 "nor from outside" \
	    nsenter --net --target "$far" \
	    curl -sS -m 5 "http://$host_side:6666/"
	[ "$(id -un)" = bob ] || sandboxd --stop >/dev/null
	gets full-1 "http://$outside:8000/"
	is "one carries it" "$(carriers)" 1
	check 0 "stop" sandboxctl stop full-1
	wait_for "it ends with the sandbox" none_carries
	gets full-1 "http://$outside:8000/"
	if [ "$(id -un)" = root ]; then
		kill -9 "$(head -n 1 \
		    /var/lib/sandbox-ssh/sandboxes/full-1/init | cut -d' ' -f1)"
		wait_for "it ends with process 1" none_carries
	fi
	check 0 "kill" sandboxctl kill full-1
	wait_for "nothing carries on" none_carries
}

allow() {
	printf '%s\n' '# what it needs' '' "$outside 9000" \
	    '2001:db8::/32 8000-8001' >"$HOME/allow"
	check 0 "--network allow=FILE" \
	    sandboxctl create --network "allow=$HOME/allow" some-1
	check 0 "show" sandboxctl show some-1
	grep -qx 'network: allow' "$out" || fail "it does not say so"
	gets some-1 "http://$outside:9000/"
	gets some-1 "http://[2001:db8::2]:8000/"
	no some-1 "http://$outside:8000/"
	no some-1 "http://[2001:db8::2]:9000/"
	no some-1 "http://name.example:9000/"
	check 0 "who tries is told at once" ssh some-1.sandbox \
	    "! timeout 2 curl -sS http://$outside:8000/ && [ \$? != 124 ]"
	check 0 "nobody in it changes that" ssh some-1.sandbox \
	    '! nft flush ruleset; ! ip link set lo down
	    unshare -rn true; true'
	no some-1 "http://$outside:8000/"
	check 0 "stop" sandboxctl stop some-1
	no some-1 "http://$outside:8000/"
	gets some-1 "http://$outside:9000/"
	check 0 "kill" sandboxctl kill some-1
	echo dns >>"$HOME/allow"
	check 0 "with names" \
	    sandboxctl create --network "allow=$HOME/allow" some-1
	gets some-1 "http://name.example:9000/"
	no some-1 "http://name.example:8000/"
	check 0 "kill" sandboxctl kill some-1
}

own_root() {
	mkdir -p "$HOME/tree/bin" "$HOME/tree/etc"
	cp /bin/busybox "$HOME/tree/bin"
	chmod -R go+rX "$HOME/tree"
	: >"$HOME/tree/etc/resolv.conf"
	check 0 "with a root of its own" sandboxctl create --network full \
	    --root "$HOME/tree" own-1
	is "it reaches the outside by name" "$(ssh own-1.sandbox \
	    wget -q -O - http://name.example:8000/)" page
	check 0 "kill" sandboxctl kill own-1
}

refused() {
	local line
	check 64 "no kind of network" sandboxctl create --network some bad-1
	says "and it says which there are" 'neither none, full nor allow=FILE'
	check 66 "a file that is not there" \
	    sandboxctl create --network allow=/nowhere bad-1
	says "and it says so" '/nowhere: No such file'
	: >"$HOME/allow"
	check 64 "an empty one" \
	    sandboxctl create --network "allow=$HOME/allow" bad-1
	says "and it says so" 'allows nothing'
	for line in 'example.org 443' '192.0.2.1' '192.0.2.1 0' '192.0.2.1 65536' \
	    '192.0.2.1/33 1' '192.0.2.1 9-8' '192.0.2.1 1; drop' \
	    '192.0.2.1  80' '2001:db8::/129 1' '192.0.2.1 80 tcp' ' dns'; do
		echo "$line" >"$HOME/allow"
		check 64 "no destination: $line" \
		    sandboxctl create --network "allow=$HOME/allow" bad-1
		says "and it says so" 'is no destination'
	done
	is "nothing is left" "$(sandboxctl list --json)" "[]"
	wait_for "nothing carries on" none_carries
}

if [ "${1:-}" = as ]; then
	far=$2
	sandbox-proxy setup >/dev/null
	main
	done_testing
	exit
fi
[ -c /dev/net/tun ] || world_skip "/dev/net/tun is missing"
world_install
make_outside
for who in alice root bob; do
	[ "$who" = root ] || world_user "$who"
	world_as "$who" as "$far"
done
