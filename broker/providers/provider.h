/* SPDX-License-Identifier: ISC */
/*
 * A platform that sandboxes run on: one file a platform, one vtable.
 *
 * Providers run in sandboxd's provider process, every call in a child of its
 * own, so they may block, and a crash takes one call with it.  They keep
 * what they need in their own folder of the state; the broker's database is
 * not theirs to see.  Ids come in already parsed (name_is_id), and calls
 * for one id never overlap.
 */
#ifndef SBX_PROVIDER_H
#define SBX_PROVIDER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/refusal.h"
#include "common/field.h"
#include "common/name.h"
#include "common/paths.h"

#define PROVIDER_LINE 512
#define PROVIDER_CAS 4096
#define PROVIDER_HOST_KEYS 4
#define PROVIDER_ENDPOINTS 8
#define PROVIDER_FULL_MAX 65535
#define PROVIDER_USER_LEN 256 /* a token may be a user name */
#define PROVIDER_KEY_LEN 4096 /* of a platform; a JWT is long */
#define PROVIDER_REASON_LEN 256
#define PROVIDERS_MAX 8

enum isolation {
	ISOLATION_NONE, /* no more than a process of the host */
	ISOLATION_NAMESPACES,
	ISOLATION_PLATFORM, /* as the platform has it, which is not here */
	ISOLATION_COUNT
};

enum provider_state {
	PROVIDER_GONE, /* no such sandbox here */
	PROVIDER_STOPPED,
	PROVIDER_RUNNING,
	PROVIDER_STARTING,
	PROVIDER_STOPPING,
	PROVIDER_FAILED,
	PROVIDER_STATES
};

#define STORE_LABELS_MAX 16
#define STORE_LABEL_KEY_MAX 63
#define STORE_LABEL_VALUE_MAX 255

struct label {
	char key[STORE_LABEL_KEY_MAX + 1];
	char value[STORE_LABEL_VALUE_MAX + 1];
};

/* Bytes, or a share of something that only whoever uses it knows. */
struct amount {
	uint64_t bytes;
	unsigned percent; /* not 0: instead of bytes */
};

/* What one local sandbox may take. */
struct local_limits {
	uint64_t processes;   /* and threads */
	uint64_t ptys;	      /* terminals */
	struct amount memory; /* of the machine's */
	uint64_t tmpfs; /* each file system in memory: percent of memory */
	struct amount workspace; /* of its file system */
};

/* Where the key to a platform comes from; "" where it does not. */
struct key_source {
	char file[FIELD_TEXT];
	char command[FIELD_TEXT];
	char credential[FIELD_TEXT]; /* of systemd's */
};

struct daytona_settings {
	struct key_source key;
	char api_url[FIELD_TEXT];
	char organization[FIELD_TEXT]; /* "": the key is no JWT */
	char ca_file[FIELD_TEXT];      /* "": the system's */
	char host_key[FIELD_TEXT];     /* lines, with commas between */
	char label[FIELD_TEXT];	       /* "": names and ids only */
	char snapshot[FIELD_TEXT];
	char target[FIELD_TEXT];
	uint64_t auto_stop; /* seconds */
	uint64_t token_ttl; /* seconds */
};

/* What sandboxd was configured with, as far as providers need it. */
struct provider_context {
	char state_dir[PATHS_MAX];   /* "/var/lib/sandbox-ssh" */
	char runtime_dir[PATHS_MAX]; /* "/run/sandbox-ssh" */
	char libexec_dir[PATHS_MAX]; /* sandbox-init, sandbox-authkeys */
	char config_file[PATHS_MAX]; /* in advice: where settings stand */
	char sandboxd[PATHS_MAX];    /* the same: the program */
	char ca_lines[PROVIDER_CAS]; /* "ssh-ed25519 BASE64 ...\n", each */
	int isolation_wanted;	     /* enum isolation_wanted */
	uint64_t uid_range_start;    /* as root; 0: from /etc/subuid */
	uint64_t uid_range_count;
	uint64_t machine_range_start; /* that of root's sandboxd */
	uint64_t machine_range_count;
	struct local_limits limits;
	int start_in; /* enum start_in */
	struct daytona_settings daytona;
	char credentials_dir[PATHS_MAX]; /* systemd's; "": none */
	/* Of the platform, in its own process only; why there is none. */
	char key[PROVIDER_KEY_LEN];
	struct sbx_why no_key;
};

/* Setting `start_in`: where sessions of a local sandbox start. */
enum start_in {
	START_IN_HOME,
	START_IN_WORKSPACE,
};

/* Setting `isolation`: auto probes once per creation. */
enum isolation_wanted {
	ISOLATION_WANT_AUTO,
	ISOLATION_WANT_NAMESPACES,
	ISOLATION_WANT_NONE,
};

/* The network of a sandbox; all of it with no line in allow. */
#define PROVIDER_ALLOW_MAX 64
#define PROVIDER_ALLOW_LEN 64

struct provider_network {
	bool full; /* otherwise its own loopback only */
	size_t allow_count;
	char allow[PROVIDER_ALLOW_MAX][PROVIDER_ALLOW_LEN]; /* see rules.h */
};

struct provider_spec {
	char id[NAME_ID_MAX + 1];
	uint64_t issued_after; /* for the gate */
	uint64_t incarnation;  /* which of all that had this id */
	uint64_t owner;	       /* uid of who may reach it, besides root */
	bool ephemeral;	       /* a stop leaves nothing of its files */
	char root[PATHS_MAX];  /* folder or tar of its own root; "": none */
	struct provider_network network;
	uint64_t lifetime; /* seconds until it is to go; 0: none */
	size_t label_count;
	struct label label[STORE_LABELS_MAX];
};

/* Who may reach it besides root and its owner: users and groups. */
#define PROVIDER_AUDIENCE_MAX 64
struct provider_audience {
	size_t count;
	struct provider_member {
		bool group;
		uint32_t id;
	} member[PROVIDER_AUDIENCE_MAX];
};

struct provider_status {
	enum provider_state state;
	enum isolation isolation;
	struct refusal refusal; /* its gate's last; set by inspect, if known */
	uint32_t full; /* the same: connections, if that is the limit; or 0 */
	bool ephemeral;
	char root[PATHS_MAX];
	bool network;			  /* it has one, */
	bool limited;			  /* to some destinations */
	char reason[PROVIDER_REASON_LEN]; /* of a failure, if known */
};

/* A sandbox that a platform has. */
struct provider_found {
	char id[NAME_ID_MAX + 1]; /* what we call it: its name, if it can be */
	uint64_t incarnation;
	uint64_t created_at;
	struct provider_status status;
	size_t label_count; /* those that can be labels here */
	struct label label[STORE_LABELS_MAX];
};

#define PROVIDER_CURSOR_LEN 1024
#define PROVIDER_PAGE 40

struct provider_page {
	size_t count;
	struct provider_found found[PROVIDER_PAGE];
	char next[PROVIDER_CURSOR_LEN]; /* "": this is the last one */
};

/*
 * May this user have a sandbox of this isolation from a broker that runs as
 * own_uid?  Without namespaces it is a process of the broker's account, a
 * root shell where that is root: for root and for whose broker it is.
 * SBX_REFUSED.
 */
enum sbx_err isolation_permit(enum isolation isolation, uint64_t uid,
    uid_t own_uid, int wanted, struct sbx_why *why) MUST_USE;

/* How a limit holds. */
enum limited {
	LIMITED_NOT,	  /* it cannot be had here */
	LIMITED_EXACTLY,  /* by the kernel */
	LIMITED_EACH,	  /* by the kernel, for each process by itself */
	LIMITED_MEASURED, /* by looking now and then */
	LIMITED_COUNT
};

/* value, name in the API */
#define PROVIDER_RESOURCES(X)     \
	X(PROCESSES, "processes") \
	X(MEMORY, "memory")       \
	X(TMPFS, "tmpfs")         \
	X(PTYS, "ptys")           \
	X(WORKSPACE, "workspace") \
	X(FILES, "workspace_files")

enum provider_resource {
#define PROVIDER_RESOURCE_ENUM(value, name) RESOURCE_##value,
	PROVIDER_RESOURCES(PROVIDER_RESOURCE_ENUM)
#undef PROVIDER_RESOURCE_ENUM
	    RESOURCE_COUNT
};

/* What one sandbox may take and takes; bytes where it is no number. */
struct provider_limit {
	bool known; /* otherwise there is nothing to say of it */
	enum limited by;
	uint64_t max;
	uint64_t used; /* PROVIDER_UNKNOWN */
};
#define PROVIDER_UNKNOWN UINT64_MAX

struct provider_usage {
	struct provider_limit of[RESOURCE_COUNT];
};

#define PROVIDER_SESSIONS 128

/* Somebody who is logged in, by what the sandbox says; "" is not known. */
struct provider_session {
	uint64_t age;	 /* seconds */
	uint64_t idle;	 /* of its terminals, seconds; or PROVIDER_UNKNOWN */
	uint64_t serial; /* of the certificate; 0: not known */
	char key_id[160];
	char terminals[128]; /* "pts/0,pts/1" */
	char from[64];	     /* numeric address */
};

struct provider_sessions {
	bool known;    /* otherwise nobody can say who is there */
	uint64_t idle; /* seconds that nobody has been there; 0: somebody is */
	size_t count;
	struct provider_session of[PROVIDER_SESSIONS];
};

#define PROVIDER_TEXT 512
#define PROVIDER_QUIT 1

/* How to get in. */
struct provider_access {
	char user[PROVIDER_USER_LEN];
	/*
	 * 0: our certificate is what opens.  Otherwise it is user, which is
	 * a secret, until then.
	 */
	uint64_t expires_at;
	size_t host_key_count;
	char host_key[PROVIDER_HOST_KEYS][PROVIDER_LINE]; /* TYPE BASE64 */
	size_t endpoint_count;
	char endpoint[PROVIDER_ENDPOINTS][PROVIDER_LINE]; /* unix:/... */
};

struct provider {
	const char *name;
	/* What ssh does elsewhere and cannot do there; ends with NULL. */
	const char *const *lacks;
	/*
	 * NULL: it is of this machine and needs nothing.  Otherwise it has a
	 * process of its own, with the key, if there is a source of one.
	 */
	const struct key_source *(*key)(const struct provider_context *);
	/* Make it, not yet running.  SBX_EXISTS; nothing is left on failure. */
	enum sbx_err (*create)(const struct provider_context *,
	    const struct provider_spec *, struct provider_status *ret,
	    struct sbx_why *);
	/*
	 * Returns when ssh can connect.  One that runs already is looked at,
	 * and what keeps ssh out of it repaired where that can be.
	 */
	enum sbx_err (*start)(const struct provider_context *, const char *id,
	    const struct provider_audience *, struct sbx_why *);
	/*
	 * From now on these may reach one that runs.  end: connections of
	 * anybody else have ended when it returns, with the processes that they
	 * started.  Not running: SBX_OK.  NULL: it is not for others.
	 */
	enum sbx_err (*admit)(const struct provider_context *, const char *id,
	    const struct provider_audience *, bool end, struct sbx_why *);
	/*
	 * Its processes are asked to end, and need not be asked again: those
	 * that resist are ended within PROVIDER_QUIT seconds.  Does not wait
	 * for it; a stop follows.  NULL: a stop does all of it.
	 */
	enum sbx_err (*quit)(
	    const struct provider_context *, const char *id, struct sbx_why *);
	/* Its processes end, its files stay.  Stopped already: SBX_OK. */
	enum sbx_err (*stop)(
	    const struct provider_context *, const char *id, struct sbx_why *);
	/* Processes and files are gone.  Gone already: SBX_OK. */
	enum sbx_err (*kill)(
	    const struct provider_context *, const char *id, struct sbx_why *);
	enum sbx_err (*inspect)(const struct provider_context *, const char *id,
	    struct provider_status *ret, struct sbx_why *);
	/* NULL: it says nothing of that. */
	enum sbx_err (*usage)(const struct provider_context *, const char *id,
	    struct provider_usage *ret, struct sbx_why *);
	/* NULL: nobody can say. */
	enum sbx_err (*sessions)(const struct provider_context *,
	    const char *id, struct provider_sessions *ret, struct sbx_why *);
	/*
	 * A text of less than PROVIDER_TEXT bytes on the terminals of all who
	 * are there; NULL: they cannot be reached.
	 */
	enum sbx_err (*tell)(const struct provider_context *, const char *id,
	    const char *text, struct sbx_why *);
	/* refused: a user that did not get in, not to be given again; "". */
	enum sbx_err (*credentials)(const struct provider_context *,
	    const char *id, const char *refused, struct provider_access *ret,
	    struct sbx_why *);
	/*
	 * Of platforms, where sandboxes come and go by others' hands; both
	 * NULL elsewhere.  adopt: the one that has this id, name or label,
	 * which the calls above then mean by id.  SBX_NOT_FOUND; SBX_STATE when
	 * several have.  list: a page of all, from a cursor, "" at first.
	 */
	enum sbx_err (*adopt)(const struct provider_context *, const char *id,
	    struct provider_found *ret, struct sbx_why *);
	enum sbx_err (*list)(const struct provider_context *,
	    const char *cursor, struct provider_page *ret, struct sbx_why *);
	/* The platform is to remove it so many seconds from now; or NULL. */
	enum sbx_err (*set_end)(const struct provider_context *, const char *id,
	    uint64_t seconds, struct sbx_why *);
	/*
	 * A descriptor that becomes readable when what credentials told, and
	 * that it runs, may hold no longer; -1: there is none.  NULL: never.
	 */
	int (*watch)(const struct provider_context *, const char *id);
	/*
	 * Clear away what calls that were cut short have left; NULL: nothing
	 * ever is.  Other calls go on meanwhile, and it may be cut short.
	 */
	enum sbx_err (*sweep)(
	    const struct provider_context *, struct sbx_why *);
};

extern const struct provider provider_local;
extern const struct provider provider_daytona;

/* All of them; ends with NULL. */
extern const struct provider *const providers[];
const struct provider *provider_find(const char *name) MUST_USE;
/* Its place in the table; PROVIDERS_MAX if there is none of that name. */
size_t provider_index(const char *name) MUST_USE;
/* Does it rule over what sandboxes it has, and not we? */
bool provider_is_platform(const char *name) MUST_USE;
/* Of a platform: is there a source of its key? */
bool provider_has_key(const struct provider *provider,
    const struct provider_context *context) MUST_USE;
/*
 * The platform's key into context->key, or why there is none into
 * context->no_key.
 */
void provider_take_key(
    const struct provider *provider, struct provider_context *context);

#endif
