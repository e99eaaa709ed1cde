# SPDX-License-Identifier: ISC
# tests/fixtures/bad_broker.py for the tests beside it (sourced after
# world.sh): a CA, a host key, TLS certificates, and an sshd behind it all.
#
# shellcheck shell=bash

# Where everything is: $lab.
lab_make() {
	lab=$(mktemp -d /tmp/lab.XXXXXX)
	ssh-keygen -q -t ed25519 -N '' -f "$lab/ca"
	ssh-keygen -q -t ed25519 -N '' -f "$lab/host"
	ssh-keygen -q -t ed25519 -N '' -f "$lab/other"
	lab_tls
	mkfifo "$lab/hold" "$lab/sshd_hold" "$lab/sshd_port"
	/usr/bin/python3 "$SRCDIR/tests/fixtures/bad_broker.py" "$lab" \
	    <"$lab/hold" >"$lab/broker.log" 2>&1 &
	exec 8>"$lab/hold"
	wait_for "the broker" test -e "$lab/ports"
	echo "http://127.0.0.1:$(lab_port elsewhere)/v1/sandboxes/run-1234/ssh" \
	    >"$lab/elsewhere"
}

lab_port() {
	sed -n "s/^$1=//p" "$lab/ports"
}

# certificate NAME SUBJECT DAYS [openssl options]
lab_certificate() {
	local name=$1 san=$2 days=$3
	shift 3
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj "/CN=$name" -keyout "$lab/$name.key" \
	    -out "$lab/$name.csr" 2>>"$lab/openssl.log"
	printf 'subjectAltName=%s\n' "$san" >"$lab/$name.ext"
	openssl x509 -req -in "$lab/$name.csr" -days "$days" \
	    -extfile "$lab/$name.ext" "$@" -out "$lab/$name.crt" \
	    2>>"$lab/openssl.log"
	cat "$lab/$name.crt" "$lab/$name.key" >"$lab/$name.pem"
}

lab_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj /CN=authority -days 30 -keyout "$lab/authority.key" \
	    -out "$lab/authority.crt" 2>>"$lab/openssl.log"
	local by=(-CA "$lab/authority.crt" -CAkey "$lab/authority.key"
	    -CAcreateserial)
	lab_certificate good IP:127.0.0.1 30 "${by[@]}"
	lab_certificate misnamed DNS:elsewhere.example 30 "${by[@]}"
	lab_certificate expired IP:127.0.0.1 -1 "${by[@]}"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj /CN=selfsigned -addext subjectAltName=IP:127.0.0.1 \
	    -days 30 -keyout "$lab/self.key" -out "$lab/self.crt" \
	    2>>"$lab/openssl.log"
	cat "$lab/self.crt" "$lab/self.key" >"$lab/selfsigned.pem"
}

# A real sshd that trusts the CA for run-1234: $lab_sshd is its endpoint.
lab_sshd() {
	echo run-1234 >"$lab/principals"
	cat >"$lab/sshd_config" <<-END
	HostKey $lab/host
	AuthorizedKeysFile none
	TrustedUserCAKeys $lab/ca.pub
	AuthorizedPrincipalsFile $lab/principals
	StrictModes no
	UsePAM no
	PidFile none
	PermitRootLogin yes
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	END
	/usr/bin/python3 "$SRCDIR/tests/fixtures/sshd_socket.py" \
	    "$lab/sshd.sock" /usr/sbin/sshd -i -f "$lab/sshd_config" \
	    <"$lab/sshd_hold" >"$lab/sshd_port" 2>"$lab/sshd.log" &
	exec 9>"$lab/sshd_hold"
	read -r lab_sshd <"$lab/sshd_port"
	lab_sshd=tcp://127.0.0.1:$lab_sshd
}

# lab_config SECTION-LINES...: the client's configuration
lab_config() {
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '%s\n' "$@" >"$HOME/.config/sandbox-ssh/config"
}

# answer JSON: what the broker's answers have instead
lab_answer() {
	printf '%s\n' "${1:-{\}}" >"$lab/answer.new"
	mv "$lab/answer.new" "$lab/answer"
}

lab_mode() {
	printf '%s\n' "$1" >"$lab/mode.new"
	mv "$lab/mode.new" "$lab/mode"
}

lab_end() {
	exec 8>&- 9>&-
}
