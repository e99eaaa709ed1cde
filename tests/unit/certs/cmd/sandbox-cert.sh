#!/bin/sh
# SPDX-License-Identifier: ISC
# The program itself: every command, its exit codes, one line for each
# failure, nothing left behind, and ssh-keygen's opinion of what it makes.
set -u

program=$(pwd)/certs/sandbox-cert
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

cert() {
	"$program" "$@" >out 2>err
}

# expect STATUS WORDS...: exit status; a failure says one line on stderr.
expect() {
	want=$1
	shift
	cert "$@"
	got=$?
	[ "$got" = "$want" ] || fail "$*: exit $got, not $want: $(cat err)"
	[ "$want" = 0 ] && lines=0 || lines=1
	[ "$(wc -l <err)" = "$lines" ] || fail "$*: stderr: $(cat err)"
	# The compiler's sanitizers speak up there too.
	[ "$want" = 0 ] || grep -q '^sandbox-cert: ' err ||
		fail "$*: stderr: $(cat err)"
}

# verdict STATUS FIRST-LINE WORDS...: verify answers on stdout.
verdict() {
	want=$1 line=$2
	shift 2
	cert verify "$@"
	got=$?
	[ "$got" = "$want" ] || fail "verify $*: exit $got, not $want"
	[ "$(head -n 1 out)" = "$line" ] || fail "verify $*: $(cat out err)"
	[ ! -s err ] || fail "verify $*: stderr: $(cat err)"
}

absent() {
	[ ! -e "$1" ] || fail "$1 was left behind"
}

same() {
	cmp -s "$1" "$2" || fail "$3: $(diff "$1" "$2")"
}

# A CA: two files, no more than asked, never overwritten.
umask 077
expect 0 ca-init --comment 'my CA' ca
[ "$(stat -c %a ca ca.pub | xargs)" = '600 644' ] || fail 'modes of a CA'
ssh-keygen -y -f ca >derived || fail 'ssh-keygen does not read the CA'
same derived ca.pub 'public half of the CA'
grep -q ' my CA$' ca.pub || fail 'comment of the CA'
cp ca ca.before
expect 73 ca-init ca
same ca ca.before 'the CA was overwritten'
: >half.pub
expect 73 ca-init half
absent half
expect 74 ca-init missing/ca
expect 64 ca-init -
expect 64 ca-init --comment "$(printf 'a\nb')" other
absent other
absent other.pub

# Issue, and let ssh-keygen and verify read it.
ssh-keygen -q -t ed25519 -N '' -C 'me at home' -f key || exit 1
expect 0 issue --ca ca --sandbox run-1 key.pub
grep -q ' me at home$' key-cert.pub || fail 'comment of the certificate'
[ "$(stat -c %a key-cert.pub)" = 644 ] || fail 'mode of the certificate'
ssh-keygen -L -f key-cert.pub >keygen || fail 'ssh-keygen does not read it'
cert show key-cert.pub
same out keygen show
verdict 0 ok --ca ca.pub --sandbox run-1 key-cert.pub
printf 'ok\npermit agent-forwarding port-forwarding pty\n' >wanted
same out wanted 'the usual grant'
verdict 65 'wrong-sandbox: certificate is for another sandbox' \
	--ca ca.pub --sandbox run-2 key-cert.pub
verdict 65 'expired: certificate has expired' \
	--ca ca.pub --sandbox run-1 --now 9999999999 key-cert.pub
verdict 65 'not-yet-valid: certificate is not valid yet' \
	--ca ca.pub --sandbox run-1 --now 1 key-cert.pub
verdict 65 'lifetime: certificate lives longer than allowed' \
	--ca ca.pub --sandbox run-1 --max-ttl 30m key-cert.pub
verdict 65 'issued-earlier: certificate is older than this sandbox' \
	--ca ca.pub --sandbox run-1 --issued-after 9999999999 key-cert.pub
verdict 65 'cert-type: not a user certificate' \
	--ca ca.pub --sandbox run-1 key.pub
expect 0 ca-init ca2
verdict 65 'ca-unknown: signed by an unknown CA' \
	--ca ca2.pub --sandbox run-1 key-cert.pub
cat ca2.pub ca.pub >both.pub
verdict 0 ok --ca both.pub --sandbox run-1 key-cert.pub

# With a revocation list, in options and as the gate is told of it.
[ "$(id -u)" = 0 ] && owner= || owner="--owner $(id -u)"
mkdir gate && cp ca.pub gate || exit 1
cat >gate/conf <<END
sandbox_id = run-1
trusted_ca = $PWD/gate/ca.pub
login_users = sandbox other
permit = pty
revoked = $PWD/list
END
by_file() {
	want=$1 line=$2
	shift 2
	# shellcheck disable=SC2086 # none or two words
	verdict "$want" "$line" -c "$PWD/gate/conf" $owner "$@" key-cert.pub
}
detail() {
	grep -q "^detail .*$1" out || fail "no detail '$1': $(cat out)"
}
expect 0 revocations sign --ca ca --out list --serial 0x1
options='--ca ca.pub --sandbox run-1 --revoked list'
verdict 0 ok $options key-cert.pub
by_file 0 ok
printf 'ok\npermit pty\n' >wanted
same out wanted 'what the file permits'
stale='revocation-list-stale: revocation list is out of date'
soon=$(($(date +%s) + 1800))
verdict 0 ok $options --now $soon key-cert.pub
verdict 65 "$stale" $options --now $soon --revoked-max-age 10m key-cert.pub
detail 'list: it was issued 1[0-9]* seconds ago, allowed are 600'
by_file 65 "$stale" --now $soon --revoked-max-age 10m
expect 0 revoke --ca ca --list list key-cert.pub
for run in "verdict 65" "by_file 65"; do
	[ "$run" = "by_file 65" ] && words= || words="$options key-cert.pub"
	# shellcheck disable=SC2086 # words are wanted
	$run 'revoked: certificate, key or CA is revoked' $words
	detail 'list: the serial is revoked'
	expect 0 revocations sign --ca ca2 --out list
	# shellcheck disable=SC2086
	$run 'revocation-list-signer: revocation list is not signed by a trusted CA' $words
	rm list
	# shellcheck disable=SC2086
	$run 'revocation-list: revocation list is missing or damaged' $words
	expect 0 revoke --ca ca --new --list list key-cert.pub
done
chmod o+w list
by_file 78 \
	'untrusted-file: file is not a regular file that only its owner can write'
expect 0 revocations sign --ca ca --out list
by_file 0 ok --user other
by_file 65 'login-user: user may not log in' --user root
by_file 65 'wrong-sandbox: certificate is for another sandbox' --sandbox run-2
by_file 65 'ca-unknown: signed by an unknown CA' --ca ca2.pub
by_file 65 'lifetime: certificate lives longer than allowed' --max-ttl 30m
echo 'single_use = never' >>gate/conf
expect 0 issue --ca ca --sandbox run-1 --single-use --out once.pub key.pub
# shellcheck disable=SC2086
verdict 65 'single-use: single use cannot be enforced here' \
	-c "$PWD/gate/conf" $owner once.pub
chmod o+w gate
# shellcheck disable=SC2086
expect 78 verify -c "$PWD/gate/conf" $owner key-cert.pub
grep -q "$PWD/gate can be written by others" err ||
	fail "a folder that others can write: $(cat err)"
chmod o-w gate

# Everything at once, through standard input and output.
"$program" issue --ca ca --sandbox run-1 --ttl 24h --serial 00FF \
	--key-id 'robot 7' --permit pty --source-address 10.0.0.0/8,::1 \
	--force-command 'echo "a\b"' --single-use - <key.pub >full ||
	fail 'issue from stdin to stdout'
verdict 0 ok --ca ca.pub --sandbox run-1 full
cat >wanted <<'END'
ok
permit pty
force-command echo "a\x5cb"
source-address 10.0.0.0/8,::1
single-use
END
same out wanted 'the full grant'
ssh-keygen -L -f full >keygen
cert show full
same out keygen 'show of all options'
grep -q 'Serial: 255$' out || fail 'serial'
cat full key-cert.pub >two
for zone in UTC Europe/Berlin; do
	TZ=$zone ssh-keygen -L -f two >keygen
	TZ=$zone cert show two
	same out keygen "show of two, $zone"
	TZ=$zone ssh-keygen -L -f - <two >keygen
	TZ=$zone cert show - <two
	same out keygen "show of stdin, $zone"
done
cert show --json two
[ "$(wc -l <out)" = 2 ] || fail 'JSON: a line each'
/usr/bin/python3 -c '
import json
first = json.loads(open("out").readline())
assert first["serial"] == "00000000000000ff", first
assert first["key_id"] == "robot 7", first
assert first["principals"] == ["run-1"], first
assert first["critical_options"][0]["value"] == "echo \"a\\b\"", first
assert first["valid_before"] - first["valid_after"] == 24 * 3600, first
' || fail 'JSON'
expect 0 issue --ca ca --sandbox run-1 --out else.pub --valid-from 1000 \
	--ttl 90s --permit none key.pub
verdict 0 ok --ca ca.pub --sandbox run-1 --now 1089 else.pub
verdict 65 'expired: certificate has expired' \
	--ca ca.pub --sandbox run-1 --now 1090 else.pub

# A good certificate stays where a bad one would take its place.
expect 0 issue --ca ca --sandbox run-1 --out kept.pub key.pub
cp kept.pub before.pub
for from in 1000 "$(($(date +%s) - 7200))" 4000000000; do
	expect 64 issue --ca ca --sandbox run-1 --out kept.pub \
		--valid-from "$from" key.pub
	grep -q 'still good' err || fail "valid from $from: says why"
	cmp -s kept.pub before.pub || fail "valid from $from: it stays"
done
expect 0 issue --ca ca --sandbox run-2 --out kept.pub key.pub
! cmp -s kept.pub before.pub || fail 'one that is as good takes its place'
# One that is issued by a clock that is far behind.
expect 0 issue --ca ca --sandbox run-1 --out later.pub \
	--valid-from "$(($(date +%s) + 80000))" key.pub
expect 64 issue --ca ca --sandbox run-1 --out later.pub key.pub
grep -q 'is the clock right?' err || fail 'the clock is suspected'
expect 0 issue --ca ca --sandbox run-1 --out else.pub key.pub

# A host's certificate has names instead of a sandbox, and grants nothing.
expect 0 issue --ca ca --host run-1.sandbox --host 192.0.2.7 --ttl 90d \
	--out host.pub key.pub
cert show --json host.pub
/usr/bin/python3 -c '
import json
host = json.load(open("out"))
assert host["kind"] == "host", host
assert host["principals"] == ["run-1.sandbox", "192.0.2.7"], host
assert host["extensions"] == host["critical_options"] == [], host
assert host["key_id"].split("/")[1] == "run-1.sandbox", host
assert 0 <= host["valid_before"] - host["valid_after"] - 90 * 86400 <= 60
' || fail 'JSON of a host'
expect 64 issue --ca ca --host a --sandbox run-1 key.pub
expect 65 issue --ca ca --sandbox run-1 key
grep -q 'key is a private key: give .* key.pub' err ||
	fail "a private key to certify: $(cat err)"
expect 64 issue --ca ca --host '' key.pub
expect 64 issue --ca ca --host a --ttl 367d key.pub
expect 64 issue --ca ca --host 'a,b' key.pub
expect 64 issue --ca ca --host 'A' key.pub
expect 64 issue --ca ca --host '*.sandbox' key.pub
expect 64 issue --ca ca --host a --host b/c key.pub
expect 64 issue --ca ca --host a --permit pty key.pub
expect 64 issue --ca ca --host a --single-use key.pub
expect 64 issue --ca ca --ca-agent ca.pub --sandbox run-1 key.pub
expect 64 revoke --ca ca --ca-agent ca.pub --list l key.pub

# The CA's line for known_hosts.
expect 0 ca-line ca.pub
printf '@cert-authority *.sandbox %s sandbox-ca\n' \
	"$(cut -d' ' -f1,2 ca.pub)" >wanted
same out wanted 'the line of known_hosts'
"$program" ca-line --host-pattern '*.a,!x.a' - <ca.pub >out || fail 'ca-line -'
grep -q '^@cert-authority \*\.a,!x\.a ssh-ed25519 ' out || fail 'its pattern'
expect 64 ca-line --host-pattern 'a b' ca.pub
expect 64 ca-line --host-pattern "$(printf 'a\nb')" ca.pub
expect 65 ca-line key-cert.pub
expect 66 ca-line missing

# The next CA beside the old one.
mkdir ring && cp ca.pub ring/old.pub
expect 0 ca-rotate --comment 'next CA' ring/old.pub
[ "$(stat -c %a ring/old-next ring/old-next.pub ring/old-trusted | xargs)" = \
	'600 644 644' ] || fail 'modes of the next CA'
cut -d' ' -f2 ring/old.pub ring/old-next.pub >wanted
cut -d' ' -f2 ring/old-trusted >out
same out wanted 'both are trusted'
cp ring/old-trusted before
expect 73 ca-rotate ring/old.pub
same ring/old-trusted before 'a rotation that failed'
expect 0 ca-rotate --next ring/third --trusted ring/old-trusted \
	ring/old-next.pub
[ "$(grep -c '^ssh-ed25519 ' ring/old-trusted)" = 3 ] || fail 'a third CA'
expect 65 ca-rotate --trusted t ca
ln -s ca.pub public
expect 64 ca-rotate public
expect 64 ca-rotate --comment "$(printf 'a\nb')" --next n ca.pub
absent n
echo nonsense >broken
expect 78 ca-rotate --next n --trusted broken ca.pub
absent n
expect 66 ca-rotate missing.pub

# Without an agent there is nobody to sign.
SSH_AUTH_SOCK='' && export SSH_AUTH_SOCK
expect 69 issue --ca-agent ca.pub --sandbox run-1 key.pub
SSH_AUTH_SOCK=$work/nobody
expect 69 issue --ca-agent ca.pub --sandbox run-1 key.pub
expect 65 issue --ca-agent key --sandbox run-1 key.pub

# Bad usage, bad files: one line, and no certificate.
rm -f key-cert.pub
expect 64
expect 64 frobnicate
expect 64 issue
expect 64 issue --ca ca --sandbox run-1
expect 64 issue --ca ca --sandbox run-1 key.pub key.pub
expect 64 issue --sandbox run-1 key.pub
expect 64 issue --ca ca key.pub
expect 64 issue --ca ca --sandbox RUN-1 key.pub
expect 64 issue --ca ca --sandbox run-1 --ttl 25h key.pub
expect 64 issue --ca ca --sandbox run-1 --ttl 60 key.pub
expect 64 issue --ca ca --sandbox run-1 --serial 0 key.pub
expect 64 issue --ca ca --sandbox run-1 --serial 12345678123456781 key.pub
expect 64 issue --ca ca --sandbox run-1 --permit everything key.pub
expect 64 issue --ca ca --sandbox run-1 --nonsense key.pub
expect 64 issue --ca ca --sandbox run-1 --source-address 10.0.0.1/8 key.pub
expect 64 issue --ca ca --sandbox run-1 --key-id "$(printf 'a\tb')" key.pub
expect 66 issue --ca ca --sandbox run-1 missing.pub
expect 66 issue --ca missing --sandbox run-1 key.pub
expect 65 issue --ca ca --sandbox run-1 key
expect 65 issue --ca ca --sandbox run-1 full
expect 65 issue --ca ca.pub.not --sandbox run-1 /dev/null
expect 65 issue --ca ca.pub --sandbox run-1 key.pub
grep -q 'ca.pub is a public key: give the private one' err ||
	fail "--ca with a public key: $(cat err)"
expect 65 issue --ca ca --sandbox run-1 two
chmod 640 ca
expect 78 issue --ca ca --sandbox run-1 key.pub
chmod 600 ca
expect 74 issue --ca ca --sandbox run-1 --out missing/cert.pub key.pub
absent key-cert.pub
for left in key-cert*; do
	[ ! -e "$left" ] || fail 'a temporary file was left behind'
done
expect 65 show key.pub
expect 65 show /dev/null
expect 66 show missing
expect 66 show .
head -c 300000 /dev/zero >big
expect 65 show big
expect 64 show
expect 64 verify full
expect 64 verify --ca ca.pub full
expect 64 verify --ca ca.pub --sandbox '' full
expect 78 verify --ca missing --sandbox run-1 full
expect 78 verify --ca /dev/null --sandbox run-1 full
expect 65 verify --ca ca.pub --sandbox run-1 two
expect 64 verify -c gate.conf key-cert.pub
expect 64 verify --ca ca.pub --sandbox run-1 --skew 1h key-cert.pub
expect 64 verify --ca ca.pub --sandbox run-1 --revoked-max-age 0s key-cert.pub

# A full disk is told, not swallowed.
"$program" show full >/dev/full 2>err
[ $? = 74 ] || fail 'show to a full disk'

# Usage stands everywhere.
for verb in '' ca-init ca-line ca-rotate issue show verify; do
	"$program" $verb --help >out 2>err || fail "$verb --help"
	grep -q "^usage: sandbox-cert" out || fail "$verb --help: no usage"
done

[ "$failures" = 0 ]
