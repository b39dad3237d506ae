/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_verify_journal.c - `verify` of a journal: the folder where it lives, or the file itself, under whatever name.
 */
#include <string.h>
#include <sys/stat.h>

#include "cmd/s2sctl/session.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/report/text_verify.h"
#include "core/run/verify.h"

/* A store that holds one file, read before. */
struct one_file {
	const char *path;
	struct sb text;
	size_t lines_len; /* without a torn last line */
	struct sb note;
};

static int read_lines(void *ctx, const char *name, struct sb *ret, struct err *err)
{
	const struct one_file *f = ctx;

	(void)name;
	(void)err;
	sb_addn(ret, f->text.buf, f->lines_len);
	return 0;
}

static void get_note(void *ctx, const char *name, struct sb *ret)
{
	const struct one_file *f = ctx;

	(void)name;
	sb_add(ret, f->note.buf);
}

static const char *place(void *ctx)
{
	const struct one_file *f = ctx;

	return f->path;
}

static const char *file_of(struct session *s, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ?
		       arena_printf(&s->arena, "%s/" JOURNAL_NAME, path) :
		       path;
}

static int read_all(struct session *s, struct one_file *f)
{
	const char *note = arena_printf(&s->arena, "%s.note", f->path);
	struct err none = ERR_INIT;

	if (file_read(f->path, &f->text, &s->err) < 0)
		return -s->err.code;
	for (f->lines_len = f->text.len; f->lines_len && f->text.buf[f->lines_len - 1] != '\n';)
		f->lines_len--;
	if (file_read(note, &f->note, &none) < 0) /* a copy without it is checked without it */
		sb_reset(&f->note);
	sb_shrink(&f->note, strcspn(f->note.buf, "\n"));
	return 0;
}

int verify_journal_at(struct session *s, const char *path, bool json)
{
	struct one_file f = { .path = file_of(s, path),
			      .text = SB_INIT((size_t)256 << 20),
			      .note = SB_INIT(4096) };
	const struct store store = {
		.ctx = &f, .read_all = read_lines, .get_note = get_note, .place = place
	};
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct report_style style = session_style(s);
	struct value *doc = NULL;
	int rc = read_all(s, &f);

	if (rc == 0)
		rc = verify_journal(&store, s->p->sys, s->p->registry, f.text.len - f.lines_len,
				    &s->arena, &doc, &s->err);
	sb_done(&f.text);
	sb_done(&f.note);
	if (rc < 0)
		return session_fail(s, &s->err);
	if (json) {
		json_write(&out, doc, JSON_CANONICAL, NULL);
		sb_addc(&out, '\n');
	} else {
		report_verify_text(doc, &style, &out);
	}
	session_out(s, &out);
	return value_bool_or(value_get(doc, "sound"), false) ? 0 : 1;
}
