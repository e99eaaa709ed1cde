#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandbox-proxy doctor: every line of it, sound and broken.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/lab.sh"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh

# finds LEVEL CHECK REGEX: that line, in the last report
finds() {
	grep -Eq -- "^$1 +$2: .*$3" "$out" || {
		cat "$out" >&2
		fail "$2: not $1, or does not say '$3'"
	}
	ok "$1 $2: $3"
}

# The fingerprint as a pattern.
print_of() {
	ssh-keygen -lf "$1" | cut -d' ' -f2 | sed 's/[+]/[+]/g'
}

doctor() {
	local status=$1
	shift
	check "$status" "doctor $*" sandbox-proxy doctor "$@"
	is "nothing on standard error" "$(cat "$err")" ""
}

broker() {
	lab_config '[broker]' "url = $1" "ca_file = $lab/authority.crt" \
	    'timeout = 2s' "${@:2}"
}

world_install
lab_make
lab_sshd
broker "https://127.0.0.1:$(lab_port good)"
lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"

doctor 1
finds fail snippet 'run sandbox-proxy setup'
sandbox-proxy setup >/dev/null

doctor 0
finds ok openssh 'OpenSSH [0-9]'
finds ok snippet included
finds ok shell "prints nothing"
finds ok cache 'not there yet|yours alone'
finds ok configuration ''
finds ok token none
finds ok broker 'https://127.0.0.1:.* answers in [0-9]+ ms'
finds ok access ''
finds ok clock '[01] s'
is "nobody asked for credentials" "$(grep -c /ssh "$lab/requests" || :)" 0
is "nine lines" "$(wc -l <"$out")" 9

doctor 0 "$host"
finds ok certificate 'good for another (49|50) min'
finds ok endpoint "$lab_sshd answers \(OpenSSH"
finds ok 'host key' "$(print_of "$lab/host.pub")"
finds ok login 'as root, in [0-9]+ ms'
is "fourteen lines" "$(wc -l <"$out")" 14
check 0 "as JSON" sandbox-proxy doctor --json "$host"
is "fourteen objects, all ok" \
    "$(jq -r '[.[] | select(.level == "ok")] | length' "$out")" 14
is "with their names" "$(jq -r '[.[].check] | join(" ")' "$out")" \
    "openssh snippet shell cache configuration token broker access clock certificate key endpoint host key login"

# The user's configuration.
cp "$HOME/.ssh/config" "$lab/config"
printf 'Host mine-*.sandbox\n' | cat - "$lab/config" >"$HOME/.ssh/config"
doctor 1
finds fail snippet "its Include stands below 'Host mine-[*].sandbox': put a line 'Match all' before it"
cp "$HOME/.ssh/config" "$lab/below"
cp "$lab/config" "$HOME/.ssh/config"
doctor 1 --file "$lab/below"
finds fail snippet "stands below 'Host mine-"
for line in "ProxyCommand none" "UserKnownHostsFile ~/.ssh/known_hosts" \
    "StrictHostKeyChecking no" "User me"; do
	cp "$HOME/.ssh/config" "$lab/config"
	printf 'Host *.sandbox\n    %s\n' "$line" |
		cat - "$lab/config" >"$HOME/.ssh/config"
	doctor 1 "$host"
	finds fail snippet "$line at $HOME/.ssh/config:2: .*: move it below"
	cp "$lab/config" "$HOME/.ssh/config"
done
printf 'Nonsense yes\n' >"$lab/nonsense"
doctor 1 --file "$lab/nonsense"
finds fail snippet 'cannot read its configuration'
cp "$HOME/.ssh/config" "$lab/good_config"
doctor 0 --file "$lab/good_config" "$host"

# The cache.
chmod 777 "$cache"
doctor 1
finds fail cache 'mode 0777.*chmod go-w'
chmod 700 "$cache"
chmod 644 "$cache/$host/id_ed25519"
doctor 1 "$host"
finds fail cache 'id_ed25519 has mode 0644'
chmod 600 "$cache/$host/id_ed25519"

# Somebody's own key, and its private half.
ssh-keygen -qt ed25519 -N '' -f "$lab/mine"
lab_config '[broker]' "url = https://127.0.0.1:$(lab_port good)" \
    "ca_file = $lab/authority.crt" '[ssh]' "public_key = $lab/mine.pub"
rm -r "${cache:?}/$host"
doctor 0 "$host"
finds ok key "id_ed25519"
mv "$lab/mine" "$lab/moved"
doctor 1 "$host"
finds fail key 'no private key beside public_key.*put it there'
mv "$lab/moved" "$lab/mine"
broker "https://127.0.0.1:$(lab_port good)"
rm -r "${cache:?}/$host"
doctor 0 "$host"

# Configuration and token.
chmod 666 "$HOME/.config/sandbox-ssh/config"
doctor 1
finds fail configuration 'open to others'
chmod 600 "$HOME/.config/sandbox-ssh/config"
broker "https://127.0.0.1:$(lab_port good)" 'tokn = x'
doctor 1
finds fail configuration "config:5: unknown key 'tokn'"
echo secret >"$lab/token"
broker "https://127.0.0.1:$(lab_port good)" "token_file = $lab/token"
doctor 1
finds fail token 'open to others.*chmod'
chmod 600 "$lab/token"
doctor 0
finds ok token "from $lab/token"
! grep -q secret "$out" || fail "the token is in the report"

# What is read when credentials are fetched, although there are good ones.
cp "$lab/ca.pub" "$lab/gone_ca.pub"
cp "$lab/mine.pub" "$lab/gone.pub"
cp "$lab/mine" "$lab/gone"
broker "https://127.0.0.1:$(lab_port good)" "trusted_ca = $lab/gone_ca.pub" \
    '[ssh]' "public_key = $lab/gone.pub"
doctor 0 "$host"
rm "$lab/gone.pub" "$lab/gone_ca.pub"
doctor 1 "$host"
finds ok certificate 'good for'
finds fail file "public_key $lab/gone.pub does not exist: mend that"
finds fail file "trusted_ca $lab/gone_ca.pub does not exist: mend that"
: >"$lab/gone_ca.pub"
doctor 1 "$host"
finds fail file "$lab/gone_ca.pub.*mend that"

# Domains, each with its own line.
broker "https://127.0.0.1:$(lab_port good)" \
    '[domain "bare.sandbox"]' '[domain "empty.sandbox"]' \
    '[domain "prod.sandbox"]' 'url = unix:/x' "trusted_ca = $lab/none.pub" \
    '[domain "corp"]' 'url = unix:/x'
doctor 1
finds fail domain '"bare.sandbox"\] has no url'
finds fail domain '"empty.sandbox"\] has no url'
finds ok domain 'names in prod.sandbox'
finds warn domain '"corp"\].*sandbox-proxy --suffix corp print-config'
finds fail file "$lab/none.pub"
check 1 "as JSON" sandbox-proxy doctor --json
is "each an object" "$(jq -r '[.[] | select(.check == "domain") | .level] |
    join(" ")' "$out")" "fail fail ok warn"
sandbox-proxy doctor "$host" >"$out" || :
! grep -q "  domain: " "$out" || fail "a name is in one domain: no word of others"
cp "$HOME/.ssh/config" "$lab/config"
sandbox-proxy --suffix corp print-config >>"$HOME/.ssh/config"
doctor 1
finds ok domain 'names in corp'
cp "$lab/config" "$HOME/.ssh/config"
broker "https://127.0.0.1:$(lab_port good)"

# Only what is wrong is named.
chmod 666 "$cache/hosts.conf"
doctor 0
finds warn cache 'hosts.conf was damaged.* made anew'
doctor 0
finds ok cache 'yours alone'

# The broker.
SANDBOX_BROKER=unix:$lab/nobody doctor 1
finds fail broker 'cannot be reached.*\? mend that, or SANDBOX_BROKER'
echo 45 >"$lab/skew"
doctor 0
finds warn clock '4[456] s behind.*set the clocks'
echo -300 >"$lab/skew"
doctor 0
finds warn clock '(299|300|301) s ahead'
rm "$lab/skew"
lab_mode reason
doctor 1
finds fail broker ''
lab_mode honest
doctor 0 "$host"
lab_mode silent
doctor 1 "$host"
finds fail broker 'in time'
finds ok certificate 'good for'
finds ok endpoint answers
lab_mode honest
broker "https://127.0.0.1:$(lab_port expired)"
doctor 1
finds fail broker 'TLS certificate'
broker "unix:$lab/nobody"
doctor 1 "$host"
finds fail broker 'cannot be reached'
finds fail certificate 'cannot be reached'

# The sandbox.
broker "https://127.0.0.1:$(lab_port good)"
doctor 1 no-such.sandbox
finds fail certificate 'another sandbox'
sandbox-proxy prepare "$host"
lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\",
    \"state\": \"stopped\"}"
rm -rf "$cache"
: >"$lab/requests"
doctor 0 "$host"
finds ok endpoint 'stopped: ssh starts it'
! grep /start "$lab/requests" || fail "it was started"
ok "it was not started"
# What the gate refused.
refusal() {
	printf '{"last_refusal": {"time": %s, "code": "%s"}}\n' "$@" >"$lab/told"
}
lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
refusal $(($(date +%s) - 60)) expired
doctor 0 "$host"
finds warn gate 'somebody 6[0-9] s ago: certificate has expired .expired.: see the reasons'
refusal $(($(date +%s) - 3600)) key-weak
doctor 0 "$host"
finds ok gate 'somebody 60 min ago: RSA key of less than 2048 bits .key-weak.$'
for told in "5 ok" "5 sesame" "-5 expired" "true expired"; do
	# shellcheck disable=SC2086
	refusal $told
	doctor 0 "$host"
	! grep -q gate: "$out" || fail "it believes $told"
	ok "it does not believe $told"
done
refusal $(($(date +%s) + 600)) expired
doctor 0 "$host"
! grep -q gate: "$out" || fail "it believes what is to come"
ok "it does not believe what is to come"
rm "$lab/told"
# Stopped since the cache heard of it.
lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
rm -rf "$cache"
doctor 0 "$host"
finds ok endpoint answers
lab_answer "{\"state\": \"stopped\"}"
: >"$lab/requests"
doctor 0 "$host"
finds ok endpoint 'stopped: ssh starts it'
! grep /start "$lab/requests" || fail "it was started"
ok "it was not started"
lab_answer '{"endpoints": ["tcp://127.0.0.1:1"], "user": "root"}'
rm -rf "$cache"
doctor 1 "$host"
finds fail endpoint ''
lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\",
    \"host_keys\": [\"$(cut -d' ' -f1,2 "$lab/other.pub")\"]}"
rm -rf "$cache"
doctor 1 "$host"
finds fail 'host key' \
    "$(print_of "$lab/host.pub"), but $(print_of "$lab/other.pub") is pinned: something else answers"
lab_end
done_testing
