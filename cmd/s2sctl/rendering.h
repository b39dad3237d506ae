/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rendering.h - `--format`, `--max-bytes` and `--events`, which several commands take.
 */
#pragma once
#include "cmd/s2sctl/session.h"
#include "core/report/events.h"
#include "core/report/formats.h"

struct rendering {
	const char *max_bytes; /* options */
	bool github_summary;
	bool verbose;
	const struct report_format *format;
	size_t limit;
};
/* Finds the format (s->common.format) among those for `sources`, and reads the limit. False and told: usage. */
bool rendering_open(struct session *s, struct rendering *r, unsigned sources, int *ret_exit);
void rendering_out(struct session *s, const struct rendering *r, const struct report *report); /* to stdout */
/* The same from a plan document, or from a journal's records: exactly one of them is given. */
void rendering_out_document(struct session *s, const struct rendering *r, const struct value *plan, const struct value *records);

/* The file of `--events`. A line that cannot be written is told once, and stops nothing. */
struct event_file {
	struct events events;
	struct session *session;
	const char *path;      /* the option; NULL: nobody listens */
	int fd;
	bool is_broken;
};
/* Opens the file and says the version. False and told when it cannot be written. */
bool event_file_open(struct event_file *f, struct session *s, int *ret_exit);
void event_file_started(struct event_file *f, const char *command); /* once the environments are known */
/* The last event, and the file's end; returns `exit_status`. @r  NULL: of a command that ended early */
int event_file_end(struct event_file *f, int exit_status, const struct events_result *r);
