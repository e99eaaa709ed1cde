/* SPDX-License-Identifier: ISC */
#include "ctl/ctl.h"

const struct command ctl_commands[] = {
	{ "create", "[options] [ID]", "make a sandbox and start it",
	    ctl_create },
	{ "run", "[options] [ID] -- COMMAND...",
	    "make one, run a command in it, remove it", ctl_run },
	{ "list", "[options]", "what sandboxes there are", ctl_list },
	{ "show", "[options] ID", "one sandbox in full", ctl_show },
	{ "ssh", "[options] ID [COMMAND...]", "run ssh in it", ctl_ssh },
	{ "exec", "[options] ID COMMAND...", "run a command in its workspace",
	    ctl_exec },
	{ "cp", "[options] SOURCE... TARGET", "copy files, as scp(1) does",
	    ctl_cp },
	{ "open", "[options] ID", "open its workspace in an editor", ctl_edit },
	{ "start", "[options] ID", "start it, wait until it runs", ctl_start },
	{ "stop", "[options] ID", "end its processes, keep its home",
	    ctl_stop },
	{ "extend", "[options] ID", "end it later", ctl_extend },
	{ "share", "[options] ID", "let others of this machine use it",
	    ctl_share },
	{ "unshare", "[options] ID", "let them no more, end their sessions",
	    ctl_unshare },
	{ "kill", "[options] ID...",
	    "remove them with their files, revoke their certificates",
	    ctl_kill },
	{ "events", "[options] [ID]", "what happened, and because of what",
	    ctl_events },
};

const size_t ctl_command_count = sizeof(ctl_commands) / sizeof(ctl_commands[0]);
