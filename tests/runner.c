/* SPDX-License-Identifier: ISC */
/*
 * runner COMMAND [ARG...]
 *
 * Runs one test, or one benchmark, so that nothing of the process that calls
 * it gets through: environment, signals, limits, niceness, umask, groups,
 * descriptors, terminal and home folder are as after a login on a new
 * machine.  It has TEST_SECONDS (300; 0 is without end).  Then it has failed:
 * what it was waiting for is told, and as when it has ended by itself, none of
 * its processes stays.
 */
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

#define SECONDS_DEFAULT 300
#define SECONDS_MAX 86400
#define SECONDS_TO_END 10 /* between SIGTERM and SIGKILL */
#define SHOWN_MAX 12
#define COMMAND_MAX 300

/* What a test is told by those who call it (HACKING.md). */
static const char *const kept[] = { "SRCDIR", "BUILDDIR", "PROGRAMS",
	"SANITIZERS", "MANDOC", "CLANG_FORMAT", "SANDBOX_REQUIRE",
	"TEST_SECONDS", "OPENSSH_CLIENT", "OPENSSH_SERVER", "ASAN_OPTIONS",
	"UBSAN_OPTIONS", "BENCH_ROUNDS", "BENCH_LAPS", "BENCH_MIB",
	"BENCH_PIECES", "BENCH_REPEAT", "BENCH_PEERS", "BENCH_SECONDS",
	"BENCH_SANDBOXES", "BENCH_RUNNING", "BENCH_ROWS", "BENCH_PARTS",
	"BENCH_CONNECTIONS", "BENCH_DISK", "OPERATIONS_SEED",
	"OPERATIONS_SECONDS" };

static const char *const fixed[][2] = {
	{ "TEST_RUNNER", "1" },
	{ "PATH",
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	    "/bin" },
	{ "LC_ALL", "C.UTF-8" },
	{ "TZ", "UTC" },
	{ "TERM", "xterm" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	int resource;
	rlim_t least; /* below it tests fail for no reason of ours */
	rlim_t soft, hard;
} limits[] = {
	{ "memory", RLIMIT_AS, 1U << 30, RLIM_INFINITY, RLIM_INFINITY },
	{ "core size", RLIMIT_CORE, 0, 0, RLIM_INFINITY },
	{ "processor time", RLIMIT_CPU, 600, RLIM_INFINITY, RLIM_INFINITY },
	{ "data size", RLIMIT_DATA, 1U << 30, RLIM_INFINITY, RLIM_INFINITY },
	{ "file size", RLIMIT_FSIZE, 1U << 30, RLIM_INFINITY, RLIM_INFINITY },
	{ "locks", RLIMIT_LOCKS, 256, RLIM_INFINITY, RLIM_INFINITY },
	{ "locked memory", RLIMIT_MEMLOCK, 64U << 10, 8U << 20, 8U << 20 },
	{ "message queues", RLIMIT_MSGQUEUE, 0, 819200, 819200 },
	{ "niceness", RLIMIT_NICE, 0, 0, 0 },
	{ "open files", RLIMIT_NOFILE, 1024, 1024, 524288 },
	{ "processes", RLIMIT_NPROC, 512, 65536, 65536 },
	{ "resident memory", RLIMIT_RSS, 0, RLIM_INFINITY, RLIM_INFINITY },
	{ "priority", RLIMIT_RTPRIO, 0, 0, 0 },
	{ "real time", RLIMIT_RTTIME, 0, RLIM_INFINITY, RLIM_INFINITY },
	{ "signals", RLIMIT_SIGPENDING, 64, 65536, 65536 },
	{ "stack", RLIMIT_STACK, 8U << 20, 8U << 20, RLIM_INFINITY },
};

static char home[] = "/tmp/test.XXXXXX";

static int
die(const char *what)
{
	(void)fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
	return 99;
}

/*
 * The test.
 */

/* Without CAP_SYS_RESOURCE there is no more than what we were left with. */
static void
set_limits(void)
{
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit old, new = { limits[i].soft, limits[i].hard };

		if (setrlimit(limits[i].resource, &new) == 0 ||
		    getrlimit(limits[i].resource, &old) < 0)
			continue;
		if (old.rlim_max < limits[i].least) {
			(void)fprintf(stderr,
			    "runner: limit of %s: %llu, and tests need %llu\n",
			    limits[i].name, (unsigned long long)old.rlim_max,
			    (unsigned long long)limits[i].least);
			_exit(99);
		}
		if (new.rlim_cur > old.rlim_max)
			new.rlim_cur = old.rlim_max;
		new.rlim_max = old.rlim_max;
		(void)setrlimit(limits[i].resource, &new);
	}
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

static void
set_signals(void)
{
	sigset_t none;

	for (int number = 1; number <= SIGRTMAX; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
set_environment(void)
{
	const char *values[COUNT(kept)];
	bool done = true;

	for (size_t i = 0; i < COUNT(kept); i++)
		values[i] = getenv(kept[i]);
	/* The old strings stay where they are. */
	if (clearenv() != 0)
		return false;
	for (size_t i = 0; i < COUNT(kept); i++)
		done = done &&
		    (values[i] == NULL || setenv(kept[i], values[i], 1) == 0);
	for (size_t i = 0; i < COUNT(fixed); i++)
		done = done && setenv(fixed[i][0], fixed[i][1], 1) == 0;
	return done && setenv("HOME", home, 1) == 0 &&
	    setenv("TMPDIR", home, 1) == 0;
}

static void
become(char *const argv[])
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	(void)umask(022);
	if (geteuid() == 0)
		(void)setgroups(1, &(gid_t){ 0 });
	set_limits();
	set_signals();
	if (null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
	    close_range(3, UINT_MAX, 0) == 0 && set_environment())
		(void)execvp(argv[0], argv);
	_exit(die(argv[0]));
}

/*
 * Its processes: whoever comes from us.
 */

struct process {
	pid_t pid, parent;
	unsigned long long start; /* clock ticks since boot */
	bool ours, ended;
};

struct processes {
	struct process *process;
	size_t count;
};

/* A file of /proc/PID, cut where it is too long. */
static size_t
read_proc(const char *pid, const char *name, char *ret, size_t size)
{
	char path[64];
	cleanup_file FILE *file = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	len = fread(ret, 1, size - 1, file);
	ret[len] = '\0';
	return len;
}

static bool
read_stat(const char *pid, struct process *ret)
{
	char text[1024], state;
	const char *rest;
	int number, parent;

	if (read_proc(pid, "stat", text, sizeof(text)) == 0)
		return false;
	rest = strrchr(text, ')');
	if (rest == NULL || sscanf(text, "%d", &number) != 1 ||
	    sscanf(rest,
		") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
		"%*d %*d %*d %*d %*d %llu",
		&state, &parent, &ret->start) != 3)
		return false;
	ret->pid = number;
	ret->parent = parent;
	ret->ours = parent == getpid();
	ret->ended = state == 'Z' || state == 'X';
	return true;
}

/* True if there were more to mark. */
static bool
mark(struct processes *all)
{
	bool more = false;

	for (size_t i = 0; i < all->count; i++) {
		struct process *child = &all->process[i];

		for (size_t j = 0; j < all->count; j++) {
			const struct process *parent = &all->process[j];

			if (!parent->ours || parent->pid != child->parent)
				continue;
			more = more || !child->ours;
			child->ours = true;
		}
	}
	return more;
}

static int
youngest_first(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->start < y->start ? 1 : -(x->start > y->start);
}

/* Those of the test alone; the caller frees. */
static struct processes
find_processes(void)
{
	struct processes all = { NULL, 0 };
	cleanup_dir DIR *proc = opendir("/proc");
	size_t room = 0, count = 0;
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		if (all.count == room) {
			struct process *more;

			room = room * 2 + 256;
			more = realloc(all.process, room * sizeof(*more));
			if (more == NULL)
				exit(die("processes"));
			all.process = more;
		}
		if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
		    read_stat(entry->d_name, &all.process[all.count]))
			all.count++;
	}
	while (mark(&all))
		;
	for (size_t i = 0; i < all.count; i++) {
		if (all.process[i].ours)
			all.process[count++] = all.process[i];
	}
	all.count = count;
	if (count > 0)
		qsort(all.process, count, sizeof(*all.process), youngest_first);
	return all;
}

static void
show_process(const struct process *p)
{
	char pid[16], command[COMMAND_MAX + 1], uptime[32];
	cleanup_buf struct buf text = BUF_INIT(8 * COMMAND_MAX);
	size_t len;
	long age;

	(void)snprintf(pid, sizeof(pid), "%d", (int)p->pid);
	len = read_proc(pid, "cmdline", command, sizeof(command));
	for (size_t i = 0; i < len; i++) {
		if (command[i] == '\0' || command[i] == '\n')
			command[i] = ' ';
	}
	(void)read_proc(".", "uptime", uptime, sizeof(uptime));
	age = strtol(uptime, NULL, 10) -
	    (long)(p->start / (unsigned long long)sysconf(_SC_CLK_TCK));
	text_escape((struct view){ (const uint8_t *)command, len }, COMMAND_MAX,
	    /* quote= */ false, &text);
	(void)fprintf(stderr, "    for %ld s: %s\n", age, buf_text(&text));
}

static void
show_processes(void)
{
	struct processes all = find_processes();
	size_t shown = 0;

	for (size_t i = 0; i < all.count && shown < SHOWN_MAX; i++) {
		if (all.process[i].ended)
			continue;
		show_process(&all.process[i]);
		shown++;
	}
	free(all.process);
}

/* How many there were. */
static size_t
signal_processes(int number)
{
	struct processes all = find_processes();
	size_t count = all.count;

	for (size_t i = 0; i < count; i++)
		(void)kill(all.process[i].pid, number);
	free(all.process);
	return count;
}

/*
 * Its end.
 */

static sigset_t awaited;

/* SIGCHLD, what we are told to end by, or 0 when the time is over. */
static int
wait_signal(time_t deadline)
{
	struct timespec left = { 0, 0 }, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < deadline)
		left.tv_sec = deadline - now.tv_sec;
	for (;;) {
		int number = sigtimedwait(&awaited, NULL, &left);

		if (number > 0)
			return number;
		if (errno == EAGAIN)
			return 0;
	}
}

static time_t
in_seconds(uint64_t seconds)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + (time_t)seconds;
}

/* Until the test has ended: SIGCHLD, with its status. */
static int
wait_test(pid_t test, uint64_t seconds, int *ret_status)
{
	time_t deadline = in_seconds(seconds);

	for (;;) {
		int number = wait_signal(deadline);
		pid_t pid;

		if (number != SIGCHLD)
			return number;
		while ((pid = waitpid(-1, ret_status, WNOHANG)) > 0) {
			if (pid == test)
				return SIGCHLD;
		}
	}
}

/* Whoever is still there, and those that they leave to us. */
static void
end_processes(void)
{
	time_t deadline = in_seconds(SECONDS_TO_END);

	do {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (
	    signal_processes(SIGKILL) > 0 && wait_signal(deadline) == SIGCHLD);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

/* For whoever wants to know what takes so long. */
static void
show_cost(const struct timespec *begin)
{
	struct rusage usage;
	struct timespec now;
	double took;

	if (isatty(STDERR_FILENO) || getrusage(RUSAGE_CHILDREN, &usage) < 0)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	took = (double)(now.tv_sec - begin->tv_sec) +
	    (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
	(void)fprintf(stderr, "# %.1f s, %.1f s of a processor\n", took,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
		    1e6);
}

static int
run(char *const argv[], uint64_t seconds)
{
	pid_t test = fork();
	int status = 0, number;

	if (test < 0)
		return die("fork");
	if (test == 0)
		become(argv);
	number = wait_test(test, seconds == 0 ? SECONDS_MAX : seconds, &status);
	if (number == 0) {
		(void)fprintf(stderr,
		    "not ok - the time is over: %lu s, see TEST_SECONDS. "
		    "It was waiting for one of these:\n",
		    (unsigned long)seconds);
		show_processes();
	}
	/* A script says where it was, and cleans up. */
	if (number != SIGCHLD) {
		(void)signal_processes(SIGTERM);
		(void)wait_test(test, SECONDS_TO_END, &status);
		status = number == 0 ? W_EXITCODE(1, 0) : W_EXITCODE(0, number);
	}
	end_processes();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

int
main(int argc, char **argv)
{
	const char *text = getenv("TEST_SECONDS");
	uint64_t seconds = SECONDS_DEFAULT;
	struct timespec begin;
	int status;

	errno = EINVAL;
	if (argc < 2)
		return die("runner COMMAND [ARG...]");
	if (text != NULL && text_uint(text, 0, SECONDS_MAX, &seconds) != SBX_OK)
		return die("TEST_SECONDS");
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&awaited);
	(void)sigaddset(&awaited, SIGCHLD);
	(void)sigaddset(&awaited, SIGINT);
	(void)sigaddset(&awaited, SIGTERM);
	(void)sigaddset(&awaited, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &awaited, NULL) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return die("prctl");
	if (mkdtemp(home) == NULL || chmod(home, 0755) < 0)
		return die(home);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	status = run(argv + 1, seconds);
	if (seconds > 0)
		show_cost(&begin);
	(void)nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return status;
}
