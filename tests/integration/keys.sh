#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Keys that people have already: [ssh] public_key certifies them, be they in
# a file, in an agent only, or of another kind.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh

# own PUBLIC-KEY: certify that one
own() {
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '[ssh]\npublic_key = %s\n' "$1" >"$HOME/.config/sandbox-ssh/config"
	sandbox-resolve forget "$host"
}

# The certificate is over this key, and the cache has no private one.
is_certified() {
	local want
	want=$(ssh-keygen -lf "$2" | cut -d' ' -f2)
	ssh-keygen -Lf "$cache/$host/id_ed25519-cert.pub" >"$HOME/shown"
	grep -q "Public key: .* $want\$" "$HOME/shown" ||
		fail "$1: the certificate is over another key"
	ok "$1: the certificate is over it"
	! find "$cache/$host" -type f -exec grep -l 'PRIVATE KEY' {} + ||
		fail "$1: a private key is in the cache"
	ok "$1: no private key is in the cache"
}

main() {
	local kind
	for kind in ed25519 ecdsa rsa; do
		ssh-keygen -q -t "$kind" -N '' -f "$HOME/.ssh/mine_$kind"
		own "$HOME/.ssh/mine_$kind.pub"
		check 0 "a file, $kind" ssh "$host" true
		is "a file, $kind: not a word" "$(cat "$err")" ""
		is_certified "a file, $kind" "$HOME/.ssh/mine_$kind.pub"
	done

	# In the agent only; the file that is there is the public half.
	eval "$(ssh-agent -s)" >/dev/null
	ssh-keygen -q -t ecdsa -N '' -f "$HOME/held"
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/other"
	ssh-add -q "$HOME/other" "$HOME/held"
	rm "$HOME/held" "$HOME/other"
	own "$HOME/held.pub"
	check 0 "an agent" ssh "$host" true
	is "an agent: not a word" "$(cat "$err")" ""
	is_certified "an agent" "$HOME/held.pub"
	check 0 "an agent: scp" scp -q "$HOME/held.pub" "$host:there"
	SSH_AUTH_SOCK='' check 255 "without it" ssh -o BatchMode=yes "$host" true
	ssh-agent -k >/dev/null
	unset SSH_AUTH_SOCK

	# Hardware keys need hardware to log in, but not to be certified.
	for kind in "${!hardware[@]}"; do
		echo "${hardware[$kind]} at the door" >"$HOME/$kind.pub"
		own "$HOME/$kind.pub"
		check 0 "a hardware key, $kind" \
		    sandbox-proxy prepare "$host"
		is_certified "a hardware key, $kind" "$HOME/$kind.pub"
		cmp <(cut -d' ' -f1,2 "$HOME/$kind.pub") \
		    <(cut -d' ' -f1,2 "$cache/$host/id_ed25519.pub") ||
			fail "$kind: ssh cannot name it to an agent"
	done

	# Back to keys of our own.
	rm "$HOME/.config/sandbox-ssh/config"
	sandbox-resolve forget "$host"
	check 0 "a new key again" ssh "$host" true
	[ -f "$cache/$host/id_ed25519" ] && [ ! -L "$cache/$host/id_ed25519" ] ||
		fail "a new key again: it is not there"
	[ ! -e "$cache/$host/id_ed25519.pub" ] ||
		fail "a new key again: the old public one still stands there"
	ok "a new key again: nothing is left of the others"

	own "$HOME/nothing.pub"
	check 78 "a key that does not exist" sandbox-proxy connect "$host"
	says "a key that does not exist: says so" 'nothing.pub does not exist'
	cp "$HOME/.ssh/mine_ed25519" "$HOME/private"
	own "$HOME/private"
	check 78 "a private key instead" sandbox-proxy connect "$host"
	says "a private key instead: says so" 'no public key: name a .pub file'
	rm "$HOME/.config/sandbox-ssh/config"
}

# Public keys of two FIDO authenticators, made of bytes: a point of the
# curve each, and the application "ssh:".
declare -A hardware
make_hardware() {
	local work
	work=$(mktemp -d)
	ssh-keygen -q -t ed25519 -N '' -f "$work/a"
	ssh-keygen -q -t ecdsa -b 256 -N '' -f "$work/b"
	while read -r kind line; do
		hardware[$kind]=$line
	done < <(/usr/bin/python3 - "$work/a.pub" "$work/b.pub" <<-'END'
	import base64, struct, sys

	def put(*fields):
	    return b"".join(struct.pack(">I", len(f)) + f for f in fields)

	def take(blob):
	    while blob:
	        (n,) = struct.unpack(">I", blob[:4])
	        yield blob[4:4 + n]
	        blob = blob[4 + n:]

	for path, kind, name in (
	    (sys.argv[1], "ed25519-sk", b"sk-ssh-ed25519@openssh.com"),
	    (sys.argv[2], "ecdsa-sk", b"sk-ecdsa-sha2-nistp256@openssh.com"),
	):
	    blob = base64.b64decode(open(path).read().split()[1])
	    fields = [name] + list(take(blob))[1:] + [b"ssh:"]
	    print(kind, name.decode(), base64.b64encode(put(*fields)).decode())
	END
	)
	[ "${#hardware[@]}" = 2 ] || fail "no hardware keys were made"
}

libexec() {
	printf 'show:\n\t@echo $(pkglibexecdir)\n' |
		make -s -C "$BUILDDIR" -f Makefile -f - show
}

if [ "${1:-}" != as ]; then
	world_install
	ln -s "$(libexec)/sandbox-resolve" /usr/local/bin/ 2>/dev/null || :
	world_user alice
	world_as alice as
	exit
fi
make_hardware
sandbox-proxy setup >/dev/null
sandboxctl create run-1234 >/dev/null
main
sandboxctl kill run-1234
done_testing
