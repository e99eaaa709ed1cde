/*
 * The verbs of sandbox-cert, one file each (cmd_VERB.c).  Each parses its
 * own command line and returns the exit status.
 */
#ifndef SBX_CERTS_COMMANDS_H
#define SBX_CERTS_COMMANDS_H

int cmd_ca_init(int argc, char **argv);
int cmd_issue(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_verify(int argc, char **argv);

#endif
