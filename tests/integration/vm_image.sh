#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# doc/vm-image.md, command by command, below a real systemd: the gate on a
# machine with Debian's sshd and nothing else of ours in force.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/systemd.sh
. "$(dirname "$0")/../world/systemd.sh"
world_enter "$0" "$@"

ca=/srv/sandbox-ca

shown() {
	# shellcheck disable=SC2016
	printf 'show:\n\t@echo $(%s)\n' "$1" |
		make -s -C "$BUILDDIR" -f Makefile -f - show
}

etc=$(shown pkgsysconfdir)

# The page's commands, with the folders of this build.
commands() {
	sed -n 's/^    //p' "$SRCDIR/doc/vm-image.md" | sed \
	    -e "s|/etc/sandbox-ssh|$etc|g" \
	    -e "s|/usr/local/libexec/sandbox-ssh|$(shown pkglibexecdir)|g" \
	    -e "s|/usr/local/share/sandbox-ssh|$(shown pkgdatadir)|g" \
	    -e "s|/usr/local/bin|$(shown bindir)|g"
}

is_cron='^[0-9*]+ \* '

by_hand() {
	inside bash -c "$(commands | grep -E '/revoked.new')"
	inside ssh -i "$HOME/.ssh/run-1234" -o IdentitiesOnly=yes \
	    -o UserKnownHostsFile="$HOME/.ssh/sandbox_hosts" \
	    sandbox@run-1234.example.org "$@"
}

issued_at() {
	sandbox-cert revocations show --json "$ca/revoked" |
		sed 's/.*"issued_at":\([0-9]*\).*/\1/'
}

# signed_again COMMAND...: as often as it takes for the clock to go on.
signed_again() {
	"$@" && [ "$(issued_at)" -gt "$before" ]
}

world_install
echo '127.0.0.1 run-1234.example.org' >>/etc/hosts
systemd_boot

commands | grep -Ev "$is_cron" >/srv/commands
check 0 "every command of the page" inside bash -ex /srv/commands
for line in '^uid=[0-9]*(sandbox) ' '^ok$' '^cert-authority,' \
    'sandbox-authkeys\[.*: allow user=sandbox sandbox=run-1234 '; do
	grep -q -- "$line" "$out" || fail "no output like $line"
	ok "it says $line"
done

check 255 "the revoked certificate is refused" by_hand true
says "as ever" 'Permission denied \(publickey\)'
inside journalctl --no-pager -t sandbox-authkeys >"$out"
grep -q 'deny reason=revoked user=sandbox ' "$out" || fail "no reason"
ok "with its reason in the journal"
inside journalctl --no-pager -u ssh >"$out"
! grep -q 'AuthorizedKeysCommand' "$out" || fail "the certificate is logged"
ok "sshd logs no certificate"

check 0 "the units are in order" inside systemd-analyze verify \
    --man=no sandbox-revocations.service sandbox-revocations.timer
is "nothing is said about them" "$(cat "$out" "$err")" ""
check 0 "the timer waits" inside systemctl is-active sandbox-revocations.timer
before=$(issued_at)
wait_for "a list by the timer's unit" \
    signed_again inside systemctl start sandbox-revocations.service
ok "the timer's unit signs the list again"
before=$(issued_at)
wait_for "a list by cron's line" signed_again \
    sh -c "$(commands | grep -E "$is_cron" | sed 's/.* root //')"
ok "and so does cron's line"
check 255 "what was revoked stays so" by_hand true
done_testing
