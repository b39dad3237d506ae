/* SPDX-License-Identifier: Apache-2.0 */
/* Loads any bytes as a rollout file of the fake registry. What loads must answer every look-up; what does not must say why. */
#include <stdlib.h>

#include "core/plan/rollout.h"
#include "tests/unit/fake_registry.h"

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *arg, const struct rollout_secret *s)
{
	size_t *seen = arg;
	*seen += s->pos.line > 0;
}

static void look_up_all(const struct rollout *r)
{
	size_t seen = 0;
	rollout_secret_refs(r, NULL, look, &seen);
	for (size_t i = 0; i < r->env_count; i++) {
		const struct rollout_env *env = &r->envs[i];
		if (rollout_find_env(r, env->name) != env || !rollout_connection(env, "shop") ||
		    !rollout_gate(env, "quiet"))
			abort();
		if (rollout_executor(env, "close") == EXEC_NONE ||
		    !rollout_is_migrating(r, env->client_id))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const vars[] = { "A=https://a.example", "B=7", NULL };
	struct arena a = ARENA_INIT;
	struct fake_env env = { .vars = vars };
	struct sys sys = fake_sys(&env);
	struct diags d;
	struct rollout *r = NULL;
	if (size > INPUT_MAX)
		return 0;
	diags_init(&d, &a);
	if (!rollout_parse("rollout.yaml", (const char *)data, size, &fake_registry, &sys, &a, &r,
			   &d))
		look_up_all(r);
	else if (!d.errors || r)
		abort();
	arena_done(&a);
	return 0;
}
