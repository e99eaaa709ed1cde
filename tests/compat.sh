#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Integration tests with every OpenSSH of a list as client and as server:
#
#   make compat OPENSSH_DIRS="DIR/9.2p1 DIR/10.6p1" [COMPAT_TESTS="..."]
#
# The folders are made by scripts/fetch-openssh DIR. Logs and the table of
# results are left in the build folder's compat/. Nothing is skipped.
set -euo pipefail

: "${SRCDIR:?run this with make compat}" "${BUILDDIR:?run this with make compat}"
[ -n "${OPENSSH_DIRS:-}" ] || {
	sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
	exit 64
}
read -ra dirs <<<"$OPENSSH_DIRS"
read -ra tests <<<"${COMPAT_TESTS:?names no test}"
export SANDBOX_REQUIRE=1

logs=$BUILDDIR/compat
table=$logs/results.md
mkdir -p "$logs"
good=0
bad=0
declare -A version=()

die() {
	echo "compat: $*" >&2
	exit 99
}

# saw ROLE DIR LOG: which OpenSSH was it really? A test with the installed
# programs in place of those that were meant would pass as well.
saw() {
	local got name
	name=$(basename "$2")
	got=$(sed -n "s/^$1: OpenSSH_\([0-9.]*\).*/\1/p;T;q" "$3")
	[ -n "$got" ] || die "$3 does not say which $1 it had"
	[ "${version[$2]:-$got}" = "$got" ] ||
		die "$2 is ${version[$2]}, but the $1 was $got: $3"
	[[ ! $name =~ ^[0-9.]+p[0-9]+$ ]] || [ "${name%p*}" = "$got" ] ||
		die "$2: the $1 was $got: $3"
	version[$2]=$got
}

# How many checks passed, or that it failed.
run_one() {
	local test=$1 log=$2 status=0 count
	bash "$SRCDIR/$test" >"$log" 2>&1 </dev/null || status=$?
	saw client "$OPENSSH_CLIENT" "$log"
	saw server "$OPENSSH_SERVER" "$log"
	if [ "$status" = 0 ]; then
		count=$(awk '/^[0-9]+ passed, 0 failed$/ { n += $1 }
		    END { print n + 0 }' "$log")
		[ "$count" -gt 0 ] || die "$log: no check ran"
		good=$((good + 1))
		cells+=" $count |"
	else
		bad=$((bad + 1))
		cells+=" **fails** |"
		echo "FAIL: $test, see $log"
	fi
}

for dir in "${dirs[@]}"; do
	[ -x "$dir/bin/ssh" ] && [ -x "$dir/sbin/sshd" ] ||
		die "$dir has no bin/ssh or sbin/sshd: scripts/fetch-openssh makes such folders"
done

head="| client | server |"
line="|---|---|"
for test in "${tests[@]}"; do
	name=$(basename "$test" .sh)
	head+=" $name |"
	line+="---|"
done
printf '%s\n' "$head" "$line" >"$table"

for OPENSSH_CLIENT in "${dirs[@]}"; do
	for OPENSSH_SERVER in "${dirs[@]}"; do
		export OPENSSH_CLIENT OPENSSH_SERVER
		pair=$logs/$(basename "$OPENSSH_CLIENT")-$(basename \
		    "$OPENSSH_SERVER")
		mkdir -p "$pair"
		cells=
		for test in "${tests[@]}"; do
			run_one "$test" "$pair/$(basename "$test" .sh).log"
		done
		row="| ${version[$OPENSSH_CLIENT]} |"
		row+=" ${version[$OPENSSH_SERVER]} |$cells"
		printf '%s\n' "$row" | tee -a "$table"
	done
done
echo "$good passed, $bad failed"
[ "$bad" = 0 ]
