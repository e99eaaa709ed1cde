#!/bin/sh
# SPDX-License-Identifier: ISC
# Dependencies point downward only (ARCHITECTURE.md): looked up in the object
# files, in the #include lines and in the programs that were built.
. "$(dirname "$0")/check.sh"

need nm binutils
need readelf binutils

# What may use what, room by room (ARCHITECTURE.md has the map): the first row
# whose pattern fits the file counts. The words after it are what it may use;
# ROOM/* are the files of that folder alone, not of those below it.
allowed_edges() {
	cat <<-'END'
	common/*		common/*
	certs/cmd/verify*	common/* certs/* certs/cmd/* authkeys/*
	certs/cmd/*		common/* certs/* certs/cmd/*
	certs/*			common/* certs/*
	authkeys/*		common/* certs/* authkeys/*
	net/*			common/* net/*
	proxycmd/dial/*		common/* certs/* net/settings.* proxycmd/dial/*
	proxycmd/main*		common/* certs/* net/settings.* proxycmd/* proxycmd/dial/* proxycmd/setup/* proxycmd/doctor/*
	proxycmd/*		common/* certs/* net/settings.* proxycmd/* proxycmd/dial/*
	proxycmd/setup/*	common/* proxycmd/* proxycmd/setup/*
	proxycmd/doctor/*	common/* certs/* net/settings.* proxycmd/* proxycmd/dial/* proxycmd/setup/* proxycmd/doctor/*
	proxycmd/relay/*	common/* net/* proxycmd/dial/* proxycmd/relay/*
	proxycmd/resolve/*	common/* certs/* net/* proxycmd/* proxycmd/dial/* proxycmd/relay/* proxycmd/resolve/*
	broker/main*		common/* broker/supervisor.* broker/settings.* broker/probe.* broker/process.* broker/manager.* broker/fresh.* broker/premises.*
	broker/supervisor*	common/* broker/manager.* broker/supervisor.* broker/role.* broker/settings.* broker/premises.* broker/process.* broker/helper/helper.*
	broker/role*		common/* certs/* broker/providers/provider.* broker/role.* broker/serve.* broker/settings.* broker/process.* broker/helper/*
	broker/serve*		common/* broker/serve.* broker/settings.* broker/thread.* broker/gather.* broker/process.* broker/front/* broker/life/* broker/store/* broker/helper/signer.*
	broker/settings*	common/* certs/* broker/settings.* broker/providers/provider.*
	broker/premises*	common/* certs/* broker/premises.* broker/settings.*
	broker/*		common/* broker/probe.* broker/process.* broker/thread.* broker/gather.* broker/manager.* broker/fresh.*
	broker/front/*		common/* certs/* broker/providers/provider.* net/reply.* broker/settings.* broker/thread.* broker/gather.* broker/front/* broker/life/* broker/store/* broker/helper/*
	broker/life/*		common/* certs/* broker/settings.* broker/thread.* broker/gather.* broker/life/* broker/store/* broker/helper/* broker/providers/provider.*
	broker/store/*		common/* broker/gather.* broker/store/* broker/providers/provider.*
	broker/helper/*		common/* certs/* broker/gather.* broker/helper/* broker/providers/provider.*
	broker/providers/*	common/* certs/key.* net/api.* net/http.* net/reply.* net/token.* broker/providers/* broker/providers/local/local.*
	broker/providers/local/*	common/* certs/* broker/providers/provider.* broker/providers/local/*
	ctl/*			common/* net/* ctl/*
	init/*			common/* init/*
	kit/*			kit/*
	unpack/*		common/* unpack/*
	END
}

folders='common certs authkeys net proxycmd broker ctl init kit unpack'

# Programs and what they must not load; "static" means nothing at all.
program_rules() {
	cat <<-'END'
	sandbox-proxy		libcurl libjson-c libsqlite3 libmicrohttpd libssl libcrypto libwslay
	sandbox-resolve		libsqlite3 libmicrohttpd
	sandbox-relay		libjson-c libsqlite3 libmicrohttpd
	sandbox-cert		libcurl libjson-c libsqlite3 libmicrohttpd
	sandboxctl		libsqlite3 libmicrohttpd
	sandbox-unpack		libcurl libjson-c libsqlite3 libmicrohttpd
	sandbox-authkeys	static
	sandbox-init		static
	END
}

# The path of a program in the build tree.
: "${PROGRAMS:?run this with make check}"
path_of() {
	for path in $PROGRAMS; do
		[ "$(basename "$path")" != "$1" ] || echo "$BUILDDIR/$path"
	done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fits FILE PATTERN...: a pattern does not reach into folders below its own.
fits() {
	file=$1
	shift
	for pattern; do
		[ "${file%/*}" = "${pattern%/*}" ] || continue
		# shellcheck disable=SC2254 # it is a pattern
		case $file in
		$pattern) return 0 ;;
		esac
	done
	return 1
}

# judge USER USED WHY: may the first file use the second?
judge() {
	while read -r pattern targets; do
		fits "$1" "$pattern" || continue
		set -f
		# shellcheck disable=SC2086 # words are wanted
		fits "$2" $targets || fail "$1 must not use $2 ($3)"
		set +f
		return
	done <"$work/edges"
	fail "$1 has no row in the table of allowed edges"
}

# --- sources, and the object each was compiled to
allowed_edges >"$work/edges"
for folder in $folders; do
	(cd "$SRCDIR" && find "$folder" -name '*.[ch]' | sort) >"$work/found"
	[ -s "$work/found" ] || fail "no sources in $folder"
	cat "$work/found" >>"$work/sources"
done

: >"$work/objects" # SOURCE OBJECT
while read -r source; do
	case $source in
	*.h) continue ;;
	esac
	folder=$(dirname "$source")
	name=$(basename "$source" .c)
	some=no
	case $source in
	kit/shim.c | kit/stubs.c) continue ;; # a shared object, made at once
	esac
	for object in "$BUILDDIR/$folder/$name.o" \
	    "$BUILDDIR/$folder"/*-"$name.o"; do
		[ -f "$object" ] || continue
		some=yes
		echo "$source $object" >>"$work/objects"
	done
	[ $some = yes ] || fail "$source was not compiled"
done <"$work/sources"

# --- the map for people has every room
map=$SRCDIR/ARCHITECTURE.md
sed 's|/[^/]*$||' "$work/sources" | sort -u >"$work/rooms"
while read -r room; do
	case $room in
	broker/providers/*) room=${room##*/} ;; # named beside their contract
	esac
	grep -qE "^    ($room/ |broker/providers/ .* $room/)" "$map" ||
	    fail "ARCHITECTURE.md has no room $room/"
done <"$work/rooms"
echo "$(wc -l <"$work/rooms") rooms"

# --- symbols
while read -r source object; do
	nm -g --defined-only "$object" |
	    awk -v s="$source" 'NF == 3 && $3 != "main" { print $3, s }'
done <"$work/objects" | sort -u >"$work/defined"
while read -r source object; do
	nm -u "$object" | awk -v s="$source" '{ print $2, s }'
done <"$work/objects" | sort -u >"$work/used"
# SYMBOL USER DEFINER, of symbols that are ours and cross a file
join "$work/used" "$work/defined" | awk '$2 != $3' >"$work/crossings"
crossings=$(wc -l <"$work/crossings")
awk '{ print $2, $3, $1 }' "$work/crossings" | sort -u -k1,2 >"$work/pairs"
while read -r user definer symbol; do
	judge "$user" "$definer" "it calls $symbol"
done <"$work/pairs"
echo "$(wc -l <"$work/objects") objects, $crossings references between them"
[ "$crossings" -ge 100 ] || fail "so few references cannot be all"

# --- libraries never log: whoever calls log_* is no member of an archive,
# but for common/opt and ctl, which is nothing but commands
archives=0
find "$BUILDDIR" -name '*.a' >"$work/archives"
while read -r archive; do
	case $archive in
	*/ctl/*) continue ;;
	esac
	archives=$((archives + 1))
	nm -A -u "$archive" 2>/dev/null |
	    grep -E ' log_(init|error|failure|program)$' |
	    grep -vE '/libcommon\.a:([^:]*-)?(opt|log)\.o:' >"$work/loggers" ||
	    continue
	fail "a library logs: $(cat "$work/loggers")"
done <"$work/archives"
echo "$archives archives"
[ "$archives" -ge 3 ] || fail "archives are missing"

# --- includes
includes=0
while read -r source; do
	sed -n 's/^#[[:blank:]]*include "\([^"]*\)".*/\1/p' "$SRCDIR/$source" \
	    >"$work/includes"
	while read -r header; do
		includes=$((includes + 1))
		case $header in
		*/*) judge "$source" "$header" "it includes it" ;;
		*) fail "$source includes $header without its folder" ;;
		esac
	done <"$work/includes"
done <"$work/sources"
echo "$includes includes"
[ "$includes" -ge 100 ] || fail "so few includes cannot be all"

# --- programs
needed() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

program_rules >"$work/programs"
while read -r program rules; do
	path=$(path_of "$program")
	if [ ! -f "${path:-/nonexistent}" ]; then
		fail "$program was not built"
		continue
	fi
	readelf -h "$path" >/dev/null 2>&1 || fail "$program is no ELF file"
	if [ "$rules" = static ]; then
		if [ "${SANITIZERS:-no}" = yes ]; then
			echo "$program: static only without sanitizers"
			continue
		fi
		[ -z "$(needed "$path")" ] || fail "$program loads" \
		    "$(needed "$path" | tr '\n' ' ')"
		if readelf -lW "$path" | grep -q INTERP; then
			fail "$program needs a dynamic loader"
		fi
		echo "$program: static"
		continue
	fi
	[ -n "$(needed "$path")" ] || fail "$program loads nothing at all?"
	for library in $rules; do
		if needed "$path" | grep -q "^$library"; then
			fail "$program loads $library"
		fi
	done
	echo "$program: loads none of $rules"
done <"$work/programs"

finish "$(wc -l <"$work/objects")" 40 "object files"
