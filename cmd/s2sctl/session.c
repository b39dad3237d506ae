/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/redact.h"

static const struct opt *common_options(struct session *s, struct opt table[8])
{
	size_t n = 0;

	table[n++] = (struct opt){ "help", 'h', OPT_FLAG, NULL, "this help", &s->common.help };
	table[n++] = (struct opt){ "color",         0, OPT_TEXT, "WHEN", "auto, always or never",
				   &s->common.color };
	table[n++] =
		(struct opt){ "debug",
			      0,
			      OPT_MAYBE,
			      "CATEGORIES",
			      "talk about what happens: http, plan, engine, gate, journal, or all",
			      &s->common.debug };
	table[n] = (struct opt){ 0 };
	return table;
}

void session_out(struct session *s, struct sb *text)
{
	redact_text(text);
	s->p->out(s->p->ctx, text->buf, text->len);
}

void session_talk(struct session *s, const struct sb *text)
{
	CLEANUP(sb_done) struct sb clean = SB_INIT(SB_TEXT_MAX);

	sb_addn(&clean, text->buf, text->len);
	redact_text(&clean);
	s->p->talk(s->p->ctx, clean.buf, clean.len);
}

void session_talkf(struct session *s, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&text, fmt, ap);
	va_end(ap);
	session_talk(s, &text);
}

int session_fail(struct session *s, const struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(8192);

	err_print(err, &text);
	session_talk(s, &text);
	return err_exit_status(err->code);
}

static bool wants_color(const struct session *s)
{
	const char *no = s->p->sys->getenv(s->p->sys->ctx, "NO_COLOR");
	const char *term = s->p->sys->getenv(s->p->sys->ctx, "TERM");

	if (s->common.color && strcmp(s->common.color, "auto") != 0)
		return strcmp(s->common.color, "always") == 0;
	return s->p->out_is_terminal && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static bool speaks_utf8(const struct session *s)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = s->p->sys->getenv(s->p->sys->ctx, names[i]);

		if (v && *v)
			return strstr(v, "UTF-8") || strstr(v, "utf8") || strstr(v, "utf-8");
	}
	return false;
}

struct report_style session_style(const struct session *s)
{
	return (struct report_style){
		.color = wants_color(s),
		.width = s->p->width ? s->p->width : 100,
		.utf8 = speaks_utf8(s),
		.registry = s->p->registry,
	};
}

bool session_wants_json(struct session *s, bool *ret_json, int *ret_exit)
{
	const struct report_format *f;

	if (report_format_find(s->common.format, SOURCE_RESULT, &f, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	*ret_json = strcmp(f->name, "json") == 0;
	return true;
}

static void show_help(struct session *s, const struct command *c, const struct opt *own,
		      const struct opt *common)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);

	sb_addf(&text, "usage: s2sctl %s%s%s\n\n%s\n\n", c->name, c->args ? " " : "",
		c->args ? c->args : "", c->doc);
	opt_help(own, &text);
	opt_help(common, &text);
	session_out(s, &text);
}

static bool set_time_scale(struct session *s)
{
	char *end;
	long long n;

	if (!s->common.time_scale)
		return true;
	n = strtoll(s->common.time_scale, &end, 10);
	if (!*s->common.time_scale || *end || n < 1 || n > 1000000) {
		err_set(&s->err, E_USAGE, "--time-scale is a number from 1 to 1000000, not '%s'",
			s->common.time_scale);
		return false;
	}
	s->p->set_time_scale(s->p->ctx, n);
	return true;
}

static void debug_sink(void *ctx, const char *line, size_t len)
{
	const struct program *p = ctx;
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	sb_addn(&text, line, len);
	sb_addc(&text, '\n');
	p->talk(p->ctx, text.buf, text.len);
}

static void *ctx_of(const struct program *p)
{
	union {
		const struct program *in;
		void *out;
	} u = { .in = p }; /* log.h hands the pointer back as it is */

	return u.out;
}

bool session_options(struct session *s, const struct command *c, const struct opt *own, int argc,
		     const char *const *argv, size_t words_min, size_t words_max, int *ret_exit)
{
	struct opt table[8];
	const struct opt *common = common_options(s, table);

	diags_init(&s->diags, &s->arena);
	if (opt_parse(own, common, argc, argv, &s->words, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	if (s->common.help) {
		show_help(s, c, own, common);
		*ret_exit = 0;
		return false;
	}
	if (s->words.count < words_min || s->words.count > words_max) {
		err_set(&s->err, E_USAGE, "usage: s2sctl %s%s%s", c->name, c->args ? " " : "",
			c->args ? c->args : "");
		err_hint(&s->err, "`s2sctl %s --help` explains", c->name);
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	if (s->common.color && strcmp(s->common.color, "auto") != 0 &&
	    strcmp(s->common.color, "always") != 0 && strcmp(s->common.color, "never") != 0)
		err_set(&s->err, E_USAGE, "--color is auto, always or never, not '%s'",
			s->common.color);
	if (s->err.code || !set_time_scale(s)) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	if (s->common.debug)
		log_open(debug_sink, ctx_of(s->p), *s->common.debug ? s->common.debug : "all");
	return true;
}

static void put_findings(struct session *s, const char *path)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(REPORT_BYTES_MAX);
	struct report r;

	report_from_diags(&r, &s->arena, path, &s->diags);
	s->format->write(&r, &(struct report_options){ .tool_version = S2SCTL_VERSION }, &out);
	session_out(s, &out);
}

/* Each variable that is not set is a note of its own, and they are many: one line for all of them. */
static void forget_unset(struct session *s)
{
	size_t kept = 0, unset = 0;

	for (size_t i = 0; s->common.no_env && i < s->diags.count; i++) {
		const struct diag *d = &s->diags.list[i];

		if (d->level == DIAG_NOTE && strcmp(d->rule, "env-missing") == 0)
			unset++;
		else
			s->diags.list[kept++] = *d;
	}
	if (!unset)
		return;
	s->diags.count = kept;
	session_talkf(s,
		      "note: what %zu environment variable%s would hold is not checked: not set\n",
		      unset, unset == 1 ? "" : "s");
}

bool session_load(struct session *s, const char *path, int *ret_exit)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	int rc = (s->common.no_env ? rollout_load_without_env :
				     rollout_load)(path, s->p->registry, s->p->sys, &s->arena,
						   &s->rollout, &s->diags);

	forget_unset(s);
	diags_print(&s->diags, &text);
	session_talk(s, &text);
	if (rc < 0) {
		session_talkf(s, "%s: %zu error%s; nothing was sent\n", path, s->diags.errors,
			      s->diags.errors == 1 ? "" : "s");
		if (s->format && s->format->is_findings)
			put_findings(s, path);
		*ret_exit = 64;
		return false;
	}
	return true;
}

bool session_store(struct session *s, int *ret_exit)
{
	const char *folder = s->common.state ? s->common.state :
			     s->rollout      ? s->rollout->state :
					       ".s2sctl";

	struct store_owner me = { .pid = s->p->pid };

	(void)ret_exit;
	(void)snprintf(me.user, sizeof(me.user), "%s", s->p->user ? s->p->user : "");
	(void)snprintf(me.host, sizeof(me.host), "%s", s->p->host ? s->p->host : "");
	(void)snprintf(me.boot, sizeof(me.boot), "%s", s->p->boot ? s->p->boot : "");
	s->store = file_store_new(folder);
	file_store_own(s->store, &me);
	return true;
}

const char *session_state_option(struct session *s)
{
	const char *folder = s->common.state ? s->common.state : s->rollout->state;

	return strcmp(folder, ".s2sctl") == 0 || strcmp(folder, "./.s2sctl") == 0 ?
		       "" :
		       arena_printf(&s->arena, " --state %s", folder);
}

static bool is_loopback(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
	       strncmp(host, "[::1]", 5) == 0;
}

/* Scaled time is for sandboxes: with a real system in the file it is refused. */
static bool may_scale(struct session *s)
{
	for (const struct rollout_env **env = s->envs; *env; env++) {
		const struct value *conns = value_get((*env)->want, "connections");

		for (size_t i = 0; i < value_count(conns); i++) {
			const char *url = value_text(value_get(value_at(conns, i), "url"));

			if (url && !is_loopback(url)) {
				err_set(&s->err, E_USAGE,
					"--time-scale is for sandboxes: connection '%s' of '%s' is not on this machine",
					value_key_at(conns, i), (*env)->name);
				return false;
			}
		}
	}
	return true;
}

bool session_select(struct session *s, int *ret_exit)
{
	size_t n = 0;

	s->envs = arena_array(&s->arena, s->rollout->env_count + s->common.env.count + 1,
			      sizeof(struct rollout_env *));
	for (size_t i = 0; i < s->common.env.count; i++) {
		const struct rollout_env *env =
			rollout_find_env(s->rollout, s->common.env.items[i]);

		if (!env) {
			err_set(&s->err, E_USAGE, "'%s' has no environment '%s'", s->rollout->path,
				s->common.env.items[i]);
			*ret_exit = session_fail(s, &s->err);
			return false;
		}
		s->envs[n++] = env;
	}
	if (!n)
		for (size_t i = 0; i < s->rollout->env_count; i++)
			s->envs[n++] = &s->rollout->envs[i];
	if (s->common.time_scale && !may_scale(s)) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	s->secrets = secrets_new(s->rollout->folder, s->p->sys);
	return session_store(s, ret_exit);
}

struct missing {
	struct session *s;
	struct value *
		seen; /* "reference line:col" -> true: environments share what `defaults` and `connections` say */
	size_t count;
};

static void need_secret(void *arg, const struct rollout_secret *rs)
{
	struct missing *m = arg;
	const struct secret_source *src = secrets_source(m->s->secrets);
	struct secret *secret = NULL;
	struct err err = ERR_INIT;
	const char *key;

	/* A command is run when its text is needed: it may ask somebody, and may be slow. */
	if (rs->is_late || strncmp(rs->ref, "exec:", 5) == 0)
		return;
	key = arena_printf(&m->s->arena, "%s %u:%u", rs->ref, rs->pos.line, rs->pos.col);
	if (value_get(m->seen, key))
		return;
	value_set(&m->s->arena, m->seen, key, value_bool(&m->s->arena, true));
	if (src->resolve(src->ctx, rs->ref, &secret, &err) < 0) {
		m->count++;
		diags_add(
			&m->s->diags, DIAG_ERROR, rs->pos, "secret-missing",
			"set it, or write {ref: ..., late: true} when a step of the rollout makes it",
			"%s: %s", rs->path, err.msg);
	}
	secret_free(secret);
}

bool session_connect(struct session *s, int *ret_exit)
{
	struct missing m = { .s = s };
	const struct transport *t = NULL;

	diags_init(&s->diags, &s->arena);
	m.seen = value_map(&s->arena);
	for (const struct rollout_env **env = s->envs; *env; env++)
		rollout_secret_refs(s->rollout, *env, need_secret, &m);
	if (m.count) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		diags_sort(&s->diags);
		diags_print(&s->diags, &text);
		session_talk(s, &text);
		session_talkf(s, "nothing was sent\n");
		*ret_exit = 64;
		return false;
	}
	if (s->p->transport(s->p->ctx, &t, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	s->clocks = (struct clocks){ .sys = s->p->sys };
	s->calls = (struct caller_options){
		.sys = s->p->sys,
		.transport = t,
		.secrets = secrets_source(s->secrets),
		.clocks = &s->clocks,
		.registry = s->p->registry,
		.rollout = s->rollout,
	};
	return true;
}

void session_done(struct session *s)
{
	file_store_free(s->store);
	secrets_free(s->secrets);
	arena_done(&s->arena);
}
