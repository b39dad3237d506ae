/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/io/digest.h"

static void known_digests_come_out(void **state)
{
	char hex[DIGEST_HEX_LEN + 1];

	(void)state;
	digest_hex("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_hex("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void pieces_have_the_sum_of_the_whole(void **state)
{
	static const char text[] = "one text that comes in pieces of any size, also of none";
	char whole[DIGEST_HEX_LEN + 1], parts[DIGEST_HEX_LEN + 1];

	(void)state;
	digest_hex(text, sizeof(text) - 1, whole);
	for (size_t size = 1; size < sizeof(text); size++) {
		struct digest *d = digest_new();

		digest_add(d, text, 0);
		for (size_t at = 0; at < sizeof(text) - 1; at += size)
			digest_add(d, text + at, MIN_OF(size, sizeof(text) - 1 - at));
		digest_end(d, parts);
		assert_string_equal(parts, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests_come_out),
		cmocka_unit_test(pieces_have_the_sum_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
