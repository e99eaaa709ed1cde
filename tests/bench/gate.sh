#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# make bench-gate: what a login costs at the gate, as whole processes, beside
# an empty static program and what others put in the same place; then the
# instructions of each, by callgrind.
#
#   gate.sh [ROUNDS]		in the build folder
#
# The others are there after tests/bench/fetch-peers (BENCH_PEERS). They would
# ask a cloud: the machine it runs on has no network.
set -euo pipefail

rounds=${1:-1000}
: "${SRCDIR:?run this with make bench-gate}" "${BUILDDIR:?}"
peers=${BENCH_PEERS:-$BUILDDIR/tests/bench/peers}
gate=$BUILDDIR/authkeys/sandbox-authkeys
empty=$BUILDDIR/tests/bench/empty
# Without seccomp, no_new_privs and rlimits: valgrind cannot work under them.
unsealed=$BUILDDIR/tests/bench/unsealed
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-gate.XXXXXX")
trap 'rm -rf "$work"' EXIT

cert() {
	"$BUILDDIR/certs/sandbox-cert" "$@" >/dev/null
}

# certificate NAME OPTION...: $work/NAME-cert.pub
certificate() {
	local name=$1
	shift
	cp "$work/user.pub" "$work/$name.pub"
	cert issue --ca "$work/ca" "$@" "$work/$name.pub"
}

chmod 0755 "$work"
cert ca-init "$work/ca"
cert ca-init "$work/stranger"
ssh-keygen -q -t ed25519 -N '' -f "$work/user"
certificate good --sandbox run-1234
certificate once --sandbox run-1234 --single-use
certificate other --sandbox run-1235
mkdir -m 0700 "$work/state"
cert revocations sign --ca "$work/ca" --out "$work/revoked" --serial 0x1
cat >"$work/conf" <<END
sandbox_id = run-1234
trusted_ca = $work/ca.pub
login_users = sandbox
END
{
	cat "$work/conf"
	echo "state_dir = $work/state"
	echo "revoked = $work/revoked"
} >"$work/conf-full"
{
	cat "$work/conf"
	echo "last_refusal = $work/refused"
} >"$work/conf-told"

words() {
	cut -d' ' -f1,2 "$1"
}

commands=()
# command NAME STATUS WORD...
command() {
	commands+=("$@" --)
}

owner=$(id -u)
command "an empty static program" 0 "$empty"
# shellcheck disable=SC2046
{
	command "sandbox-authkeys: allow" 0 "$gate" -c "$work/conf" \
	    --owner "$owner" sandbox $(words "$work/good-cert.pub")
	command "the same, without its seal" 0 "$unsealed" -c "$work/conf" \
	    --owner "$owner" sandbox $(words "$work/good-cert.pub")
	command "sandbox-authkeys: deny, another sandbox" 0 "$gate" \
	    -c "$work/conf" --owner "$owner" sandbox \
	    $(words "$work/other-cert.pub")
	command "the same, told in last_refusal" 0 "$gate" \
	    -c "$work/conf-told" --owner "$owner" sandbox \
	    $(words "$work/other-cert.pub")
	command "sandbox-authkeys: no say over a plain key" 0 "$gate" \
	    -c "$work/conf" --owner "$owner" sandbox $(words "$work/user.pub")
	command "sandbox-authkeys: allow, revocations, clock" 0 "$gate" \
	    -c "$work/conf-full" --owner "$owner" sandbox \
	    $(words "$work/good-cert.pub")
	command "sandbox-authkeys: and single use" 0 "$gate" \
	    -c "$work/conf-full" --owner "$owner" sandbox \
	    $(words "$work/once-cert.pub")
}

# peer NAME STATUS PROGRAM ARGUMENT...
peer() {
	if [ -x "$3" ]; then
		command "$@"
	else
		echo "not here: ${3##*/} (tests/bench/fetch-peers gets it)"
	fi
}

# Without the cloud that they would ask: what they cost to say no.
peer "google_authorized_keys: no answer" 0 \
    "$peers/google_authorized_keys" sandbox
peer "google_authorized_principals: refuse" 1 \
    "$peers/google_authorized_principals" sandbox \
    "$(cut -d' ' -f2 "$work/good-cert.pub")"
peer "opkssh verify: refuse" 1 "$peers/opkssh" verify sandbox \
    "$(cut -d' ' -f2 "$work/good-cert.pub")" \
    ssh-ed25519-cert-v01@openssh.com

unset 'commands[-1]'
echo "$rounds rounds, $(nproc) CPUs, load$(uptime | sed 's/.*average: / /')"
"$BUILDDIR/tests/bench/spawn" "$rounds" "${commands[@]}"

# instructions NAME STATUS WORD...
instructions() {
	local command=("${@:3}")
	[ "${command[0]}" != "$gate" ] ||
		command[0]=$unsealed
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
	    "${command[@]}" \
	    2>&1 >/dev/null </dev/null |
		awk -v name="$1" '/Collected :/ { n = $NF }
		    END { printf "%-44s %12s instructions\n", name,
			n ? n : "unknown" }'
}

type -P valgrind >/dev/null || {
	echo "no instruction counts: apt-get install valgrind"
	exit 0
}
list=()
for word in "${commands[@]}" --; do
	if [ "$word" = -- ]; then
		instructions "${list[@]}" || :
		list=()
	else
		list+=("$word")
	fi
done
