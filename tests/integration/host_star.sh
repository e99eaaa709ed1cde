#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What a person's own "Host *" says, above and below our Include: ssh gets in
# where our lines can see to it.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

# config ABOVE BELOW: what stands around the Include, as printf has it
config() {
	{
		[ -z "$1" ] || printf '%b\nMatch all\n' "$1"
		echo "$include"
		[ -z "$2" ] || printf '%b\n' "$2"
	} >"$HOME/.ssh/config"
}

# gets_in NAME [HOST]: a command with input and output, and scp
gets_in() {
	echo there >"$HOME/input"
	timeout 60 ssh "${2:-$host}" 'cat; id -un' <"$HOME/input" \
	    >"$out" 2>"$err" || fail "$1: exit $?"
	is "$1" "$(tr -d '\r' <"$out" | paste -sd' ')" "there sandbox"
}

# Both above and below.
anywhere() {
	cat <<-'END'
	CertificateFile ~/none-cert.pub
	CertificateFile ~/company-cert.pub
	CertificateFile none
	CertificateFile ~/host-cert.pub
	IdentityFile none
	IdentityFile ~/none
	IdentityFile ~/company\n IdentityFile ~/.ssh/id_rsa
	IdentitiesOnly no
	IdentityAgent ~/none
	IdentityAgent $NONE
	IdentityAgent "~/with blanks"
	AddKeysToAgent yes
	AddKeysToAgent confirm
	CheckHostIP yes
	GlobalKnownHostsFile ~/none
	HashKnownHosts yes
	UpdateHostKeys ask
	VisualHostKey no
	NoHostAuthenticationForLocalhost yes
	VerifyHostKeyDNS yes
	StrictHostKeyChecking ask
	Port 2222
	BatchMode yes
	RequestTTY yes
	LogLevel QUIET
	PermitLocalCommand yes\n LocalCommand false
	ControlMaster auto\n ControlPath ~/%C
	Ciphers aes128-ctr,aes256-gcm@openssh.com
	Ciphers -aes*
	MACs +hmac-sha1
	KexAlgorithms curve25519-sha256
	HostKeyAlgorithms ssh-ed25519,rsa-sha2-512
	PubkeyAcceptedAlgorithms +ssh-rsa
	CASignatureAlgorithms rsa-sha2-512
	RequiredRSASize 4096
	RevokedHostKeys none
	SendEnv *
	ExitOnForwardFailure yes
	ProxyUseFdpass no
	CanonicalizeHostname yes
	CanonicalizeHostname yes\n CanonicalDomains corp.example
	END
}

# All of these at once.
harmless() {
	cat <<-'END'
	AddressFamily inet6
	BindAddress 192.0.2.1
	BindInterface none0
	ConnectTimeout 1
	ConnectionAttempts 3
	NumberOfPasswordPrompts 0
	PasswordAuthentication no
	KbdInteractiveAuthentication yes
	GSSAPIAuthentication yes
	HostbasedAuthentication yes
	RequestTTY no
	EscapeChar none
	Compression yes
	TCPKeepAlive no
	ServerAliveInterval 5
	IPQoS ef
	RekeyLimit 1G 1h
	FingerprintHash md5
	ForwardX11 yes
	ForwardX11Trusted yes
	XAuthLocation /none
	GatewayPorts yes
	StreamLocalBindMask 0777
	StreamLocalBindUnlink yes
	LocalForward 1 localhost:1
	SecurityKeyProvider /none
	EnableSSHKeysign yes
	SetEnv ONE=1 TWO=2
	SyslogFacility AUTH
	Tunnel no
	IgnoreUnknown Shell,UseKeychain\n UseKeychain yes
	END
}

# Only below: above it counts, as a person's own choice.
below() {
	cat <<-'END'
	User other
	ProxyCommand none
	ProxyCommand nc %h %p
	ProxyJump bastion
	PubkeyAuthentication no
	PreferredAuthentications password
	PKCS11Provider /none.so
	UserKnownHostsFile ~/none
	KnownHostsCommand /bin/false
	RemoteCommand tmux new -A
	SessionType none
	SessionType subsystem
	StdinNull yes
	ForkAfterAuthentication yes
	RequestTTY force
	Tunnel yes
	HostName %h.corp.example
	CanonicalizeHostname always\n CanonicalDomains corp.example
	END
}

each_option() {
	local lines count=0
	while IFS= read -r lines; do
		count=$((count + 1))
		config "Host *\n $lines" ''
		gets_in "above: $lines"
		config '' "Host *\n $lines"
		gets_in "below: $lines"
	done < <(anywhere)
	while IFS= read -r lines; do
		count=$((count + 1))
		config '' "Host *\n $lines"
		gets_in "below: $lines"
	done < <(below)
	lines="Host *\n$(harmless)"
	config "$lines" ''
	gets_in "above: what is harmless"
	config '' "$lines"
	gets_in "below: what is harmless"
	[ "$count" -gt 50 ] || fail "that cannot be all"
}

# The same, written as people write it.
each_way() {
	config 'Host *\r\n\tCertificateFile = "~/company-cert.pub"\r' ''
	gets_in "CRLF, tab, =, quotes"
	config '' 'Match all\n\tUser=other\n\tRemoteCommand=hostname'
	gets_in "Match all"
	config '' 'match user sandbox\n remotecommand hostname'
	gets_in "Match user"
	config '' "Match exec true\n RemoteCommand hostname"
	gets_in "Match exec"
	config '' "Match final all\n RemoteCommand hostname"
	gets_in "Match final"
	config 'Match final all\n CertificateFile ~/company-cert.pub' ''
	gets_in "Match final above"
	mkdir -p "$HOME/.ssh/config.d"
	printf 'Host *\n User other\n RemoteCommand hostname\n' \
	    >"$HOME/.ssh/config.d/company"
	config 'Include config.d' 'Include config.d'
	gets_in "Include of a folder"
	config '' 'Include config.d/*'
	gets_in "Include of what is in it"
	config '' "Host *$(printf '\\n IdentityFile ~/k%d' {1..40})"
	gets_in "40 IdentityFile lines"
	config '' "Host *$(printf '\\n CertificateFile ~/company-cert.pub')$(
	    printf '\\n CertificateFile ~/k%d' {1..40})"
	gets_in "41 CertificateFile lines"
}

# What is sent and not asked for does not arrive.
environment() {
	export ANTHROPIC_API_KEY=secret GIT_PROTOCOL=version=2
	config 'Host *\n SendEnv *\n SetEnv OTHER_KEY=secret' ''
	check 0 "SendEnv * above" ssh "$host" env
	! grep -q secret "$out" || fail "SendEnv * above: a key is inside"
	config '' 'Host *\n SendEnv *\n SetEnv OTHER_KEY=secret'
	check 0 "SendEnv * below" ssh "$host" "env; echo ':'; tr '\\0' '\\n' </proc/self/environ"
	! grep -q secret "$out" || fail "SendEnv *: a key is inside"
	grep -qx GIT_PROTOCOL=version=2 "$out" ||
		fail "SendEnv *: what git needs is not inside"
	ok "SendEnv *: no key inside"
	unset ANTHROPIC_API_KEY GIT_PROTOCOL
}

# A name of one's own for a sandbox.
other_name() {
	config 'Host dev\n HostName run-1234.sandbox' ''
	gets_in "Host dev above" dev
	config 'Host dev\n HostName RUN-1234.sandbox' ''
	gets_in "Host dev above, in capitals" dev
	config 'Host d*\n HostName run-%h.sandbox\nHost dev\n User other' \
	    'Host *\n ProxyCommand none'
	check 255 "Host d* above, another sandbox" ssh dev true
	grep -q 'no sandbox\|no such sandbox' "$err" ||
		fail "Host d* above, another sandbox: nobody was asked"
	config 'Host 1234\n HostName run-%h.sandbox' ''
	gets_in "HostName run-%h.sandbox" 1234
	config '' 'Host dev\n HostName run-1234.sandbox'
	gets_in "Host dev below" dev
	config '' 'Host *\n CertificateFile ~/company-cert.pub\n AddKeysToAgent yes\nHost dev\n HostName Run-1234.sandbox'
	gets_in "Host dev below, beside a Host *" dev
	config '' ''
	gets_in "in capitals" RUN-1234.Sandbox
	for name in "a'b.sandbox" "'.sandbox"; do
		config "Host quote\n HostName $name" ''
		! ssh -G quote 2>/dev/null | grep sandbox-proxy ||
			fail "$name is ours"
		ok "$name is not ours"
	done
}

# Blocks below are read twice only where other hosts stay what they are.
other_hosts() {
	local jump='Host bastion\n HostName b.corp.example\nHost * !bastion\n ProxyJump bastion'
	config '' "$jump"
	sandbox-resolve forget "$host"
	check 0 "beside a bastion" ssh "$host" true
	check 0 "a bastion: ssh -G" ssh -G bastion
	! grep -q '^proxyjump' "$out" ||
		fail "a bastion: ssh would go through it to it"
	ok "a bastion is left alone"
	config 'Host dev\n HostName run-1234.sandbox' "$jump"
	gets_in "Host dev above, beside a bastion" dev
	config '' ''
	sandbox-resolve forget "$host"
	check 0 "without one" ssh "$host" true
}

# All over a company's machines, below everything of one's own.
company() {
	mkdir -p /etc/ssh/ssh_config.d
	{
		echo "Host *"
		below | while IFS= read -r lines; do
			printf ' %b\n' "$lines"
		done
		echo " CertificateFile /etc/ssh/company-cert.pub"
	} >/etc/ssh/ssh_config.d/company.conf
}

main() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/company"
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/ca"
	ssh-keygen -q -s "$HOME/ca" -I host -h "$HOME/company.pub"
	mv "$HOME/company-cert.pub" "$HOME/host-cert.pub"
	ssh-keygen -q -s "$HOME/ca" -I me -n me "$HOME/company.pub"
	each_option
	each_way
	environment
	other_name
	other_hosts
}

libexec() {
	printf 'show:\n\t@echo $(pkglibexecdir)\n' |
		make -s -C "$BUILDDIR" -f Makefile -f - show
}

if [ "${1:-}" != as ]; then
	world_install
	ln -s "$(libexec)/sandbox-resolve" /usr/local/bin/
	world_user alice
	world_as alice as
	rm /home/alice/.ssh/config
	company
	world_as alice as company
	exit
fi
sandbox-proxy setup >/dev/null
include=$(grep ^Include "$HOME/.ssh/config")
sandboxctl create run-1234 >/dev/null
if [ "${2:-}" = company ]; then
	config '' ''
	gets_in "a company's ssh_config.d"
	scp -q "$HOME/input" "$host:there" >"$out" 2>"$err" ||
		fail "a company's ssh_config.d: scp"
	ok "a company's ssh_config.d: scp"
else
	main
fi
sandboxctl kill run-1234
done_testing
