/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/secret_open.h"

#define FILE_MAX ((size_t)64 << 20)

static struct sb *file_of(struct memory *m, const char *name)
{
	for (size_t i = 0; i < MEMORY_FILES; i++) {
		if (m->files[i].name && strcmp(m->files[i].name, name) == 0)
			return &m->files[i].text;
		if (!m->files[i].name) {
			m->files[i].name = arena_strdup(m->arena, name);
			m->files[i].text = (struct sb)SB_INIT(FILE_MAX);
			return &m->files[i].text;
		}
	}
	return NULL;
}

const struct sb *memory_text(const struct memory *m, const char *name)
{
	for (size_t i = 0; i < MEMORY_FILES && m->files[i].name; i++)
		if (strcmp(m->files[i].name, name) == 0)
			return &m->files[i].text;
	return NULL;
}

static size_t whole_lines(const struct sb *text)
{
	size_t len = text->len;

	while (len > 0 && text->buf[len - 1] != '\n')
		len--;
	return len;
}

static int read_all(void *ctx, const char *name, struct sb *ret, struct err *err)
{
	const struct sb *text = memory_text(ctx, name);

	(void)err;
	if (text)
		sb_addn(ret, text->buf, whole_lines(text));
	return 0;
}

static int write_line(struct memory *m, const char *name, const char *line, size_t len, bool whole,
		      struct err *err)
{
	struct sb *text = file_of(m, name);

	if (!text)
		return err_set(err, E_BUG, "memory: one file too many: '%s'", name);
	sb_shrink(text, whole_lines(text));
	sb_addn(text, line, len);
	if (whole)
		sb_addc(text, '\n');
	return 0;
}

static void hear(const struct memory *m, const char *channel, const char *text, size_t len)
{
	if (m->scene)
		m->scene->saw_text(m->scene->ctx, channel, text, len);
}

static int dead(struct err *err)
{
	return err_set(err, E_IO, "the program is dead");
}

static int cannot_write(struct err *err, int code)
{
	return err_set(err, E_IO, "cannot write: %s", strerror(code));
}

/* The string behind the last `"key":"` of a line. Canonical JSON has its keys sorted, so that a member of the record comes after those in it. */
static size_t last_text(const char *line, size_t len, const char *key, const char **ret)
{
	const char *at = line, *found = NULL, *end = line + len;

	while ((at = memmem(at, (size_t)(end - at), key, strlen(key)))) {
		at += strlen(key);
		found = at;
	}
	*ret = found ? found : "";
	at = found ? memchr(found, '"', (size_t)(end - found)) : NULL;
	return at ? (size_t)(at - found) : 0;
}

/* "intent of dev/app.workflow/restart"; and trouble that comes now comes to that step. */
static void describe(struct memory *m, const char *line, size_t len, char *ret, size_t room)
{
	const char *type, *step;
	int type_len = (int)last_text(line, len, "\"type\":\"", &type);
	int step_len = (int)last_text(line, len, "\"step\":\"", &step);

	(void)snprintf(ret, room, "%.*s%s%.*s", type_len, type, step_len ? " of " : "", step_len,
		       step);
	if (step_len)
		troubles_at_step(m->troubles, step, (size_t)step_len);
}

static int lasting(const struct memory *m, struct err *err)
{
	return cannot_write(err, m->lasting == TROUBLE_FULL ? ENOSPC : EIO);
}

static int append(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	struct memory *m = ctx;
	char what[160];
	enum trouble kind;

	if (m->clock->killed)
		return dead(err);
	if (m->lasting)
		return lasting(m, err);
	describe(m, line, len, what, sizeof(what));
	kind = troubles_ask(m->troubles, AT_APPEND, m->clock->now_ms, false, what);
	if (kind == TROUBLE_FULL_ONCE || kind == TROUBLE_EIO_ONCE)
		return cannot_write(err, kind == TROUBLE_FULL_ONCE ? ENOSPC : EIO);
	if (kind == TROUBLE_FULL || kind == TROUBLE_EIO) {
		m->lasting = kind;
		return lasting(m, err);
	}
	m->clock->killed = kind != TROUBLE_NONE;
	if (kind == TROUBLE_KILLED_BEFORE)
		return dead(err);
	hear(m, "journal", line, len);
	if (write_line(m, name, line, kind == TROUBLE_TORN ? len / 2 : len, kind != TROUBLE_TORN,
		       err) < 0)
		return -err->code;
	if (kind == TROUBLE_TORN)
		return dead(err);
	m->appended++;
	return kind ? dead(err) : 0;
}

static int append_beside(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	struct memory *m = ctx;

	hear(m, strcmp(name, INBOX_NAME) == 0 ? "inbox" : "journal", line, len);
	return write_line(m, name, line, len, true, err);
}

static int lock(void *ctx, struct err *err)
{
	struct memory *m = ctx;

	if (m->locked)
		return err_set(err, E_LOCKED, "somebody else holds the lock");
	m->locked = true;
	return 0;
}

static void unlock(void *ctx)
{
	((struct memory *)ctx)->locked = false;
}

static const char *place(void *ctx)
{
	(void)ctx;
	return ".s2sctl";
}

/* ---- secrets ---- */

static int resolve(void *ctx, const char *ref, struct secret **ret, struct err *err)
{
	const struct memory *m = ctx;
	const char *text = value_text(value_get(m->secrets, ref));

	if (!text || !*text)
		return err_set(err, E_IO, "'%s' does not resolve", ref);
	*ret = secret_new(text, strlen(text));
	return 0;
}

static int can_put(void *ctx, const char *ref, struct err *err)
{
	const struct memory *m = ctx;

	if (strncmp(ref, "file:", 5) != 0)
		return err_set(err, E_IO, "'%s' cannot be written; only file: can", ref);
	return m->lasting ? lasting(m, err) : 0;
}

static int put(void *ctx, const char *ref, const struct secret *s, struct err *err)
{
	struct memory *m = ctx;
	enum trouble kind;
	const char *text;
	size_t len;

	if (m->clock->killed)
		return dead(err);
	if (can_put(ctx, ref, err) < 0)
		return -err->code;
	kind = troubles_ask(m->troubles, AT_PUT, m->clock->now_ms, false, ref);
	if (kind == TROUBLE_PUT_FAILS)
		return err_set(err, E_IO, "cannot write '%s': %s", ref, strerror(EIO));
	text = secret_open(s, &len);
	hear(m, "secret-file", text, len);
	value_set(m->arena, m->secrets, ref,
		  value_string(m->arena, arena_strndup(m->arena, text, len)));
	if (kind == TROUBLE_PUT_KILLED) {
		m->clock->killed = true;
		return dead(err);
	}
	return 0;
}

void memory_person_stores(struct memory *m, const char *ref, const char *text)
{
	hear(m, "secret-file", text, strlen(text));
	value_set(m->arena, m->secrets, ref, value_string(m->arena, text));
}

/* ---- life ---- */

void memory_init(struct memory *m, struct sim_clock *clock, struct troubles *troubles,
		 const struct scene *scene, struct arena *a)
{
	*m = (struct memory){
		.clock = clock,
		.troubles = troubles,
		.scene = scene,
		.arena = a,
		.secrets = value_map(a),
	};
	m->store = (struct store){ .ctx = m,
				   .read_all = read_all,
				   .append = append,
				   .lock = lock,
				   .unlock = unlock,
				   .place = place,
				   .memo = &m->memo };
	m->beside = m->store;
	m->beside.append = append_beside;
	m->source = (struct secret_source){
		.ctx = m, .resolve = resolve, .can_put = can_put, .put = put
	};
}

void memory_done(struct memory *m)
{
	journal_memo_done(&m->memo);
	for (size_t i = 0; i < MEMORY_FILES; i++)
		if (m->files[i].name)
			sb_done(&m->files[i].text);
}

void memory_start_process(struct memory *m)
{
	m->locked = false;
	m->lasting = TROUBLE_NONE;
}
