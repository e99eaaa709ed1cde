#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# ssh run-<TAB> and sandbox-proxy <TAB> in bash, zsh and fish: the shells'
# own completion of ssh, over the configuration that setup made.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

for need in zsh fish tmux; do
	command -v "$need" >/dev/null || world_skip "$need is missing"
done
[ -r /usr/share/bash-completion/bash_completion ] ||
	world_skip "bash-completion is missing"

# has NAME WANT...: the words in $out
has() {
	local name=$1 word
	shift
	for word; do
		tr -s '[:space:]' '\n' <"$out" | grep -qxF -- "$word" || {
			cat "$out" >&2
			fail "$name: does not offer $word"
		}
	done
	ok "$name: offers $*"
}

in_bash() {
	env -i HOME="$HOME" PATH="$PATH" TERM=dumb bash --norc -c '
	. /usr/share/bash-completion/bash_completion
	COMP_WORDS=("$@")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_LINE="${COMP_WORDS[*]}"
	COMP_POINT=${#COMP_LINE}
	COMP_TYPE=9
	_completion_loader "$1" || :
	compopt() { :; }
	f=$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")
	"$f" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf "%s\n" "${COMPREPLY[@]}"' bash "$@" >"$out" 2>"$err"
}

in_fish() {
	env -i HOME="$HOME" PATH="$PATH" TERM=dumb \
	    XDG_DATA_DIRS="$share:/usr/share" fish -c \
	    "complete -C '$*'" >"$out.all" 2>"$err"
	cut -f1 "$out.all" >"$out"
}

# A real zsh on a terminal: type, press tab, look.
screen() {
	tmux -L comp capture-pane -p -t zsh >"$out"
	grep -q "$1" "$out"
}

in_zsh() {
	tmux -L comp send-keys -t zsh C-u C-l
	wait_for "an empty line" screen '^ready> *$'
	tmux -L comp send-keys -t zsh -l "$*"
	# The first fills in what all have in common, at both ends.
	tmux -L comp send-keys -t zsh Tab Tab
	wait_for "zsh offers something" screen "$want"
}

world_install
libexec=$(printf 'show:\n\t@echo $(pkglibexecdir)\n' |
	make -s -C "$BUILDDIR" -f Makefile -f - show)
share=$(printf 'show:\n\t@echo $(datadir)\n' |
	make -s -C "$BUILDDIR" -f Makefile -f - show)
[ -x "$libexec/sandbox-resolve" ] || fail "sandbox-resolve is not installed"
sandbox-proxy setup >/dev/null
sandboxctl create run-1234 >/dev/null
sandboxctl create run-5678 >/dev/null
check 0 "the list" sandbox-proxy hosts --refresh
names=(run-1234.sandbox run-5678.sandbox)

for shell in bash fish; do
	in_$shell ssh run-
	has "$shell: ssh" "${names[@]}"
	in_$shell scp run-
	has "$shell: scp" run-1234.sandbox: run-5678.sandbox:
	in_$shell sandbox-proxy doctor run-
	has "$shell: sandbox-proxy doctor" "${names[@]}"
	in_$shell sandbox-proxy ''
	has "$shell: sandbox-proxy" prepare connect print-config setup hosts doctor
	in_$shell sandbox-proxy hosts --
	has "$shell: sandbox-proxy hosts" --refresh --json
	in_$shell sandboxctl show run-
	has "$shell: sandboxctl show" run-1234 run-5678
	in_$shell sandboxctl --config /x list --state st
	has "$shell: sandboxctl list --state" starting stopping stopped
	in_$shell sandboxd --
	has "$shell: sandboxd" --config --daemon --stop
	in_$shell sandboxd --config /etc/pass
	has "$shell: sandboxd --config" /etc/passwd
	in_$shell sandbox-cert ''
	has "$shell: sandbox-cert" ca-init issue verify revocations
	in_$shell sandbox-cert revocations ''
	has "$shell: sandbox-cert revocations" sign show
	in_$shell sandbox-cert show /etc/pass
	has "$shell: sandbox-cert show" /etc/passwd
done

cat >"$HOME/.zshrc" <<END
PROMPT='ready> '
fpath=($share/zsh/site-functions \$fpath)
autoload -Uz compinit
compinit -u
zstyle ':completion:*' menu no
setopt no_list_beep list_rows_first
LISTMAX=0
END
tmux -L comp -f /dev/null new-session -d -s zsh -x 120 -y 40 zsh
wait_for "a prompt" screen '^ready>'
want='run-5678'
in_zsh ssh run-
has "zsh: ssh" "${names[@]}"
in_zsh scp run-
has "zsh: scp" "${names[@]}"
in_zsh sandbox-proxy doctor run-
has "zsh: sandbox-proxy doctor" "${names[@]}"
in_zsh sandboxctl show run-
has "zsh: sandboxctl show" run-1234 run-5678
want=stopping
in_zsh sandboxctl --config /x list --state st
has "zsh: sandboxctl list --state" starting stopping stopped
want=daemon
in_zsh sandboxd --
has "zsh: sandboxd" --config --daemon --stop
want=revocations
in_zsh 'sandbox-cert '
has "zsh: sandbox-cert" ca-init issue verify revocations
want=doctor
in_zsh 'sandbox-proxy '
has "zsh: sandbox-proxy" prepare connect print-config setup hosts doctor
want=refresh
in_zsh 'sandbox-proxy hosts --'
has "zsh: sandbox-proxy hosts" --refresh --json
tmux -L comp kill-server
sandboxctl kill run-1234
sandboxctl kill run-5678
done_testing
