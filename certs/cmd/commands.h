/* SPDX-License-Identifier: ISC */
/*
 * The verbs of sandbox-cert, one file each (cmd_VERB.c).  Each parses its
 * own command line and returns the exit status.
 */
#ifndef SBX_CERTS_COMMANDS_H
#define SBX_CERTS_COMMANDS_H

int cmd_ca_init(int argc, char **argv);
int cmd_ca_line(int argc, char **argv);
int cmd_ca_rotate(int argc, char **argv);
int cmd_issue(int argc, char **argv);
int cmd_revocations(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_verify(int argc, char **argv);

/* Of revocations, which has verbs of its own. */
int cmd_revocations_sign(int argc, char **argv);
int cmd_revocations_show(int argc, char **argv);

#endif
