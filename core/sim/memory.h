/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the simulated machine's disk: the store of journal and inbox, and the places where secrets lie.
 *
 * Two programs write to it: apply, to which trouble happens (memory_store), and a person's ack beside it, to which none does (memory_beside). What an append
 * made durable stays; a torn line has no newline, readers do not see it, and the next append cuts it, as in core/io/file_store.c.
 * A killed program writes nothing any more.
 *
 * Secrets: references map to texts; those that begin with "file:" can be written.
 */
#pragma once
#include "core/api/secret_source.h"
#include "core/api/store.h"
#include "core/run/journal.h"
#include "core/sim/clock.h"
#include "core/sim/scene.h"
#include "core/sim/trouble.h"

#define MEMORY_FILES 4

struct memory {
	struct store store, beside;
	struct secret_source source;
	/* Given; borrowed. */
	struct sim_clock *clock;
	struct troubles *troubles;
	const struct scene *scene;   /* hears every text that is written; may be NULL */
	struct arena *arena;
	struct value *secrets;       /* map reference -> text, in arena */

	struct {
		const char *name;
		struct sb text;
	} files[MEMORY_FILES];
	struct journal_memo memo;    /* of the journal, for every command and every ack */
	bool locked;
	enum trouble lasting;        /* a disk that stays full or broken until the command has ended */
	uint64_t appended;           /* records of the journal that are durable */
};

void memory_init(struct memory *m, struct sim_clock *clock, struct troubles *troubles, const struct scene *scene, struct arena *a);
void memory_done(struct memory *m);
void memory_start_process(struct memory *m);   /* locks of a dead one are gone, and there is room on the disk again */
void memory_person_stores(struct memory *m, const char *ref, const char *text); /* somebody else puts a text where a reference leads */
const struct sb *memory_text(const struct memory *m, const char *name); /* all of it, a torn end included; NULL: no such file */
