/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/rendering.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/redact.h"
#include "core/report/markdown.h"

#define LIMIT_MAX 16777216ull

static int read_limit(struct rendering *r, struct err *err)
{
	unsigned long long n;
	char *end;

	r->limit = r->github_summary ? SUMMARY_BYTES_MAX : COMMENT_BYTES_MAX;
	if (!r->max_bytes)
		return 0;
	n = strtoull(r->max_bytes, &end, 10);
	if (r->max_bytes[0] < '0' || r->max_bytes[0] > '9' || *end || n < MARKDOWN_BYTES_MIN ||
	    n > LIMIT_MAX)
		return err_set(err, E_USAGE, "--max-bytes is a number from %u to %llu, not '%s'",
			       MARKDOWN_BYTES_MIN, LIMIT_MAX, r->max_bytes);
	r->limit = (size_t)n;
	return 0;
}

bool rendering_open(struct session *s, struct rendering *r, unsigned sources, int *ret_exit)
{
	if (report_format_find(s->common.format, sources, &r->format, &s->err) < 0 ||
	    read_limit(r, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	s->format = r->format;
	return true;
}

void rendering_out(struct session *s, const struct rendering *r, const struct report *report)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(REPORT_BYTES_MAX);
	struct report_style style = session_style(s);

	style.verbose = r->verbose;
	r->format->write(report,
			 &(struct report_options){ .style = &style,
						   .max_bytes = r->limit,
						   .tool_version = S2SCTL_VERSION },
			 &text);
	session_out(s, &text);
}

void rendering_out_document(struct session *s, const struct rendering *r, const struct value *plan,
			    const struct value *records)
{
	struct report report = { .source = plan ? REPORT_PLAN : REPORT_JOURNAL,
				 .arena = &s->arena,
				 .document = plan ? plan : records };

	if (!r->format->is_document && plan)
		report_from_plan(&report, &s->arena, plan);
	else if (!r->format->is_document)
		report_from_journal(&report, &s->arena, records);
	rendering_out(s, r, &report);
}

/* ---- events ---- */

static bool write_whole(int fd, const char *at, size_t left)
{
	while (left) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		left -= (size_t)n;
	}
	return true;
}

static void write_event(void *ctx, const struct sb *line)
{
	struct event_file *f = ctx;
	CLEANUP(sb_done) struct sb clean = SB_INIT(SB_TEXT_MAX);

	if (f->is_broken)
		return;
	sb_addn(&clean, line->buf, line->len);
	redact_text(&clean);
	if (write_whole(f->fd, clean.buf, clean.len))
		return;
	f->is_broken = true;
	session_talkf(f->session, "warning: events cannot be written to %s: %s\n", f->path,
		      strerror(errno));
}

bool event_file_open(struct event_file *f, struct session *s, int *ret_exit)
{
	if (!f->path)
		return true;
	f->session = s;
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (f->fd < 0) {
		err_set(&s->err, E_IO, "cannot write events to '%s': %s", f->path, strerror(errno));
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	f->events = (struct events){ .write = write_event, .ctx = f, .sys = s->p->sys };
	events_version(&f->events, S2SCTL_VERSION);
	return true;
}

void event_file_started(struct event_file *f, const char *command)
{
	struct session *s = f->session;
	const char **names;
	size_t n = 0;

	if (!f->events.write)
		return;
	while (s->envs[n])
		n++;
	names = arena_array(&s->arena, n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++)
		names[i] = s->envs[i]->name;
	events_started(&f->events, command, s->rollout->path, names);
}

int event_file_end(struct event_file *f, int exit_status, const struct events_result *r)
{
	const struct events_result early = { .text = f->session ? f->session->err.msg : "" };

	if (!f->events.write)
		return exit_status;
	events_summary(&f->events, program_exit(f->session->p, exit_status), r ? r : &early);
	close(f->fd);
	f->events.write = NULL;
	return exit_status;
}
