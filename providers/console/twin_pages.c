/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's pages, as far as a migration needs them: the list of projects with its JWT filter, the migration card,
 * "Retrieve client secret", "Review and delete".
 * Source: our notes on the console, section 4, rules 3 to 12; behind them the migration guide and the screenshots of
 * Adobe's own procedure for the Campaign-Dynamics integration.
 *
 * For scripts: ids and names are stable; a card is <section class="card" id="credential-ID" data-status data-client-id
 * data-last-used-jwt data-last-used-oauth>, times in ISO, empty when there is none. Buttons are forms that POST one hidden field
 * `credential`. Every POST answers 303 and leads back to a page; what was refused stands there in id="notice".
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <string.h>

#define TRACKED_SINCE "March 30, 2023" /* the card's own words for "never" */

bool console_pages_serve(const struct twin_req *req)
{
	return req_path(req, 0, "pages") ||
	       (req->segment_count > 1 && strcmp(req->segments[0], "pages") == 0 &&
		strcmp(req->segments[1], "console") == 0);
}

static void notice(const struct twin_req *req, struct sb *out)
{
	if (req_query(req, "notice") == NULL)
		return;
	sb_add(out, "<p class=\"notice\" id=\"notice\">");
	page_text(out, req_query(req, "notice"));
	sb_add(out, "</p>\n");
}

static void link_to(struct sb *out, const char *path, const char *text)
{
	sb_add(out, "<a href=\"");
	page_text(out, path);
	sb_add(out, "\">");
	page_text(out, text);
	sb_add(out, "</a>");
}

/* What the card says of a last use: as precisely as it does. "" for none. */
static const char *card_time(const struct world *w, struct arena *a, int64_t shown)
{
	char text[WHEN_TEXT_MAX];
	size_t cut[] = { 19, 16, 10 };

	if (shown == 0)
		return "";
	(void)when_text(text, shown);
	text[cut[w->sw.card_precision]] = '\0';
	return arena_printf(a, "%s%s", text, w->sw.card_precision == 2 ? "" : "Z");
}

static void last_use(const struct world *w, const struct twin_req *req, struct sb *out,
		     const char *what, const char *id, int64_t shown)
{
	const char *when = card_time(w, req->arena, shown);

	sb_addf(out, "<p id=\"%s\">%s: ", id, what);
	if (*when == '\0')
		sb_add(out, "No access tokens generated since " TRACKED_SINCE);
	else
		sb_addf(out, "Last access token generated on <time>%s</time>", when);
	sb_add(out, ". Figures may lag by up to 10 minutes.</p>\n");
}

static void button(struct sb *out, const struct project *p, const struct credential *c,
		   const char *act, const char *text)
{
	sb_addf(out, "<form method=\"post\" action=\"/pages/console/projects/");
	sb_add_escaped(out, p->id);
	sb_addf(out, "/%s\" id=\"form-%s-", act, act);
	page_text(out, c->id);
	sb_add(out, "\"><input type=\"hidden\" name=\"credential\" value=\"");
	page_text(out, c->id);
	sb_addf(out, "\"><button type=\"submit\" id=\"%s-", act);
	page_text(out, c->id);
	sb_addf(out, "\" name=\"act\" value=\"%s\">%s</button></form>\n", act, text);
}

static void card(const struct world *w, const struct twin_req *req, struct sb *out,
		 const struct project *p, const struct credential *c)
{
	const char *reveal = req_query(req, "reveal");
	const struct client_secret *s = console_newest_secret(c);

	sb_add(out, "<section class=\"card\" id=\"credential-");
	page_text(out, c->id);
	sb_addf(out, "\" data-status=\"%s\" data-client-id=\"", cred_state_name(c->state));
	page_text(out, c->client_id);
	sb_addf(out, "\" data-last-used-jwt=\"%s\"", card_time(w, req->arena, c->jwt.shown));
	sb_addf(out, " data-last-used-oauth=\"%s\">\n<h2>",
		card_time(w, req->arena, c->oauth.shown));
	page_text(out, c->name);
	sb_add(out, "</h2>\n<p>Client ID: <code>");
	page_text(out, c->client_id);
	sb_add(out, "</code>, technical account <code>");
	page_text(out, c->technical_account_id);
	sb_add(out, "</code>, credential <code>");
	page_text(out, c->id);
	sb_add(out, "</code></p>\n");
	if (cred_has_jwt(c)) {
		sb_add(out, "<h3>Service Account (JWT)</h3>\n");
		last_use(w, req, out, "JWT", "last-used-jwt", c->jwt.shown);
	}
	if (c->state == CRED_JWT_ONLY && !p->auto_generated)
		button(out, p, c, "start", "Add new credential");
	if (cred_has_oauth(c)) {
		sb_add(out, "<h3>OAuth Server-to-Server</h3>\n");
		last_use(w, req, out, "OAuth", "last-used-oauth", c->oauth.shown);
		button(out, p, c, "reveal", "Retrieve client secret");
		if (reveal != NULL && strcmp(reveal, c->id) == 0 && s != NULL) {
			sb_add(out, "<p>Client secret: <code id=\"client-secret\">");
			page_text(out, s->value);
			sb_add(out, "</code></p>\n");
		}
	}
	if (c->state == CRED_STARTED) {
		sb_add(out,
		       "<p>Migration in progress: no API can be added or removed, and no client secret rotated, until it is completed or cancelled.</p>\n");
		button(out, p, c, "cancel", "Cancel migration");
		sb_add(out, "<a id=\"review-");
		page_text(out, c->id);
		sb_add(out, "\" href=\"/pages/console/projects/");
		sb_add_escaped(out, p->id);
		sb_add(out, "/review?credential=");
		sb_add_escaped(out, c->id);
		sb_add(out, "\">Review and delete</a>\n");
	}
	sb_add(out, "</section>\n");
}

static void project_page(const struct world *w, const struct twin_req *req, struct twin_resp *resp,
			 const struct project *p)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_CONSOLE, &out, p->title);
	notice(req, &out);
	sb_add(&out, "<p>Project <code id=\"project-id\">");
	page_text(&out, p->id);
	sb_add(&out, "</code>, name <code id=\"project-name\">");
	page_text(&out, p->name);
	sb_add(&out, "</code>, organization <code>");
	page_text(&out, p->org->ims);
	sb_add(&out, "</code></p>\n");
	if (p->auto_generated)
		sb_add(&out,
		       "<p id=\"auto-generated\">This project was generated automatically. Adobe migrates it; it cannot be edited.</p>\n");
	for (size_t i = 0; i < p->space_count; i++) {
		for (size_t k = 0; k < p->spaces[i]->cred_count; k++) {
			if (p->spaces[i]->creds[k]->state != CRED_DELETED)
				card(w, req, &out, p, p->spaces[i]->creds[k]);
		}
	}
	page_end(req, resp, &out, 200);
}

static void review_page(const struct world *w, const struct twin_req *req, struct twin_resp *resp,
			const struct project *p, const struct credential *c)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_CONSOLE, &out, "Review and delete");
	notice(req, &out);
	sb_addf(&out,
		"<section class=\"card\" id=\"review\" data-status=\"%s\" data-last-used-jwt=\"%s\" data-last-used-oauth=\"%s\">\n",
		cred_state_name(c->state), card_time(w, req->arena, c->jwt.shown),
		card_time(w, req->arena, c->oauth.shown));
	last_use(w, req, &out, "Service Account (JWT)", "last-used-jwt", c->jwt.shown);
	last_use(w, req, &out, "OAuth Server-to-Server", "last-used-oauth", c->oauth.shown);
	sb_add(&out,
	       "<p>Deleting the Service Account (JWT) credential completes the migration and cannot be undone.</p>\n"
	       "<form method=\"post\" id=\"form-finalize\" action=\"/pages/console/projects/");
	sb_add_escaped(&out, p->id);
	sb_add(&out, "/finalize\"><input type=\"hidden\" name=\"credential\" value=\"");
	page_text(&out, c->id);
	sb_add(&out,
	       "\">\n<label for=\"project_title\">Type the project's name</label> <input id=\"project_title\" name=\"project_title\" autocomplete=\"off\">\n"
	       "<button type=\"submit\" id=\"confirm\">Confirm and continue</button></form>\n</section>\n");
	page_end(req, resp, &out, 200);
}

/* Whether the left-hand filter "Has Service Account (JWT) credential" keeps it. */
static bool has_jwt(const struct project *p)
{
	for (size_t i = 0; i < p->space_count; i++) {
		for (size_t k = 0; k < p->spaces[i]->cred_count; k++) {
			if (cred_has_jwt(p->spaces[i]->creds[k]))
				return true;
		}
	}
	return false;
}

static void list_page(const struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const char *filter = req_query(req, "filter");
	bool jwt_only = filter != NULL && strcmp(filter, "jwt") == 0;
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_CONSOLE, &out, "Projects");
	notice(req, &out);
	sb_addf(&out,
		"<form method=\"get\" action=\"/pages/console\" id=\"form-filter\"><label><input type=\"checkbox\" name=\"filter\" value=\"jwt\"%s> "
		"Has Service Account (JWT) credential</label> <button type=\"submit\">Filter</button></form>\n<ul id=\"projects\">\n",
		jwt_only ? " checked" : "");
	for (size_t i = 0; i < w->console.org_count; i++) {
		const struct organization *o = w->console.orgs[i];

		for (size_t k = 0; k < o->project_count; k++) {
			const struct project *p = o->projects[k];

			if (p->deleted || (jwt_only && !has_jwt(p)))
				continue;
			sb_add(&out, "<li data-organization=\"");
			page_text(&out, o->id);
			sb_add(&out, "\" data-project=\"");
			page_text(&out, p->id);
			sb_add(&out, "\">");
			link_to(&out, arena_printf(req->arena, "/pages/console/projects/%s", p->id),
				p->title);
			sb_add(&out, " (");
			page_text(&out, o->name);
			sb_add(&out, ")</li>\n");
		}
	}
	sb_add(&out, "</ul>\n");
	page_end(req, resp, &out, 200);
}

static void index_page(const struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_CONSOLE, &out, "Sandbox");
	sb_add(&out, "<ul>\n<li>");
	link_to(&out, "/pages/console", "Adobe Developer Console");
	sb_add(&out, "</li>\n");
	for (size_t i = 0; i < w->apps.count; i++) {
		const char *name = w->apps.list[i]->instance;

		sb_add(&out, "<li>Integration app of ");
		page_text(&out, name);
		sb_add(&out, ": ");
		link_to(&out, arena_printf(req->arena, "/pages/app/%s/settings", name), "Settings");
		sb_add(&out, ", ");
		link_to(&out, arena_printf(req->arena, "/pages/app/%s/workflows", name),
			"Workflows");
		sb_add(&out, "</li>\n");
	}
	sb_add(&out, "</ul>\n");
	page_end(req, resp, &out, 200);
}

static void not_found(const struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_CONSOLE, &out, "Not found");
	page_end(req, resp, &out, 404);
}

static struct credential *project_credential(const struct world *w, const struct project *p,
					     const char *id)
{
	struct credential *c = id != NULL ? console_cred_of_id(w, id) : NULL;

	return c != NULL && c->workspace->project == p ? c : NULL;
}

/* The dialog's own rules; the documented two checks come after the name. */
static int finalize(struct world *w, const struct twin_req *req, const struct project *p,
		    struct credential *c, const char **ret_why)
{
	const char *typed = req_field(req, "project_title");

	if (typed == NULL || strcmp(typed, w->sw.prompt_name == 0 ? p->title : p->name) != 0) {
		*ret_why = "the name typed is not that of the project";
		return -1;
	}
	return console_finalize(w, c, "page", true, ret_why);
}

static void act(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		const struct project *p)
{
	const char *what = req->segments[4], *why = NULL;
	struct credential *c = project_credential(w, p, req_field(req, "credential"));
	const char *home = arena_printf(req->arena, "/pages/console/projects/%s", p->id);

	if (c == NULL) {
		page_back(req, resp, home, "no such credential");
		return;
	}
	if (strcmp(what, "start") == 0) {
		(void)!console_start(w, c, "page", &why);
	} else if (strcmp(what, "cancel") == 0) {
		(void)!console_cancel(w, c, "page", &why);
	} else if (strcmp(what, "reveal") == 0 && cred_has_oauth(c)) {
		world_wrote(w, "console", "reveal-secret", "page", c->id);
		home = arena_printf(req->arena, "%s?reveal=%s", home, c->id);
	} else if (strcmp(what, "finalize") == 0) {
		if (finalize(w, req, p, c, &why) < 0) {
			/* Back to the dialog, which says why. */
			CLEANUP(sb_done) struct sb to = SB_INIT(4096);

			sb_addf(&to, "%s/review?credential=%s&notice=", home, c->id);
			sb_add_escaped(&to, why);
			page_back(req, resp, arena_strndup(req->arena, to.buf, to.len), NULL);
			return;
		}
	} else {
		not_found(w, req, resp);
		return;
	}
	page_back(req, resp, home, why);
}

void console_pages_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const struct project *p =
		req->segment_count > 3 && strcmp(req->segments[2], "projects") == 0 ?
			console_project_of_id(w, req->segments[3]) :
			NULL;
	const struct credential *c;
	bool get = req_is(req, "GET");

	if (get && req_path(req, 0, "pages"))
		index_page(w, req, resp);
	else if (get && req_path(req, 0, "pages/console"))
		list_page(w, req, resp);
	else if (get && p != NULL && req_path(req, 4, ""))
		project_page(w, req, resp, p);
	else if (get && p != NULL && req_path(req, 4, "review") &&
		 (c = project_credential(w, p, req_query(req, "credential"))) != NULL)
		review_page(w, req, resp, p, c);
	else if (req_is(req, "POST") && p != NULL && req_path(req, 4, "*"))
		act(w, req, resp, p);
	else
		not_found(w, req, resp);
}
