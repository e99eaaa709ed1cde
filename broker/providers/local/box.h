/* SPDX-License-Identifier: ISC */
/*
 * The folder of one sandbox, STATE/sandboxes/ID:
 *
 *   isolation   "namespaces" or "none"
 *   slot        with namespaces: number, first uid, first gid
 *   spec        "issued_after N owner UID incarnation N ephemeral 0|1"
 *   host_key    private key, OpenSSH's format
 *   home/       with namespaces: of the account that logs in, with its
 *               workspace in it; home.new/ while that is made (home.h)
 *   workspace/  without: its workspace.  With: of one that has not been
 *               started since there are homes
 *   root_from   if it has a root of its own: the path of that
 *   root/       of a tar: what was in it
 *   network     if it has one: where it may connect to, a line each
 *   gate/       with namespaces: what its login gate remembers, and owns
 *   report/     what it tells us: "refused", of its login gate
 *               (common/refusal.h); "full" and "workspace", of process 1
 *               (sandbox-init(8))
 *   control     while it runs: the socket of control.h
 *   limits      while it runs: what it is held to, and its groups (apart.h)
 *   init        while it runs: process 1, and what waits for it
 */
#ifndef SBX_LOCAL_BOX_H
#define SBX_LOCAL_BOX_H

#include <sys/types.h>

#include "broker/providers/local/ids.h"
#include "broker/providers/local/process.h"
#include "certs/keyfile.h"
#include "common/refusal.h"

#define BOX_HOME "home"
#define BOX_HOME_NEW "home.new"
#define BOX_WORKSPACE "workspace"
#define BOX_ROOT "root"
#define BOX_GATE "gate"
#define BOX_REPORT "report"
#define BOX_USAGE "workspace" /* what the home takes */
#define BOX_REFUSED "refused"
#define BOX_FULL "full"

/* Those that belong to an account of the sandbox, and its group. */
struct box_folder {
	const char *name;
	mode_t mode;
	uid_t owner;
};
#define BOX_FOLDERS 2
extern const struct box_folder box_folders[BOX_FOLDERS];
/* All that accounts of the sandbox can have put files into; ends with NULL. */
extern const char *const box_trees[];

struct box {
	char id[NAME_ID_MAX + 1];
	int dir;
	enum isolation isolation;
	uint64_t issued_after;
	uint64_t owner;		  /* uid of who may connect */
	uint64_t incarnation;	  /* 0: made before there were any */
	bool ephemeral;		  /* a stop leaves nothing */
	struct local_slice slice; /* with namespaces */
	struct provider_network network;
	char root[PATHS_MAX]; /* where its own is from; "": the host's */
};

#define BOX_INIT ((struct box){ .dir = -1 })

/* The folders that all sandboxes share. */
struct shelf {
	int boxes; /* STATE/sandboxes */
	int slots; /* STATE/slots */
};

#define SHELF_INIT ((struct shelf){ -1, -1 })

/* make: whatever does not exist yet; otherwise it is SBX_NOT_FOUND. */
enum sbx_err shelf_open(const struct provider_context *context, bool make,
    struct shelf *ret, struct sbx_why *why) MUST_USE;
void shelf_close(struct shelf *shelf);
#define cleanup_shelf __attribute__((cleanup(shelf_close)))

/* SBX_NOT_FOUND if there is no such sandbox. */
enum sbx_err box_open(const struct provider_context *context, const char *id,
    struct box *ret, struct sbx_why *why) MUST_USE;
void box_close(struct box *box);
#define cleanup_box __attribute__((cleanup(box_close)))

/* Write all the small files of a new one, a fresh host key too. */
enum sbx_err box_write(const struct box *box, struct sbx_why *why) MUST_USE;
/* Its slice, of a folder that may be incomplete. */
enum sbx_err
box_read_slice(int dir, struct local_slice *ret, struct sbx_why *why) MUST_USE;
enum sbx_err box_write_slice(
    int dir, const struct local_slice *slice, struct sbx_why *why) MUST_USE;

/* The host key file's text, which is a secret, and the pair in it. */
enum sbx_err box_host_key(const struct box *box, struct buf *ret_text,
    struct keypair *ret, struct sbx_why *why) MUST_USE;

/* What its gate refused last, by its own account; SBX_OK in it: nothing. */
struct refusal box_refusal(const struct box *box) MUST_USE;
/* How many connections it has, if that is the limit, by its account; else 0. */
uint32_t box_full(const struct box *box) MUST_USE;

/* The processes of a running one. */
enum { BOX_PROCESS_1, BOX_PROCESS_MONITOR, BOX_PROCESSES };

/* Those that are recorded and alive; others get pid 0. */
void box_processes(const struct box *box, struct process ret[BOX_PROCESSES]);
/* Record them; those with pid 0 are left out. */
enum sbx_err box_put_processes(const struct box *box,
    const struct process process[BOX_PROCESSES], struct sbx_why *why) MUST_USE;
void box_forget_processes(const struct box *box);

#endif
