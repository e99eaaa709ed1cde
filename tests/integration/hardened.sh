#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The login gate as it was built: what the compiler and the linker were asked
# for is really there; and the profile for AppArmor is one.

. "$(dirname "$0")/../world/world.sh"

gate=$BUILDDIR/authkeys/sandbox-authkeys
profile=$BUILDDIR/packaging/apparmor/sandbox-authkeys

# has NAME REGEX and lacks NAME REGEX: in the last command's output.
has() {
	grep -Eq -- "$2" "$out" || fail "$1: no '$2'"
	ok "$1"
}

lacks() {
	! grep -Eq -- "$2" "$out" || fail "$1: $(grep -E -m1 -- "$2" "$out")"
	ok "$1"
}

test_program() {
	check 0 "its symbols" readelf -sW "$gate"
	if grep -q ' __asan_init' "$out"; then
		ok "built with sanitizers: dynamic, and without the rest"
		return
	fi
	has "stack protector" ' __stack_chk_fail'
	has "checked functions" ' __(vsnprintf|snprintf|read)_chk'
	lacks "nothing that talks over a network" \
	    ' (getaddrinfo|gethostbyname|res_query)$'
	check 0 "its header" readelf -hW "$gate"
	has "position-independent" 'Type: +DYN'
	check 0 "its segments" readelf -lW "$gate"
	lacks "static" 'INTERP'
	has "read-only after its start" 'GNU_RELRO'
	has "no code on the stack" 'GNU_STACK .* RW +0x'
	lacks "nothing both written and run" ' RWE '
	check 0 "its dynamic section" readelf -dW "$gate"
	lacks "no library" 'NEEDED'
	lacks "no text relocations" 'TEXTREL'
	has "bound at its start" 'NOW|FLAGS_1.*PIE'
}

test_profile() {
	local parser
	parser=$(PATH=$PATH:/usr/sbin:/sbin command -v apparmor_parser) ||
		world_skip "apparmor_parser is missing: apt-get install apparmor"
	check 0 "AppArmor takes the profile" \
	    "$parser" --skip-kernel-load --skip-cache "$profile"
	check 0 "and its name" "$parser" --names "$profile"
	is "is the program's" "$(<"$out")" sandbox-authkeys
	check 0 "its text" cat "$profile"
	has "the installed path" "^profile sandbox-authkeys /[^@]+ "
	lacks "nothing left to fill in" '@pkg'
}

test_program
test_profile
done_testing
