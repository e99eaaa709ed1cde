#!/bin/sh
# SPDX-License-Identifier: ISC
# Every way to be bad that concerns certificates and the login gate has its
# tests, by its number in the list of threats: "threat N: ..." names a row of
# a unit test and a check of an integration test.
. "$(dirname "$0")/check.sh"

# N, and what it is.
threats='
1 certificate for another sandbox
2 expired
3 not yet valid; ends before it starts
4 lives too long, or for ever; times that wrap
5 no principal
6 several principals; one that is no id
7 host certificate; unknown type
8 unknown CA; CA of another kind
9 any one bit flipped
10 truncated; a byte too many
11 a length of 4 GB, 257 principals, a field of a megabyte
12 options repeated or unsorted
13 unknown critical option; unknown extension
14 option in the wrong place or of the wrong form
15 source-address
16 signature or key that are malleable or malformed
17 type and key differ; base64 in another form
18 a plain key
19 query, then signed request, on one connection
20 used before; a hundred at once
21 process id that was used before; no /proc
22 query without the private key
23 revoked; serial 0; no list to go by
24 files that others can change
25 disk full; killed in the middle
26 a clock that goes back
30 flood; stuck; killed; nobody reads
'

# In the tables of unit tests, and in the scripts and what they generate:
# craft.py's rows are (N, reason, what, changes).
unit=$(grep -rhoE --include="test_*.c" '"threat [0-9]+: ' "$SRCDIR"/tests/unit)
whole=$(
	grep -hoE '"threat [0-9]+: ' "$SRCDIR"/tests/integration/*.sh
	sed -nE 's/^        \(([0-9]+), "[a-z-]+", "[^"]*",.*/"threat \1: /p' \
	    "$SRCDIR/tests/fixtures/craft.py"
	grep -hoE '"threat [0-9]+: ' "$SRCDIR/tests/fixtures/craft.py"
)

looked=0
for number in $(echo "$threats" | sed -nE 's/^([0-9]+) .*/\1/p'); do
	what=$(echo "$threats" | grep "^$number ")
	for level in unit whole; do
		[ "$level" = unit ] && names=$unit || names=$whole
		count=$(echo "$names" | grep -c "^\"threat $number: ") || :
		[ "$count" -gt 0 ] ||
			fail "no $level test is called \"threat $number: ...\" ($what)"
		looked=$((looked + count))
	done
done
# A number that is in no list is a typing mistake.
for number in $(printf '%s\n%s\n' "$unit" "$whole" |
	sed -nE 's/^"threat ([0-9]+): .*/\1/p' | sort -nu); do
	echo "$threats" | grep -q "^$number " ||
		fail "threat $number is in no list"
done
finish "$looked" 100 "named tests"
