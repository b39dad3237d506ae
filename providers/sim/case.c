/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/case.h"

#include <string.h>

#include "core/base/mem.h"

const char *sim_live_name(enum sim_live l)
{
	static const char *const names[LIVE_COUNT] = {
		[LIVE_JWT_ONLY] = "jwt-only",
		[LIVE_STARTED] = "started",
		[LIVE_STARTED_SWITCHED] = "started-switched",
		[LIVE_STARTED_UNRESTARTED] = "started-unrestarted",
		[LIVE_CONVERTED] = "converted-app-on-jwt",
		[LIVE_CONVERTED_FAILED] = "converted-failed",
		[LIVE_DONE] = "done",
		[LIVE_NEVER_JWT] = "never-jwt",
		[LIVE_APP_AHEAD] = "app-ahead",
		[LIVE_OTHER_CLIENT] = "other-client",
		[LIVE_FILE_CLIENT] = "file-client",
		[LIVE_CONFLICT] = "conflict",
		[LIVE_NO_PROJECT] = "no-project",
		[LIVE_TWO_PROJECTS] = "two-projects",
		[LIVE_GENERATED] = "generated",
		[LIVE_READ_ONLY] = "read-only",
	};

	return names[l];
}

const char *sim_end_name(enum sim_end e)
{
	switch (e) {
	case END_ANY:
		return "any";
	case END_DONE:
		return "done";
	case END_ALONE:
		return "left alone";
	case END_KEEPS:
		return "keeps its JWT credential";
	case END_EITHER:
		return "done, or back where it began";
	case END_COUNT:
		break;
	}
	return NULL;
}

void sim_case_free(struct sim_case *c)
{
	if (c == NULL)
		return;
	arena_done(&c->arena);
	mem_free(c);
}

void sim_case_freep(struct sim_case **c)
{
	sim_case_free(*c);
}

const struct sim_env *sim_case_env(const struct sim_case *c, const char *name)
{
	for (size_t i = 0; i < c->env_count; i++) {
		if (strcmp(c->envs[i].name, name) == 0)
			return &c->envs[i];
	}
	return NULL;
}
