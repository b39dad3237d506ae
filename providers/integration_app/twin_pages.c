/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The integration app's pages: settings and workflows.
 * Source: our notes on the app, sections 3.2 and 4; behind them the self-service app's pages on settings and workflows.
 *
 * For scripts: /pages/app/<instance>/settings has form-settings with auth_type, client_id, client_secret, private_key,
 * and <section id="settings" data-auth-type data-client-id data-saved-at data-pending-edits>.
 * /pages/app/<instance>/workflows has a row <tr id="workflow-NAME" data-status data-backlog data-pending-edits
 * data-started-at data-scheduled-replay> for each, with buttons start-NAME and stop-NAME that POST `workflow` and `act`.
 * Every POST answers 303; what was refused stands in id="notice". Secrets that are stored are never shown.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <string.h>

bool app_pages_serve(const struct twin_req *req)
{
	return req->segment_count > 3 && strcmp(req->segments[0], "pages") == 0 &&
	       strcmp(req->segments[1], "app") == 0;
}

static const char *instant(const struct world *w, char buf[WHEN_TEXT_MAX], int64_t true_ms)
{
	return true_ms == 0 ? "" : when_text(buf, world_clock(w, SYS_BRIDGE, true_ms));
}

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void begin(const struct world *w, const struct twin_req *req, struct sb *out,
		  const struct app *a, const char *title)
{
	page_begin(w, SYS_BRIDGE, out, title);
	sb_add(out, "<p>INSTANCE <code id=\"instance\">");
	page_text(out, a->instance);
	sb_add(out, "</code>, ORG <code>");
	page_text(out, a->organization_id);
	sb_add(out, "</code></p>\n");
	if (req_query(req, "notice") == NULL)
		return;
	sb_add(out, "<p class=\"notice\" id=\"notice\">");
	page_text(out, req_query(req, "notice"));
	sb_add(out, "</p>\n");
}

static void read_only(struct sb *out, const char *label, const char *id, const char *text)
{
	sb_addf(out, "<p>%s: <code id=\"%s\">", label, id);
	page_text(out, text);
	sb_add(out, "</code></p>\n");
}

static void settings_page(const struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct app *a)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	char saved[WHEN_TEXT_MAX];
	bool pending = false;

	for (size_t i = 0; i < WF_COUNT; i++)
		pending = pending ||
			  (a->flows[i].status != WF_STOPPED && a->flows[i].using != a->saved);
	begin(w, req, &out, a, "Settings");
	sb_addf(&out,
		"<section class=\"card\" id=\"settings\" data-auth-type=\"%s\" data-client-id=\"",
		a->saved->oauth ? "oauth" : "jwt");
	page_text(&out, a->saved->client_id);
	sb_addf(&out,
		"\" data-saved-at=\"%s\" data-pending-edits=\"%s\">\n<h2>Adobe API credentials</h2>\n",
		instant(w, saved, a->saved_at), yes(pending));
	sb_add(&out, "<form method=\"post\" id=\"form-settings\" action=\"/pages/app/");
	sb_add_escaped(&out, a->instance);
	sb_addf(&out,
		"/settings\">\n<p>Auth type: <label><input type=\"radio\" name=\"auth_type\" id=\"auth_type_jwt\" value=\"jwt\"%s> JWT</label> "
		"<label><input type=\"radio\" name=\"auth_type\" id=\"auth_type_oauth\" value=\"oauth\"%s> Oauth</label></p>\n",
		a->saved->oauth ? "" : " checked", a->saved->oauth ? " checked" : "");
	sb_add(&out,
	       "<p><label for=\"client_id\">Client ID</label> <input id=\"client_id\" name=\"client_id\" value=\"");
	page_text(&out, a->saved->client_id);
	sb_add(&out,
	       "\"></p>\n<p><label for=\"client_secret\">Client Secret</label> <input id=\"client_secret\" name=\"client_secret\" type=\"password\" autocomplete=\"off\"></p>\n"
	       "<p><label for=\"private_key\">Private Key (JWT only)</label> <textarea id=\"private_key\" name=\"private_key\"></textarea></p>\n");
	read_only(&out, "Technical Account ID", "technical_account_id", a->technical_account_id);
	read_only(&out, "Technical Account Email", "technical_account_email",
		  a->technical_account_email);
	read_only(&out, "Organization ID", "organization_id", a->organization_id);
	read_only(&out, "adobe.io Integration ID", "integration_id", a->integration_id);
	read_only(&out, "adobe.io Org ID", "org_id", a->org_id);
	read_only(&out, "URL", "url", a->url);
	sb_add(&out, "<button type=\"submit\" id=\"save\">Save</button></form>\n</section>\n");
	page_end(req, resp, &out, 200);
}

static void flow_button(struct sb *out, const struct app *a, const struct workflow *f,
			const char *act, const char *text)
{
	sb_add(out, "<form method=\"post\" action=\"/pages/app/");
	sb_add_escaped(out, a->instance);
	sb_addf(out,
		"/workflows\"><input type=\"hidden\" name=\"workflow\" value=\"%s\"><button type=\"submit\" id=\"%s-%s\" name=\"act\" value=\"%s\">%s</button></form>",
		f->name, act, f->name, act, text);
}

static void workflows_page(const struct world *w, const struct twin_req *req,
			   struct twin_resp *resp, const struct app *a)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	char started[WHEN_TEXT_MAX];

	begin(w, req, &out, a, "Workflows");
	sb_add(&out,
	       "<table id=\"workflows\">\n<tr><th>Name</th><th>Backlog</th><th>Status</th><th>Actions</th></tr>\n");
	for (size_t i = 0; i < WF_COUNT; i++) {
		const struct workflow *f = &a->flows[i];
		bool pending = wf_pending_edits(f);

		sb_addf(&out,
			"<tr id=\"workflow-%s\" data-status=\"%s\" data-backlog=\"%" PRId64
			"\" data-pending-edits=\"%s\" data-started-at=\"%s\" data-scheduled-replay=\"%s\">",
			f->name, wf_status_name(f->status), wf_backlog(w, f), yes(pending),
			instant(w, started, f->started), yes(f->scheduled_replay));
		sb_addf(&out, "<td>%s</td><td>%" PRId64 "</td><td>%s</td><td>", f->title,
			wf_backlog(w, f), wf_status_name(f->status));
		if (f->status == WF_STOPPED || f->status == WF_FAILED)
			flow_button(&out, a, f, "start", "Start");
		if (f->status != WF_STOPPED)
			flow_button(&out, a, f, "stop", pending ? "Stop &#9888;" : "Stop");
		sb_add(&out, "</td></tr>\n");
	}
	sb_add(&out, "</table>\n");
	page_end(req, resp, &out, 200);
}

static void not_found(const struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	page_begin(w, SYS_BRIDGE, &out, "Not found");
	page_end(req, resp, &out, 404);
}

static void save(struct world *w, const struct twin_req *req, struct twin_resp *resp, struct app *a,
		 const char *home)
{
	const char *auth = req_field(req, "auth_type"), *why = NULL;
	bool oauth = auth != NULL && strcmp(auth, "oauth") == 0;

	if (!oauth && (auth == NULL || strcmp(auth, "jwt") != 0))
		why = "choose an auth type";
	else
		(void)!app_save(w, a, oauth, req_field(req, "client_id"),
				oauth ? req_field(req, "client_secret") : NULL,
				oauth ? NULL : req_field(req, "private_key"), "page", &why);
	page_back(req, resp, home, why);
}

static void push_button(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			struct app *a, const char *home)
{
	const char *name = req_field(req, "workflow"), *act = req_field(req, "act");
	struct workflow *f = name != NULL ? app_flow(a, name) : NULL;
	const char *why = NULL;

	if (f == NULL || act == NULL || (strcmp(act, "start") != 0 && strcmp(act, "stop") != 0))
		why = "no such button";
	else if ((strcmp(act, "start") == 0 ? wf_start(w, f, "page") : wf_stop(w, f, "page")) < 0)
		why = "the workflow is still being stopped";
	page_back(req, resp, home, why);
}

void app_pages_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct app *a = app_find(w, req->segments[2]);
	bool settings = req_path(req, 3, "settings"), workflows = req_path(req, 3, "workflows");
	CLEANUP(sb_done) struct sb home = SB_INIT(4096);

	sb_add(&home, "/pages/app/");
	sb_add_escaped(&home, req->segments[2]);
	sb_add(&home, settings ? "/settings" : "/workflows");
	if (a == NULL || !(settings || workflows))
		not_found(w, req, resp);
	else if (req_is(req, "POST") && settings)
		save(w, req, resp, a, home.buf);
	else if (req_is(req, "POST"))
		push_button(w, req, resp, a, home.buf);
	else if (settings)
		settings_page(w, req, resp, a);
	else
		workflows_page(w, req, resp, a);
}
