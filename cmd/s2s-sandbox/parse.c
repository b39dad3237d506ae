/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/parse.h"

#include "core/io/json.h"

#include <string.h>
#include <strings.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *parse_decode(struct arena *a, const char *text, size_t len, bool plus)
{
	char *out = arena_alloc(a, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = len - i > 2 ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == '\0')
			return NULL;
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

int parse_path(struct arena *a, const char *path, const char *const **ret, size_t *ret_count,
	       struct err *err)
{
	const char **list = arena_array(a, PARSE_SEGMENTS_MAX + 1, sizeof(*list));
	size_t count = 0, len = strlen(path);

	if (path[0] != '/')
		return err_set(err, E_REMOTE, "the path does not begin with '/'");
	while (len > 0 && path[len - 1] == '/')
		len--;
	for (size_t at = 1; at <= len && len > 0;) {
		const char *slash = memchr(path + at, '/', len - at);
		size_t end = slash ? (size_t)(slash - path) : len;
		const char *text = parse_decode(a, path + at, end - at, false);

		if (!text)
			return err_set(err, E_REMOTE, "a path segment has a bad escape or NUL");
		if (strchr(text, '/'))
			return err_set(err, E_REMOTE, "a path segment decodes to one with '/'");
		if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
			return err_set(err, E_REMOTE, "the path has an empty or dot segment");
		if (count == PARSE_SEGMENTS_MAX)
			return err_set(err, E_REMOTE, "the path has more than %d segments",
				       PARSE_SEGMENTS_MAX);
		list[count++] = text;
		at = end + 1;
	}
	*ret = list;
	*ret_count = count;
	return 0;
}

int parse_form(struct arena *a, const char *text, size_t len, struct value **ret, struct err *err)
{
	struct value *map = value_map(a);

	for (size_t at = 0, fields = 0; at < len; fields++) {
		const char *amp = memchr(text + at, '&', len - at);
		size_t end = amp ? (size_t)(amp - text) : len;
		const char *eq = memchr(text + at, '=', end - at);
		size_t name_end = eq ? (size_t)(eq - text) : end;
		size_t value_at = eq ? name_end + 1 : end;
		const char *name = parse_decode(a, text + at, name_end - at, true);
		const char *val = parse_decode(a, text + value_at, end - value_at, true);

		if (!name || !val)
			return err_set(err, E_REMOTE, "a broken escape or NUL in a query or form");
		if (fields == PARSE_FIELDS_MAX)
			return err_set(err, E_REMOTE, "more than %d fields in a query or form",
				       PARSE_FIELDS_MAX);
		if (end > at)
			value_set(a, map, name, value_string(a, val));
		at = end + 1;
	}
	*ret = map;
	return 0;
}

/* The value of a parameter such as boundary in `a/b; boundary="x"`, or NULL. */
static const char *header_parameter(struct arena *a, const char *header, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *p = strchr(header, ';'); p; p = strchr(p, ';')) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, name_len) == 0 && p[name_len] == '=') {
			p += name_len + 1;
			if (*p == '"')
				return arena_strndup(a, p + 1, strcspn(p + 1, "\""));
			return arena_strndup(a, p, strcspn(p, "; \t\r\n"));
		}
	}
	return NULL;
}

static const char *find(const char *from, const char *end, const char *what)
{
	return memmem(from, (size_t)(end - from), what, strlen(what));
}

/* The name in a part's Content-Disposition line, or NULL. */
static const char *part_name(struct arena *a, const char *head, size_t len)
{
	const char *text = arena_strndup(a, head, len);
	const char *line = strcasestr(text, "content-disposition:");

	if (!line)
		return NULL;
	return header_parameter(a, arena_strndup(a, line, strcspn(line, "\r\n")), "name");
}

static const struct value *parse_multipart(struct arena *a, const char *content_type,
					   const char *body, size_t len)
{
	const char *boundary = header_parameter(a, content_type, "boundary");
	const char *end = body + len;
	struct value *map = value_map(a);
	const char *mark, *between, *p;

	if (!boundary || !*boundary)
		return NULL;
	mark = arena_printf(a, "--%s", boundary);
	between = arena_printf(a, "\r\n%s", mark);
	p = find(body, end, mark);
	for (size_t fields = 0; p && fields < PARSE_FIELDS_MAX; fields++) {
		const char *head = p + strlen(mark);
		const char *blank, *stop, *name;

		if (end - head >= 2 && memcmp(head, "--", 2) == 0)
			return map;
		blank = find(head, end, "\r\n\r\n");
		stop = blank ? find(blank + 4 - 2, end, between) : NULL;
		if (!stop)
			return NULL;
		name = part_name(a, head, (size_t)(blank - head));
		/* An empty part ends where its own blank line ends. */
		blank = stop < blank + 4 ? stop : blank + 4;
		if (!name || memchr(blank, '\0', (size_t)(stop - blank)))
			return NULL;
		value_set(a, map, name,
			  value_string(a, arena_strndup(a, blank, (size_t)(stop - blank))));
		p = stop + 2;
	}
	return NULL;
}

static bool type_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	return content_type && strncasecmp(content_type, type, len) == 0 &&
	       strchr("; \t", content_type[len]) != NULL; /* strchr finds the terminator too */
}

static bool type_is_json(const char *content_type, const char *body)
{
	size_t len = content_type ? strcspn(content_type, "; \t") : 0;

	if (!content_type)
		return body[0] == '{' || body[0] == '[';
	return type_is(content_type, "application/json") ||
	       (len > 5 && strncasecmp(content_type + len - 5, "+json", 5) == 0);
}

const struct value *parse_body(struct arena *a, const char *content_type, const char *body,
			       size_t len)
{
	struct err ignored = ERR_INIT; /* NULL says it */
	struct value *v = NULL;

	if (len == 0)
		return NULL;
	if (type_is_json(content_type, body)) {
		if (json_parse(a, body, len, NULL, NULL, NULL, &v, &ignored) < 0)
			return NULL;
		return v;
	}
	if (type_is(content_type, "multipart/form-data"))
		return parse_multipart(a, content_type, body, len);
	if (content_type && !type_is(content_type, "application/x-www-form-urlencoded"))
		return NULL;
	if (parse_form(a, body, len, &v, &ignored) < 0)
		return NULL;
	return v;
}

bool parse_host_is_loopback(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; host && i < ARRAY_LEN(names); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(host, names[i], len) == 0 &&
		    (host[len] == '\0' || host[len] == ':'))
			return true;
	}
	return false;
}
