/*
 * Calls the local provider as sandboxd would, without a sandboxd:
 *
 *	provider_driver STATE RUNTIME LIBEXEC CA-FILE ISOLATION UID-RANGE-START
 *	    create|start|stop|kill|inspect|refusal|credentials ID
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "broker/providers/provider.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"

#define UID_RANGE_COUNT (64 * 2048)

struct verb {
	const char *name;
	enum sbx_err (*run)(const struct provider_context *context,
	    const char *id, struct sbx_why *why);
};

static void
print_status(const struct provider_status *status)
{
	static const char *const state[] = { "gone", "stopped", "running" };
	static const char *const isolation[] = { "none", "namespaces" };

	(void)printf(
	    "%s %s\n", state[status->state], isolation[status->isolation]);
}

static enum sbx_err
run_create(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	struct provider_spec spec = { .owner = getuid() };
	struct provider_status status;
	enum sbx_err err = name_check_id(id, why);

	if (err == SBX_OK)
		err = text_copy(VIEW_STR(id), spec.id, sizeof(spec.id));
	if (err == SBX_OK)
		err = provider_local.create(context, &spec, &status, why);
	if (err == SBX_OK)
		print_status(&status);
	return err;
}

static enum sbx_err
run_start(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	return provider_local.start(context, id, why);
}

static enum sbx_err
run_stop(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	return provider_local.stop(context, id, why);
}

static enum sbx_err
run_kill(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	return provider_local.kill(context, id, why);
}

static enum sbx_err
run_inspect(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	struct provider_status status;
	enum sbx_err err = provider_local.inspect(context, id, &status, why);

	if (err == SBX_OK)
		print_status(&status);
	return err;
}

static enum sbx_err
run_refusal(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	struct provider_status status;
	enum sbx_err err = provider_local.inspect(context, id, &status, why);

	if (err == SBX_OK)
		(void)printf("%s\n", sbx_err_name(status.refusal.err));
	return err;
}

/* USER, host key, endpoint: one line each. */
static enum sbx_err
run_credentials(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	struct provider_access access;
	enum sbx_err err =
	    provider_local.credentials(context, id, &access, why);

	if (err == SBX_OK)
		(void)printf("%s\n%s\n%s\n", access.user, access.host_key[0],
		    access.endpoint[0]);
	return err;
}

static const struct verb verbs[] = {
	{ "create", run_create },
	{ "start", run_start },
	{ "stop", run_stop },
	{ "kill", run_kill },
	{ "inspect", run_inspect },
	{ "refusal", run_refusal },
	{ "credentials", run_credentials },
};

static enum sbx_err
read_context(char **argv, struct provider_context *ret, struct sbx_why *why)
{
	cleanup_buf struct buf ca = BUF_INIT(PROVIDER_LINE - 1);
	struct view cursor, line;
	const char *isolation = argv[5];
	enum sbx_err err = file_read(AT_FDCWD, argv[4], &ca, why);

	cursor = buf_view(&ca);
	if (err != SBX_OK)
		return err;
	if (!text_next_line(&cursor, &line) ||
	    text_copy(line, ret->ca_line, sizeof(ret->ca_line)) != SBX_OK ||
	    text_copy(VIEW_STR(argv[1]), ret->state_dir, PATHS_MAX) != SBX_OK ||
	    text_copy(VIEW_STR(argv[2]), ret->runtime_dir, PATHS_MAX) !=
		SBX_OK ||
	    text_copy(VIEW_STR(argv[3]), ret->libexec_dir, PATHS_MAX) !=
		SBX_OK ||
	    text_uint(argv[6], 0, UINT32_MAX, &ret->uid_range_start) != SBX_OK)
		return SBX_USAGE;
	ret->uid_range_count = UID_RANGE_COUNT;
	ret->isolation_wanted = strcmp(isolation, "none") == 0
	    ? ISOLATION_WANT_NONE
	    : strcmp(isolation, "namespaces") == 0 ? ISOLATION_WANT_NAMESPACES
						   : ISOLATION_WANT_AUTO;
	return SBX_OK;
}

int
main(int argc, char **argv)
{
	struct provider_context context = { .state_dir = "" };
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_USAGE;

	log_init(argv[0]);
	if (argc == 9)
		err = read_context(argv, &context, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	err = SBX_USAGE;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[7]) == 0)
			err = verbs[i].run(&context, argv[8], &why);
	}
	return err == SBX_OK ? 0 : log_failure(err, &why);
}
