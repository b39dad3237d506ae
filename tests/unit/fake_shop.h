/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_shop.h - a small vendor for tests of core/run: a registry, the servers behind it, and a place where runs leave their traces.
 *
 * A project has an app; its app signs in with one of two keys of a client. The rollout adds the new key, sets the app to it, restarts the
 * app, proves that the new key is used and the old one quiet, and drops the old key. All that the servers know and all that a run leaves behind
 * (journal, inbox) is one struct without pointers, in memory shared with children, so that a child may be killed anywhere.
 *
 * Things: shop.project (identity `uid`), shop.key (add, drop), shop.settings (set), shop.app (restart), shop.use (seen, quiet_old, asked), ledger.book
 * (flows). Gates: app_uses (PASS notes oauth_use.at), quiet (24 h, safety), book_grows, word (asks for an attested last use), calm.
 * Wanted by `app`: flows, ask, sneaky (observe tries POST), stuck (the way back is refused), mint (flows reads with the migrating client).
 *
 * The way back: shop.settings/unset, shop.app/restart, shop.use (seen_old, quiet_new), shop.key/retract; gates old_used, new_quiet (20 minutes).
 */
#pragma once
#include "core/run/apply.h"
#include "core/run/attest.h"
#include "tests/unit/fake_transport.h"

#define SHOP_PROJECTS 6
struct shop_project {
	char id[24], uid[24];
	int client;                      /* index */
	bool set_new, running, runs_new; /* settings; what the app read at its start */
	int64_t saved_at, started_at, next_mint;
	int sets, unsets, stops, starts, rows;
	bool app_denied, settings_denied, key_denied, settings_stuck;
};
struct shop_client {
	char id[24];
	bool has_new, has_old;
	int64_t new_used, old_used, added_at;
	int64_t tool_mints[64];
	int tool_mint_count, adds, drops, retracts;
	bool broke, not_quiet;           /* the old key went while somebody needed it, or without a quiet day */
};
struct shop_world {
	struct fake_clock clock;
	struct shop_project projects[SHOP_PROJECTS];
	struct shop_client clients[SHOP_PROJECTS];
	int64_t key_lag_ms;              /* a key just added shows this much later */
	int64_t app_slow_ms;             /* stopping takes this long */
	int64_t delay_ms;                /* every answer takes this long */
	bool use_by_stranger;            /* the old key goes on being used */
	bool new_by_stranger;            /* the new one is, by somebody else than the apps */
	bool app_idle;                   /* the app never signs in */
	char journal[1 << 21], inbox[1 << 16];
	size_t journal_len, inbox_len, appends;
	size_t kill_at, kill_at_exchange; /* a child dies behind its n-th append, or when the n-th exchange was served; 0: never */
	bool kill_before;                /* ... before the append instead */
	size_t fail_at;                  /* the n-th append fails */
	size_t disk, reserved;           /* bytes that the journal may have; 0: any number. What it keeps of them for what is to come */
	bool locked;
};

struct shop {
	struct shop_world *w;
	struct arena arena;              /* of the rollout */
	struct fake_net net;
	struct transport transport;
	struct sys sys;
	struct fake_secrets secrets;
	struct secret_source source;
	struct rollout *rollout;
	const struct rollout_env **envs;
	struct store store;
	struct apply_ui ui;
	struct apply_options options;
	struct caller_options calls;
	struct clocks clocks;
	struct err err;                  /* of the last run */
	struct sb events;                /* "STARTED address text\n" ... */
	unsigned instructed, confirms, ticks;
	char confirm_title[64];          /* what a person at the terminal would type; "": nobody is there */
	char last_ack[256];
	void (*on_tick)(struct shop *s);
	enum fake_fault fault;           /* on the exchange whose "METHOD URL" holds fault_on, from the fault_from-th on */
	const char *fault_on;
	unsigned fault_from, fault_times, fault_seen;
};

extern const struct registry shop_registry;
extern const char shop_two_envs[]; /* dev and stage, one client each */
extern const char shop_one_env[];

struct shop *shop_new(const char *rollout_text) MUST_USE;
void shop_free(struct shop *s);
void shop_load(struct shop *s, const char *rollout_text); /* another file for the same world */
enum err_code shop_apply(struct shop *s, struct apply_result *ret); /* a whole program: s->err on failure */
/* The same in a child; its exit status, or -1 when it was killed as asked. */
int shop_apply_child(struct shop *s);
/* Runs again and again, time passing as asked for, until a run does not wait. */
enum err_code shop_apply_on(struct shop *s, int most);
void shop_ack(struct shop *s, const char *step, const struct attest *more); /* by "ann" */
void shop_advance(struct shop_world *w, int64_t ms);
bool shop_is_migrated(const struct shop *s, int project);
bool shop_is_back(const struct shop *s, int project); /* on the old key, the new one gone, nobody broken */
size_t shop_journal_count(const struct shop *s, const char *part); /* lines of the journal that hold it */
