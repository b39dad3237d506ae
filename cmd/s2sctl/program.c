/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>

#include "cmd/s2sctl/session.h"
#include "core/base/log.h"

static const struct command validate = { "validate", "FILE", "check a rollout file, offline",
					 cmd_validate };
static const struct command plan = { "plan", "FILE", "show what would be done", cmd_plan };
static const struct command drift = { "drift", "FILE", "say whether anything is left to do",
				      cmd_drift };
static const struct command apply = { "apply", "PLAN|FILE", "carry it out, step by step",
				      cmd_apply };
static const struct command approve = { "approve", "PLAN", "approve a saved plan by signature",
					cmd_approve };
static const struct command rollback = { "rollback", "FILE --env E",
					 "show the way back, or carry it out", cmd_rollback };
static const struct command status = { "status", "FILE", "show where each environment stands",
				       cmd_status };
static const struct command ack = { "ack", "STEP --by NAME", "say that a person's step is done",
				    cmd_ack };
static const struct command show = { "show", "PLAN|JOURNAL", "render a saved plan or a journal",
				     cmd_show };
static const struct command verify = {
	"verify", "PLAN|JOURNAL", "explain approvals, or check a journal and its receipts, offline",
	cmd_verify
};
static const struct command unlock = { "unlock", "FILE", "say who holds the lock, or take it away",
				       cmd_unlock };
static const struct command rehearse = { "rehearse", "PLAN|FILE",
					 "play it against a model, with all that can go wrong",
					 cmd_rehearse };
static const struct command doctor = { "doctor", "FILE", "try all systems, reading only",
				       cmd_doctor };
static const struct command schema = { "schema", "[plan]",
				       "print the JSON Schema of rollout files, or of plans",
				       cmd_schema };
static const struct command help = { "help", "[TOPIC]", "explain", cmd_help };
static const struct command version = { "version", NULL, "print the version", cmd_version };

const struct command *const commands[] = { &validate, &plan,   &rehearse, &approve, &apply,
					   &rollback, &status, &ack,      &drift,   &show,
					   &verify,   &unlock, &doctor,   &schema,  &help,
					   &version,  NULL };

static const struct command *find(const char *name)
{
	if (strcmp(name, "--version") == 0)
		return &version;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return &help;
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static int unknown(struct session *s, const char *name)
{
	const char *names[ARRAY_LEN(commands)];
	size_t n = 0;
	const char *near;

	for (; commands[n]; n++)
		names[n] = commands[n]->name;
	near = diags_nearest(name, names, n);
	err_set(&s->err, E_USAGE, "there is no command '%.60s'", name);
	if (near)
		err_hint(&s->err, "did you mean '%s'?", near);
	else
		err_hint(&s->err, "`s2sctl help` lists them");
	return session_fail(s, &s->err);
}

int program_exit(const struct program *p, int rc)
{
	return rc == 130 && p->signal_number && p->signal_number(p->ctx) == SIGTERM ? 143 : rc;
}

int program_run(const struct program *p, int argc, const char *const *argv)
{
	struct session s = { .p = p };
	const struct command *c = argc > 1 ? find(argv[1]) : &help;
	int rc = c ? c->run(&s, argc > 1 ? argc - 2 : 0, argc > 1 ? argv + 2 : argv) :
		     unknown(&s, argv[1]);

	session_done(&s);
	log_open(NULL, NULL, NULL);
	return program_exit(p, rc);
}
