#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What the gate remembers, behind the sshd that is installed: certificates for
# a single use, a clock that went back; the command that is chained behind it;
# and that its log and sshd's say the same.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/gate-machine.sh"

state=/var/lib/sandbox-authkeys
once=("${good[@]}" -O extension:single-use@sandbox-ssh)

reset_state() {
	! mountpoint -q "$state" || umount "$state"
	rm -rf "$state"
	install -d -o sandbox-authkeys -g sandbox-authkeys -m 0700 "$state"
	reset_settings
	echo "state_dir = $state" >>"$conf"
}

claims() {
	find "$state/claims" -type f | wc -l
}

# denied NAME REASON: through sshd, with $cert.
denied() {
	check 255 "$1" login sandbox "$cert" true
	logged "$1: $2" "deny reason=$2 user=sandbox .* serial=$serial "
}

test_twice() {
	certify "${once[@]}"
	check 0 "threat 19: the first connection" login sandbox "$cert" true
	logged "asked by sshd" "allow .* serial=$serial "
	logged "threat 19: asked again, for the signed request" "allow .* serial=$serial "
	is "one claim" "$(claims)" 1
	denied "threat 20: the second connection" used
	certify "${once[@]}"
	check 0 "another certificate" login sandbox "$cert" true
	is "two claims" "$(claims)" 2
	certify "${good[@]}"
	check 0 "one that is not marked" login sandbox "$cert" true
	check 0 "and again" login sandbox "$cert" true
	is "not claimed" "$(claims)" 2
}

# A second session is no second connection.
test_shared_connection() {
	local socket=$keys/control
	certify "${once[@]}"
	check 0 "a connection to share" login sandbox "$cert" -f -N -M -S "$socket"
	check 0 "a session in it" login sandbox "$cert" -S "$socket" echo one
	check 0 "another one" login sandbox "$cert" -S "$socket" echo two
	is "it ran" "$(<"$out")" two
	check 0 "the connection's end" \
	    login sandbox "$cert" -S "$socket" -O exit
	denied "a connection of its own" used
}

test_at_once() {
	local i pids=() won=0
	certify "${once[@]}"
	for i in 1 2 3 4 5 6 7 8; do
		login sandbox "$cert" true 2>/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		! wait "$i" || won=$((won + 1))
	done
	is "threat 20: eight at once: one got in" "$won" 1
}

# Whoever has the certificate but not its key can use it up, no more.
test_query_by_a_stranger() {
	certify "${once[@]}"
	check 0 "threat 22: a stranger's query" ask sandbox "$cert-cert.pub"
	denied "threat 22: it is used up" used
}

test_settings() {
	echo "single_use = always" >>"$conf"
	certify "${good[@]}"
	check 0 "always: the first connection" login sandbox "$cert" true
	denied "always: the second connection" used
	sed -i 's/always/never/' "$conf"
	check 0 "never: one that is not marked" login sandbox "$cert" true
	certify "${once[@]}"
	denied "never: one that is marked" single-use
	reset_state
}

# The gate may not see sshd's process then.
test_hidden_processes() {
	certify "${once[@]}"
	mount -o remount,hidepid=2 /proc
	denied "threat 21: processes are hidden" connection
	is "no claim" "$(find "$state" -path '*/claims/*' | wc -l)" 0
	mount -o remount,hidepid=0 /proc
	check 0 "visible again" login sandbox "$cert" true
	reset_state
}

test_full_disk() {
	local uid
	uid=$(id -u sandbox-authkeys)
	mount -t tmpfs -o "size=64k,mode=0700,uid=$uid,gid=0" state "$state"
	dd if=/dev/zero of="$state/filler" bs=4k 2>/dev/null || :
	certify "${once[@]}"
	denied "threat 25: the disk is full" io
	certify "${good[@]}"
	check 0 "not marked: it does not matter" login sandbox "$cert" true
	logged "but is logged" \
	    "allow .* serial=$serial .* detail=\"cannot write $state/floor.new"
	rm "$state/filler"
	certify "${once[@]}"
	check 0 "room again" login sandbox "$cert" true
	denied "and it was claimed" used
	reset_state
}

test_hostile_state() {
	local spoil
	certify "${good[@]}"
	for spoil in "chmod g+x $state" "chown sandbox $state" \
	    "mv $state $state.x; ln -s $state.x $state" \
	    "rmdir $state; mkfifo $state" "rmdir $state" \
	    "chmod g+w /var/lib" "ln -s /etc/passwd $state/floor" \
	    "mkfifo $state/floor" "mkdir $state/floor" "echo x >$state/floor" \
	    "echo 5 >$state/floor"; do
		eval "$spoil"
		denied "threat 24: $spoil" "(untrusted-file|io)"
		[ "$spoil" = "chmod g+w /var/lib" ] ||
			as_sshd_says "$spoil" "$state"
		chmod g-w /var/lib
		rm -rf "$state.x" "$state"
		reset_state
	done
	certify "${once[@]}"
	ln -s /tmp "$state/claims"
	denied "claims is a symbolic link" untrusted-file
	reset_state
}

# It would make files there that its own account cannot have.
test_asked_by_root() {
	local type blob
	certify "${once[@]}"
	read -r type blob _ <"$cert-cert.pub"
	check 1 "asked by root" "$gate" -c "$conf" sandbox "$type" "$blob"
	says "whom to be" "$state belongs to uid [0-9]+, not to uid 0: run this as that account"
	check 0 "it stays unused" login sandbox "$cert" true
	reset_state
}

as_sshd_says() {
	check 1 "$1: the gate says no" ask sandbox "$cert-cert.pub"
	says "$1: names it" "$2"
}

put_floor() {
	echo "$1" >"$state/floor"
	chown sandbox-authkeys: "$state/floor"
	chmod 0600 "$state/floor"
}

test_clock() {
	local now
	now=$(date +%s)
	certify "${good[@]}"
	check 0 "the time is kept" login sandbox "$cert" true
	[ "$(<"$state/floor")" -ge "$now" ] || fail "the floor is too low"
	put_floor $((now + 7200))
	denied "threat 26: a clock that went back" expired
	in_vain "what it means" ask sandbox "$cert-cert.pub"
	says "is said" 'clock is [0-9]+ s behind the latest time seen'
	rm "$state/floor"
	check 0 "after it was removed" login sandbox "$cert" true
	put_floor $((now - 7200))
	certify "${good[@]}" -V -2h:-1h
	denied "threat 26: a denial for its end" expired
	[ "$(<"$state/floor")" -ge "$now" ] || fail "it does not raise the floor"
	ok "raises the floor"
	reset_state
}

# A list that is in date still, from before the serial was revoked.
test_older_list() {
	local list=/etc/sandbox-ssh/revoked
	certify "${good[@]}"
	echo "revoked = $list" >>"$conf"
	"$BUILDDIR/certs/sandbox-cert" revocations sign --ca "$keys/ca" \
	    --out "$list"
	cp -p "$list" "$list.old"
	check 0 "not revoked yet" login sandbox "$cert" true
	"$BUILDDIR/certs/sandbox-cert" revoke --ca "$keys/ca" --list "$list" \
	    "$cert-cert.pub"
	denied "revoked" revoked
	cp -p "$list" "$list.new"
	cp -p "$list.old" "$list"
	denied "threat 23: an older list is put back" revocation-list-older
	mv "$list.new" "$list"
	denied "the newer one again" revoked
	certify "${good[@]}"
	check 0 "another certificate" login sandbox "$cert" true
	mv "$list.old" "$list"
	denied "threat 23: the older list counts for nobody" \
	    revocation-list-older
	reset_state
}


# sshd's own lines at LogLevel VERBOSE.
test_log() {
	local ours wanted
	echo "LogLevel VERBOSE" >>"$keys/sshd_config"
	for wanted in 700 18446744073709551615; do
		certify "${good[@]}" -I "alice/run-1234/$wanted" -z "$wanted"
		sshd_flags=-i check 0 "serial $wanted" login sandbox "$cert" true
		logged "the gate's line" "allow user=sandbox sandbox=run-1234\
 serial=([0-9]+) key=([^ ]+) ca=([^ ]+) keyid=([^ ]+)\$"
		ours=("${BASH_REMATCH[@]:1}")
		is "the serial" "${ours[0]}" "$wanted"
		# Since 9.8 it is sshd-session that says it.
		logged "sshd on the certificate" 'sshd[a-z-]*\[[0-9]+\]: Accepted certificate ID "([^"]+)" \(serial ([0-9]+)\) signed by CA ED25519 (SHA256:[^ ]+)'
		is "same key id" "${ours[3]}" "${BASH_REMATCH[1]}"
		is "same serial" "${ours[0]}" "${BASH_REMATCH[2]}"
		is "same CA" "${ours[2]}" "${BASH_REMATCH[3]}"
		logged "sshd on the login" 'Accepted publickey for sandbox .* ED25519-CERT (SHA256:[^ ]+) ID ([^ ]+) \(serial ([0-9]+)\) CA ED25519 ([^ ]+)$'
		is "same key" "${ours[1]}" "${BASH_REMATCH[1]}"
		is "same key id" "${ours[3]}" "${BASH_REMATCH[2]}"
		is "same serial" "${ours[0]}" "${BASH_REMATCH[3]}"
	done
	sed -i '/^LogLevel/d' "$keys/sshd_config"
}

# write_then FILE: a command that answers for one key and one account.
write_then() {
	cat >"$1" <<-END
	#!/bin/sh
	case \$1:\$2\ \$3 in
	"sandbox:$(cut -d' ' -f1,2 "$keys/plain.pub")" | \
	"other:$(cut -d' ' -f1,2 "$keys/others.pub")")
		echo "restrict,pty \$2 \$3" ;;
	sandbox:*) ;;
	*) exit 3 ;;
	esac
	END
	chmod 0755 "$1"
}

test_then() {
	local command=/usr/local/libexec/keys
	mkdir -p /usr/local/libexec
	ssh-keygen -q -t ed25519 -N '' -f "$keys/plain"
	ssh-keygen -q -t ed25519 -N '' -f "$keys/others"
	write_then "$command"
	echo "then = $command %u %t %k" >>"$conf"
	check 0 "a plain key" login sandbox "$keys/plain" echo in
	is "it is in" "$(<"$out")" in
	logged "that is logged" "chained user=sandbox sandbox=run-1234 serial=\
 key=$(fingerprint "$keys/plain.pub") ca= keyid= detail=\"$command %u %t %k\"\$"
	check 255 "another account" login other "$keys/plain" true
	logged "that too" \
	    "deny reason=then user=other .* detail=\"$command ended with status 3"
	check 0 "an account that only the command knows" \
	    login other "$keys/others" true
	certify "${good[@]}"
	check 255 "not with a certificate" login other "$cert" true
	logged "which login_users limits" "deny reason=login-user user=other "
	check 255 "a key that it does not know" login sandbox "$keys/user" true
	certify "${once[@]}"
	check 0 "a certificate is ours" login sandbox "$cert" true
	logged "not the command's" "allow .* serial=$serial "
	certify "${good[@]}" -n run-9
	denied "also to deny" wrong-sandbox

	chmod g+w /usr/local/libexec
	check 255 "its folder is open" login sandbox "$keys/plain" true
	logged "named" "untrusted-file .* detail=\"/usr/local/libexec can be"
	chmod g-w /usr/local/libexec
	chown sandbox "$command"
	check 255 "it belongs to another" login sandbox "$keys/plain" true
	logged "named" "untrusted-file .* detail=\"$command belongs to uid"
	printf '#!/bin/sh\necho "ssh-ed25519 x"\nexec sleep 1000\n' >"$command"
	chown root "$command"
	echo "then_timeout = 1s" >>"$conf"
	check 255 "it does not end" login sandbox "$keys/plain" true
	logged "timed out" "timeout .* did not end within then_timeout"
	! pgrep -x sleep >/dev/null || fail "it is still there"
	ok "it is gone"
	reset_state
}

# Nobody reads the answer, and the pipe is full.
test_alarm() {
	certify "${good[@]}"
	mkfifo "$keys/pipe"
	exec 9<>"$keys/pipe"
	dd if=/dev/zero bs=65536 count=1 >&9 2>/dev/null
	check 1 "threat 30: the answer is not taken" ask_into_pipe "$cert-cert.pub"
	logged "logged at the last moment" \
	    'deny reason=timeout user=sandbox .* detail="it took too long'
	exec 9>&-
}

ask_into_pipe() {
	ask sandbox "$1" >&9
}

machine
reset_state
start_log
test_twice
test_shared_connection
test_at_once
test_query_by_a_stranger
test_settings
test_hidden_processes
test_full_disk
test_hostile_state
test_asked_by_root
test_clock
test_older_list
test_log
test_then
test_alarm
done_testing
