/* SPDX-License-Identifier: ISC */
#include "ctl/inside.h"

#include <sodium.h>

#include "ctl/sshline.h"

#define GO "cd \"${SANDBOX_WORKSPACE:-$HOME/workspace}\" 2>/dev/null || cd"

/* exec: the login shell, which the session belongs to, becomes this one. */
static void
put_script(
    const char *script, const char *first, char *const *rest, struct buf *ret)
{
	buf_put_text(ret, "exec sh -c ");
	sshline_quote(script, ret);
	buf_put_text(ret, " sandboxctl");
	if (first != NULL) {
		buf_put_text(ret, " ");
		sshline_quote(first, ret);
	}
	for (; rest != NULL && *rest != NULL; rest++) {
		buf_put_text(ret, " ");
		sshline_quote(*rest, ret);
	}
}

void
inside_exec(char *const *command, struct buf *ret)
{
	put_script(GO "; exec \"$@\"", NULL, command, ret);
}

/*
 * A signal comes to all of the session; this shell notes it and waits on, to
 * tell how the command ended.  What it would say of that goes nowhere.
 */
void
inside_run(const char *mark, char *const *command, struct buf *ret)
{
	put_script(GO
	    "; f=$1; shift; echo $$ >\"$f\"; exec 3>&2 2>/dev/null; "
	    "trap : HUP INT QUIT TERM; (exec \"$@\") 2>&3 3>&-; s=$?; "
	    "rm -f \"$f\"; exit $s",
	    mark, command, ret);
}

void
inside_signal(const char *mark, const char *signal, struct buf *ret)
{
	char *const rest[] = { (char *)(uintptr_t)signal, NULL };

	put_script("n=0; until [ -s \"$1\" ] || [ $n = 50 ]; do n=$((n + 1)); "
		   "sleep 0.1; done; kill -s \"$2\" -- -\"$(cat \"$1\")\"",
	    mark, rest, ret);
}

void
inside_new_mark(char ret[static INSIDE_MARK_LEN])
{
	(void)snprintf(ret, INSIDE_MARK_LEN, "/tmp/.sandboxctl-%08x%08x",
	    randombytes_random(), randombytes_random());
}

void
inside_unpack(struct buf *ret)
{
	put_script(GO "; exec tar -xpof -", NULL, NULL, ret);
}

void
inside_workspace(struct buf *ret)
{
	put_script(GO "; pwd", NULL, NULL, ret);
}
