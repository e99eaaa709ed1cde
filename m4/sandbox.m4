# SPDX-License-Identifier: ISC
# SBX_NEED(VARIABLE, PKG-CONFIG MODULE, DEBIAN PACKAGE)
# Look for a library; SBX_LIBRARIES names all that are missing at once.
AC_DEFUN([SBX_NEED], [
	PKG_CHECK_MODULES([$1], [$2], [], [
		sbx_missing="$sbx_missing $3"
	])
])

# SBX_NEED_LIBRARY(VARIABLE, LIBRARY, HEADER, FUNCTION, DEBIAN PACKAGE)
# The same for one that pkg-config does not know everywhere.
AC_DEFUN([SBX_NEED_LIBRARY], [
	AC_CHECK_HEADER([$3],
	    [AC_CHECK_LIB([$2], [$4], [$1_LIBS=-l$2],
		[sbx_missing="$sbx_missing $5"])],
	    [sbx_missing="$sbx_missing $5"])
	AC_SUBST([$1_LIBS])
])

AC_DEFUN([SBX_LIBRARIES], [
	sbx_missing=
	SBX_NEED([SODIUM], [libsodium >= 1.0.18], [libsodium-dev])
	SBX_NEED([INIH], [inih], [libinih-dev])
	SBX_NEED([CURL], [libcurl >= 7.80], [libcurl4-openssl-dev])
	SBX_NEED([OPENSSL], [openssl >= 3.0], [libssl-dev])
	SBX_NEED_LIBRARY([WSLAY], [wslay], [wslay/wslay.h],
	    [wslay_event_context_client_init], [libwslay-dev])
	SBX_NEED([JSONC], [json-c >= 0.15], [libjson-c-dev])
	SBX_NEED([MICROHTTPD], [libmicrohttpd >= 0.9.72], [libmicrohttpd-dev])
	SBX_NEED([ACL], [libacl >= 2.3], [libacl1-dev])
	SBX_NEED([SQLITE], [sqlite3 >= 3.35], [libsqlite3-dev])
	SBX_NEED([ARCHIVE], [libarchive >= 3.4], [libarchive-dev])
	SBX_NEED([CMOCKA], [cmocka >= 1.1.5], [libcmocka-dev])
	AS_IF([test -n "$sbx_missing"], [
		AC_MSG_ERROR([libraries are missing; on Debian: apt-get install$sbx_missing])
	])
	# Only a test is built with it.
	PKG_CHECK_MODULES([LIBSSH], [libssh >= 0.10], [sbx_libssh=yes],
	    [sbx_libssh=no])
	AM_CONDITIONAL([LIBSSH], [test $sbx_libssh = yes])
	# libinih is small and has no ABI promise worth a run-time dependency;
	# the login path must load nothing anyway.
	INIH_LIBS='-l:libinih.a'
	AC_SUBST([INIH_LIBS])
	# Debian's has its limits as variables; elsewhere lines end at 200 bytes.
	AC_CHECK_DECLS([ini_max_line], [], [], [[#include <ini.h>]])
])

# Programs used at run time or by the checks.  Only their paths are recorded:
# a missing one is named by whoever needs it.
AC_DEFUN([SBX_PROGRAMS], [
	AC_PATH_PROG([SSHD], [sshd], [/usr/sbin/sshd], [$PATH:/usr/sbin:/sbin])
	AC_PATH_PROG([BWRAP], [bwrap], [/usr/bin/bwrap])
	AC_PATH_PROG([PASTA], [pasta], [/usr/bin/pasta])
	AC_PATH_PROG([NFT], [nft], [/usr/sbin/nft], [$PATH:/usr/sbin:/sbin])
	AC_PATH_PROG([MANDOC], [mandoc], [mandoc])
	AC_PATH_PROG([CLANG_FORMAT], [clang-format], [clang-format])
	AC_DEFINE_UNQUOTED([SSHD_PATH], ["$SSHD"], [OpenSSH server])
	AC_DEFINE_UNQUOTED([BWRAP_PATH], ["$BWRAP"], [bubblewrap])
	AC_DEFINE_UNQUOTED([PASTA_PATH], ["$PASTA"], [pasta, of passt])
	AC_DEFINE_UNQUOTED([NFT_PATH], ["$NFT"], [nftables])
])

# SBX_TRY_CFLAGS(FLAG...): add those that the compiler takes to SBX_CFLAGS.
AC_DEFUN([SBX_TRY_CFLAGS], [
	for flag in $1; do
		AC_MSG_CHECKING([whether $CC takes $flag])
		sbx_saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		    [SBX_CFLAGS="$SBX_CFLAGS $flag"; AC_MSG_RESULT([yes])],
		    [AC_MSG_RESULT([no])])
		CFLAGS=$sbx_saved
	done
])

# The highest level of _FORTIFY_SOURCE that compiler and C library know: the
# library warns about one that it does not.
AC_DEFUN([SBX_FORTIFY], [
	AC_MSG_CHECKING([for _FORTIFY_SOURCE=3])
	sbx_fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
	sbx_saved=$CFLAGS
	CFLAGS="-O2 -Werror $sbx_fortify"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <string.h>
	    ]], [])],
	    [AC_MSG_RESULT([yes])],
	    [sbx_fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
	     AC_MSG_RESULT([no])])
	CFLAGS=$sbx_saved
])

AC_DEFUN([SBX_COMPILER], [
	AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers],
	    [build with AddressSanitizer and UndefinedBehaviorSanitizer])])
	AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers],
	    [build the libFuzzer targets (needs CC=clang)])])
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror],
	    [treat compiler warnings as errors])])

	SBX_CFLAGS="-std=gnu11"
	SBX_LDFLAGS=
	SBX_TRY_CFLAGS([-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion dnl
	    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 dnl
	    -Wpointer-arith -Wwrite-strings -fno-strict-aliasing dnl
	    -fstack-protector-strong -fstack-clash-protection])
	AS_IF([test "x$enable_werror" = xyes],
	    [SBX_CFLAGS="$SBX_CFLAGS -Werror"])
	AS_IF([test "x$enable_sanitizers" = xyes], [
		SBX_CFLAGS="$SBX_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
		SBX_LDFLAGS="$SBX_LDFLAGS -fsanitize=address,undefined"
	], [
		SBX_FORTIFY
		SBX_TRY_CFLAGS([-fcf-protection -ftrivial-auto-var-init=zero])
		SBX_CFLAGS="$SBX_CFLAGS $sbx_fortify -fPIE"
		SBX_LDFLAGS="$SBX_LDFLAGS -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
	])
	# Sanitizers cannot be linked statically.
	AS_IF([test "x$enable_sanitizers" = xyes],
	    [STATIC_LDFLAGS=; PIE_LDFLAGS=],
	    [STATIC_LDFLAGS=-static-pie; PIE_LDFLAGS=-pie])
	AS_IF([test "x$enable_fuzzers" = xyes], [
		AC_MSG_CHECKING([whether $CC has libFuzzer])
		sbx_saved=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		    [AC_MSG_RESULT([yes])],
		    [AC_MSG_RESULT([no])
		     AC_MSG_ERROR([--enable-fuzzers needs clang: ./configure CC=clang --enable-fuzzers; on Debian: apt-get install clang])])
		CFLAGS=$sbx_saved
		SBX_CFLAGS="$SBX_CFLAGS -fsanitize=fuzzer-no-link"
	])
	AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
	AC_SUBST([SBX_CFLAGS])
	AC_SUBST([SBX_LDFLAGS])
	AC_SUBST([PIE_LDFLAGS])
	AC_SUBST([STATIC_LDFLAGS])
])

# SBX_UNIT_DIR(VARIABLE, WHAT, DEFAULT, EXAMPLE): where systemd's units of a
# kind go.  Into systemd's own folders only when asked to: they lie outside the
# prefix, which breaks installs below a home folder.
AC_DEFUN([SBX_UNIT_DIR], [
	AC_ARG_WITH([$1],
	    [AS_HELP_STRING([--with-$1=DIR],
		[$2 units (yes: ask systemd; default PREFIX/share/sandbox-ssh/$3)])],
	    [], [with_$1=no])
	AS_CASE([$with_$1],
	    [yes], [
		PKG_CHECK_VAR([sbx_$1], [systemd], [$1], [$1=$sbx_$1],
		    [AC_MSG_ERROR([pkg-config does not know systemd; name the folder: --with-$1=$4])])],
	    [no], [$1='${datadir}/sandbox-ssh/$3'],
	    [/*], [$1=$with_$1],
	    [AC_MSG_ERROR([--with-$1=$with_$1 is neither yes, no nor an absolute path])])
	AC_SUBST([$1])
])

AC_DEFUN([SBX_SYSTEMD], [
	SBX_UNIT_DIR([systemdsystemunitdir], [system], [systemd],
	    [/lib/systemd/system])
	SBX_UNIT_DIR([systemduserunitdir], [user], [systemd/user],
	    [/usr/lib/systemd/user])
])
