/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - the compiler's help under names of our own, and nothing else.
 *
 * These macros are the only place where GNU extensions are spelled out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* Runs done(&var) when the variable leaves scope. Never together with goto in one function. */
#define CLEANUP(done) __attribute__((cleanup(done)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Hands ownership on: the value moves out, the variable is NULL afterwards. */
#define TAKE(p)                                                                                    \
	__extension__({                                                                            \
		__typeof__(p) take_p_ = (p);                                                       \
		(p) = NULL;                                                                        \
		take_p_;                                                                           \
	})

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
