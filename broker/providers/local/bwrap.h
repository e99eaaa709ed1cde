/* SPDX-License-Identifier: ISC */
/*
 * The command line of bubblewrap, bwrap(1), for a sandbox: what it sees of
 * the host, and what is copied into it.
 */
#ifndef SBX_LOCAL_BWRAP_H
#define SBX_LOCAL_BWRAP_H

#include <sys/types.h>

#include "broker/providers/local/stage.h"
#include "common/buf.h"

#define BWRAP_ARGS_MAX 320
#define BWRAP_FDS_MAX 32
#define BWRAP_TEXT_MAX 16384

struct bwrap {
	size_t argc;
	char *argv[BWRAP_ARGS_MAX + 1]; /* into words; set by bwrap_argv */
	size_t offset[BWRAP_ARGS_MAX];	/* of each in words */
	struct buf words;
	int fd[BWRAP_FDS_MAX]; /* to be inherited; those in own are ours */
	bool own[BWRAP_FDS_MAX];
	size_t fd_count;
	enum sbx_err err; /* sticky */
	struct sbx_why why;
};

/*
 * Namespaces, capabilities, what the stage holds, and on the host's root its
 * /usr.
 */
void bwrap_begin(struct bwrap *ret, const struct stage *stage);
void bwrap_free(struct bwrap *b);
#define cleanup_bwrap __attribute__((cleanup(bwrap_free)))

void bwrap_add(struct bwrap *b, const char *word);
void bwrap_add_three(
    struct bwrap *b, const char *option, const char *from, const char *to);
/* A descriptor that stays open across exec; and its number as a word. */
void bwrap_inherit(struct bwrap *b, int fd);
void bwrap_add_fd(struct bwrap *b, int fd);
/* A folder inside, owned by its root, as every folder above it must be. */
void bwrap_folder(struct bwrap *b, const char *mode, const char *path);
/* A file inside, owned by its root. */
void bwrap_text(
    struct bwrap *b, const char *mode, const char *path, struct view text);
/* The same, a copy of a file of the host. */
void bwrap_copy(
    struct bwrap *b, const char *mode, const char *path, const char *host_path);

/* The finished vector, or why it cannot be. */
enum sbx_err
bwrap_argv(struct bwrap *b, char *const **ret, struct sbx_why *why) MUST_USE;
/* In the child: let the descriptors through, then exec.  Exit status. */
int bwrap_exec(const struct bwrap *b);

#endif
