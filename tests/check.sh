# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Included by the checks of the tree: reporting, and what they need.
# A check prints what it looked at and fails when there was nothing to look at.
set -eu

: "${SRCDIR:?run this with make check}" "${BUILDDIR:?run this with make check}"

failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# A tool that is missing skips the check, unless SANDBOX_REQUIRE is set: then
# nothing is skipped.
need() {
	command -v "$1" >/dev/null && return
	echo "$1 is missing; on Debian: apt-get install $2"
	[ "${SANDBOX_REQUIRE:-0}" = 0 ] || exit 1
	exit 77
}

# finish COUNT MINIMUM WHAT
finish() {
	echo "looked at $1 $3"
	[ "$1" -ge "$2" ] || fail "that is less than $2: is it the right folder?"
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
