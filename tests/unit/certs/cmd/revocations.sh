#!/bin/sh
# SPDX-License-Identifier: ISC
# sandbox-cert revoke and revocations: lists made, changed and printed, exit
# codes, one line for each failure, nothing left behind; and the format as
# doc/revocations.md has it, by a reader that shares no code with ours.
set -u

program=$(pwd)/certs/sandbox-cert
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# expect STATUS WORDS...: exit status; a failure says one line on stderr.
expect() {
	want=$1
	shift
	"$program" "$@" >out 2>err
	got=$?
	[ "$got" = "$want" ] || fail "$*: exit $got, not $want: $(cat err)"
	[ "$want" = 0 ] && lines=0 || lines=1
	[ "$(grep -c '^sandbox-cert: ' err)" = "$lines" ] ||
		fail "$*: stderr: $(cat err)"
}

# listed LIST LINE...: exactly these entries.
listed() {
	list=$1
	shift
	expect 0 revocations show "$list"
	grep -v '^#' out >entries
	printf '%s\n' "$@" >wanted
	cmp -s entries wanted || fail "$list: $(diff wanted entries)"
}

line_of() {
	cut -d' ' -f1,2 "$1"
}

for name in ca ca2; do
	expect 0 ca-init "$name"
done
for type in ed25519 ecdsa; do
	ssh-keygen -q -t "$type" -N '' -f "$type" || fail "ssh-keygen"
done
expect 0 issue --ca ca --sandbox run-1 --serial 2a --out a.pub ed25519.pub
expect 0 issue --ca ca2 --sandbox run-1 --serial ffffffffffffffff \
    --out b.pub ecdsa.pub
ca=$(line_of ca.pub)
ca2=$(line_of ca2.pub)
key=$(ssh-keygen -lf ed25519.pub | cut -d' ' -f2)

# One step: new list, the same again, another certificate of another CA.
expect 66 revoke --ca ca --list list a.pub
grep -q 'there is no list list: give --new to make it' err ||
	fail "a list that does not exist: $(cat err)"
[ ! -e list ] && [ ! -e list.lock ] || fail "a mistyped name became a file"
expect 0 revoke --ca ca --new --list list a.pub
listed list "issuer $ca" "serial 0x2a"
expect 0 revoke --ca ca --list list a.pub
listed list "issuer $ca" "serial 0x2a"
expect 0 revoke --ca ca --list list b.pub a.pub
[ "$(stat -c %a list)" = 644 ] || fail "mode of a list"
expect 0 revocations show list
{
	echo "issuer $ca"
	echo "serial 0x2a"
} >first
{
	echo "issuer $ca2"
	echo "serial 0xffffffffffffffff"
} >second
grep -v '^#' out >entries
# The order is that of the keys' bytes.
cat first second | cmp -s - entries || cat second first | cmp -s - entries ||
	fail "two CAs: $(cat entries)"

# Every kind of entry; what show prints can be signed again, byte for byte.
expect 0 revocations sign --ca ca --out full --serial 0x1-0x3 \
    --serial 0000000000000004 --serial 0x10 --key ed25519.pub --key b.pub \
    --revoke-ca ca2.pub
expect 0 revocations show full
for entry in "ca $ca2" "key $key" "issuer $ca" "serial 0x1-0x4" \
    "serial 0x10" "key $(ssh-keygen -lf ecdsa.pub | cut -d' ' -f2)"; do
	grep -Fxq "$entry" out || fail "full list lacks $entry"
done
cp out text
expect 0 revocations sign --ca ca --out again --from text
expect 0 revocations show again
grep -v '^#' text >entries
grep -v '^#' out | cmp -s - entries || fail "round trip: $(diff out text)"
"$program" revocations show - <full >out 2>err || fail "show -: $(cat err)"
cp out by-file
cat full | "$program" revocations show - >out 2>err ||
	fail "show - by a pipe: $(cat err)"
cmp -s out by-file || fail "show - by a pipe: another text"
mkfifo fifo
cat full >fifo &
"$program" revocations show fifo >out 2>err || fail "show FIFO: $(cat err)"
cmp -s out by-file || fail "show FIFO: another text"
"$program" revocations sign --ca ca --out again --from - <text >out 2>err ||
	fail "--from -: $(cat err)"
expect 0 revocations sign --ca ca --out merged --merge full --merge list
expect 0 revocations show merged
for entry in "ca $ca2" "serial 0x2a" "serial 0xffffffffffffffff"; do
	grep -Fxq "$entry" out || fail "merged list lacks $entry"
done
expect 0 revocations sign --ca ca --out other --issuer ca2.pub --serial 0x7
listed other "issuer $ca2" "serial 0x7"
expect 0 revocations sign --ca ca --out empty
expect 0 revocations show empty
grep -v '^#' out >entries
[ ! -s entries ] || fail "empty list: $(cat entries)"

# A thousand at once, from text, against a count.
i=0
while [ "$i" -lt 1000 ]; do
	printf 'serial 0x%x\n' $((i * 7919 + 1))
	i=$((i + 1))
done >thousand
expect 0 revocations sign --ca ca --out thousand.list --from thousand
expect 0 revocations show thousand.list
[ "$(grep -c '^serial' out)" = 1000 ] || fail "a thousand serials"
expect 0 revocations show --json thousand.list
cp out thousand.json

# Two that add to one list at the same time lose nothing.
for serial in 101 102 103 104 105 106; do
	expect 0 issue --ca ca --sandbox run-1 --serial $serial \
	    --out $serial.pub ed25519.pub
done
expect 0 revocations sign --ca ca --out shared
for serial in 101 102 103 104 105 106; do
	"$program" revoke --ca ca --list shared $serial.pub &
done
wait
listed shared "issuer $ca" "serial 0x101-0x106"

# Refused, and what was there stays.
cp list before
printf 'ca %s\n' "$ca" >own
printf 'serial 12\n' >bare
head -c 200 full >short
expect 64 revoke --ca ca a.pub
expect 64 revoke --list list a.pub
expect 64 revoke --ca ca --list list
expect 64 revoke --ca ca --list - a.pub
expect 64 revocations
expect 64 revocations print
expect 64 revocations sign --ca ca
expect 64 revocations sign --ca ca --out -
expect 64 revocations sign --ca ca --out list more
expect 64 revocations sign --ca ca --out list --next-update 24
expect 64 revocations show
expect 64 revocations sign --ca ca --out list --serial 12
expect 64 revocations sign --ca ca --out list --serial 0x2-0x1
expect 65 revocations sign --ca ca --out list --from bare
grep -q 'bare:1: ' err || fail "the line is not named: $(cat err)"
expect 65 revocations sign --ca ca --out list --from own
expect 65 revocations sign --ca ca --out list --revoke-ca ca.pub
expect 65 revocations sign --ca ca --out list --revoke-ca ecdsa.pub
expect 65 revocations sign --ca ca --out list --key own
expect 65 revocations sign --ca ca --out list --merge short
expect 65 revocations sign --ca ca2 --out list --merge full
expect 66 revocations sign --ca ca --out list --merge none
expect 65 revoke --ca ca2 --list list a.pub
expect 65 revoke --ca ca --list list ed25519.pub
expect 65 revoke --ca ca --list list ca
expect 66 revoke --ca ca --list list none.pub
expect 73 revoke --ca ca --new --list list a.pub
grep -q 'leave --new out' err || fail "a new list that exists: $(cat err)"
expect 66 revocations show none
expect 65 revocations show short
expect 65 revocations show thousand
expect 66 revocations show .
sed 's/AAAA/AAAB/2' a.pub >damaged.pub
expect 65 revoke --ca ca --list list damaged.pub
chmod 0644 ca
expect 78 revoke --ca ca --list list a.pub
chmod 0600 ca
cmp -s list before || fail "a refused command changed the list"
for file in list.*; do
	[ "$file" = list.lock ] || fail "$file was left behind"
done

# However fast they follow each other, the gate can tell them apart.
issued() {
	expect 0 revocations show --json "$1"
	sed -n 's/.*"issued_at":\([0-9]*\).*/\1/p' out
}
expect 0 revocations sign --ca ca --out again --serial 0x1
first=$(issued again)
expect 0 revocations sign --ca ca --out again --serial 0x1
second=$(issued again)
expect 0 revoke --ca ca --list again a.pub
third=$(issued again)
[ -n "$first" ] && [ "$first" -lt "$second" ] && [ "$second" -lt "$third" ] ||
	fail "lists of one second: issued at $first, $second, $third"

# Another reader, after the document.
/usr/bin/python3 "$here/read_revocations.py" ca.pub thousand.list \
    <thousand.json || fail "read_revocations.py"
expect 0 revocations show --json merged
/usr/bin/python3 "$here/read_revocations.py" ca.pub merged <out ||
	fail "read_revocations.py, several tables"
/usr/bin/python3 "$here/read_revocations.py" ca.pub full <text >out 2>&1 &&
	fail "read_revocations.py takes anything"

[ "$failures" = 0 ] || exit 1
echo "all passed"
