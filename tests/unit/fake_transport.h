/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_transport.h - a transport in virtual time, for tests of core.
 *
 * A request is served when it is started and its answer comes back after a delay; waiting moves the clock and takes no
 * time. What serves is a function of the test's, or a script of answers. Everything that was sent is kept as text. The clock may lie in shared
 * memory, so that a child that is killed leaves its time behind.
 */
#pragma once
#include "core/api/secret_source.h"
#include "core/api/transport.h"
#include "core/base/sb.h"
#include "core/base/sys.h"

#define FAKE_START INT64_C(1795514400000) /* 2026-11-24T10:00:00Z */

struct fake_clock {
	int64_t mono_ms;         /* since the clock was made; the wall clock is FAKE_START later */
	int64_t wall_moved_ms;   /* the local wall clock is wrong by this */
	int64_t server_moved_ms; /* the servers' clocks are off by this */
	int64_t signal_at_ms;    /* mono_ms of the first signal; 0: none */
	int signals;             /* so far, besides that */
	uint64_t random;
};
struct sys fake_clock_sys(struct fake_clock *c); /* its environment is empty */
int64_t fake_server_now(const struct fake_clock *c);

struct fake_reply {
	enum transport_result result;
	int status;              /* 0: 200 */
	const struct value *body; /* in the exchange's arena */
	const char *retry_after; /* static text */
	int64_t delay_ms;        /* 0: 20 */
	int64_t date_ms;         /* 0: the server's clock; -1: it says none */
};
struct fake_net;
typedef void fake_serve(void *ctx, struct fake_net *net, const struct exchange *x, struct fake_reply *ret);
/* What goes wrong with an exchange, asked before it is served. `n` counts from 1. */
enum fake_fault {
	FAULT_NONE,
	FAULT_NEVER,       /* not a byte left */
	FAULT_LOST_BEFORE, /* no reply, and nothing was done */
	FAULT_LOST_AFTER,  /* no reply, but it was carried out */
	FAULT_429,
	FAULT_503,
	FAULT_500_AFTER,   /* it was carried out, and the answer says 500 */
};
typedef enum fake_fault fake_faults(void *ctx, size_t n, const struct exchange *x);

struct fake_net {
	struct fake_clock *clock;
	fake_serve *serve;
	fake_faults *faults;     /* or NULL */
	void (*on_next)(void *ctx); /* called before each wait, so that a test can act meanwhile; or NULL */
	void *ctx;
	size_t exchanges, nexts;
	struct sb log;           /* a line "METHOD URL BODY" for each exchange; secrets as labels */
	struct fake_flight *flights;
	size_t flight_count, flight_cap;
	struct secret **secrets;
	size_t secret_count, secret_cap;
	struct fake_reply script[64]; /* for fake_serve_script */
	const char *script_json[64];
	size_t script_len, script_at;
};
void fake_net_init(struct fake_net *n, struct fake_clock *clock, fake_serve *serve, void *ctx);
void fake_net_done(struct fake_net *n);
struct transport fake_net_transport(struct fake_net *n);
size_t fake_net_count(const struct fake_net *n, const char *part); /* lines of the log that hold it */

/* Answers in the order scripted; one past the end is a failed assertion. */
fake_serve fake_serve_script;
void fake_script(struct fake_net *n, int status, const char *json);
struct fake_reply *fake_script_last(struct fake_net *n);
const struct value *fake_json(struct arena *a, const char *text);

/* Secrets by name, "env:X" -> text; counts how often each was asked for. */
struct fake_secret {
	const char *ref;
	char text[64];           /* "": does not resolve */
	unsigned resolved, put;
};
struct fake_secrets {
	struct fake_secret list[8];
};
struct secret_source fake_secret_source(struct fake_secrets *s);
bool fake_secret_is(const struct secret *s, const char *text);
