/* SPDX-License-Identifier: ISC */
/*
 * With ControlPersist ssh gives its proxy command /dev/null for standard
 * error, so that a master in the background holds nobody's; a failure would
 * then be nothing but "proxy dialer did not pass back a connection".  While
 * we connect, we speak where ssh itself does.
 */
#ifndef SBX_VOICE_H
#define SBX_VOICE_H

#include <sys/types.h>

/*
 * If our standard error is /dev/null, and that of parent a terminal or a
 * pipe, take that one.  (Not a file: our lines and ssh's would overwrite
 * each other.)  Returns what voice_return needs; what cannot be done is left
 * as it is.
 */
int voice_borrow(pid_t parent);
/* Before anything that stays. */
void voice_return(int borrowed);

#endif
