/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/attest.h"
#include "tests/unit/fake_shop.h"

static void a_whole_run_goes_from_expand_to_contract(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	if (shop_apply(s, &r)) printf("%s | %s\n%s\n", r.summary, s->err.msg, s->events.buf);
	assert_int_equal(r.code, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	printf("%s\n", s->net.log.buf);
	shop_free(s);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_run_goes_from_expand_to_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
