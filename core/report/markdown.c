/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "core/report/markdown_private.h"

#define LAST_LINE 400u /* bytes kept for the words on what was cut */

/* ---- blocks ---- */

/* What is in md->block stands whole on the page, or not at all. */
static void end_block(struct md *md, enum md_block kind)
{
	if (md->is_full || md->out->len + md->block.len > md->room) {
		md->is_full = true;
		md->left[kind]++;
	} else {
		sb_addn(md->out, md->block.buf, md->block.len);
	}
	sb_reset(&md->block);
}

static void end_table(struct md *md)
{
	if (!md->is_full)
		sb_addc(md->out, '\n');
}

static void put_cut(struct md *md)
{
	static const char *const one[] = { "paragraph", "table row", "folded step" };
	static const char *const many[] = { "paragraphs", "table rows", "folded steps" };
	const char *comma = "";

	if (!md->is_full)
		return;
	sb_add(md->out, "\n**Cut here**, to stay short enough: ");
	for (size_t i = 0; i < MD_KINDS; i++) {
		if (!md->left[i])
			continue;
		sb_addf(md->out, "%s%zu %s", comma, md->left[i],
			md->left[i] == 1 ? one[i] : many[i]);
		comma = ", ";
	}
	sb_add(md->out, " left out; the HTML and the text of `s2sctl show` have all of them.\n");
}

/* ---- head ---- */

/* `--` would end a comment for some readers. */
static void put_marker(struct md *md, const struct report_run *run)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(SB_TEXT_MAX);
	char last = ' ';

	text_add(&path, run->rollout, 300);
	sb_addf(md->out, "<!-- s2sctl %s ", md->r->source == REPORT_PLAN ? "plan" : "journal");
	for (const char *p = path.buf; *p; last = *p++) {
		char text[2] = { *p, '\0' };

		if (*p == '-' && last == '-')
			sb_add(md->out, "%2D");
		else if (*p == '/')
			sb_addc(md->out, '/');
		else
			sb_add_escaped(md->out, text);
	}
	sb_add(md->out, " -->\n");
}

static void put_title(struct md *md, const struct report_run *run)
{
	struct sb *b = &md->block;
	bool is_plan = md->r->source == REPORT_PLAN;

	sb_addf(b, "## %s for ", is_plan ? "Plan" : "Journal");
	md_code(b, *run->rollout ? run->rollout : "an unknown file", CUT_VALUE);
	sb_add(b, "\n\n**");
	report_headline(md->r, run, b);
	sb_add(b, "**\n\n");
	end_block(md, MD_TEXT);
}

static void add_count(struct sb *b, const char *comma, size_t n, const char *one, const char *many)
{
	sb_addf(b, "%s%zu %s", comma, n, n == 1 ? one : many);
}

static void put_facts(struct md *md, const struct report_run *run)
{
	struct sb *b = &md->block;

	sb_add(b, "- ");
	add_count(b, "", run->env_count, "environment", "environments");
	add_count(b, ", ", run->step_count, "step", "steps");
	sb_addf(b, ", **%zu irreversible**, %zu by a person\n", run->irreversible, run->by_person);
	if (md->r->source == REPORT_PLAN) {
		sb_add(b, "- Observed ");
		md_code(b, run->made_at, CUT_NAME);
		if (run->step_count) {
			sb_add(b, ", finished at the earliest ");
			text_add_span(b, run->finish_ms);
			sb_add(b, " after the start");
		}
		sb_addc(b, '\n');
	} else {
		sb_add(b, "- Begun ");
		md_code(b, run->began_at, CUT_NAME);
		sb_addf(b, *run->ended ? ", %s " : "%s", run->ended);
		md_code(b, run->ended_at, CUT_NAME);
		if (*run->until) {
			sb_add(b, ", goes on at the earliest ");
			md_code(b, run->until, CUT_NAME);
		}
		sb_addf(b, "; %zu answers of people, %zu own tokens of migrating clients\n",
			run->attested, run->mints);
	}
	for (size_t i = 0; i < value_count(run->approvals); i++) {
		sb_add(b, "- Must approve: ");
		md_code_value(b, value_at(run->approvals, i), CUT_TEXT);
		sb_addc(b, '\n');
	}
	sb_addc(b, '\n');
	end_block(md, MD_TEXT);
}

/* ---- what stands in the way, and who is asked ---- */

static void put_finding(struct md *md, const struct report_finding *f)
{
	struct sb *b = &md->block;

	sb_addf(b, "- **%s** ", f->label);
	if (*f->env) {
		md_code(b, f->env, CUT_NAME);
		sb_add(b, ": ");
	}
	md_prose(b, f->text, CUT_TEXT);
	if (*f->rule) {
		sb_add(b, " (");
		md_code(b, f->rule, CUT_NAME);
		if (f->pos.line) {
			CLEANUP(sb_done) struct sb at = SB_INIT(SB_TEXT_MAX);

			text_add(&at, f->pos.file, CUT_VALUE);
			sb_addf(&at, ":%u:%u", f->pos.line, f->pos.col);
			sb_add(b, ", ");
			md_code(b, at.buf, CUT_VALUE);
		}
		sb_addc(b, ')');
	}
	sb_addc(b, '\n');
	if (*f->hint) {
		sb_add(b, "  - hint: ");
		md_prose(b, f->hint, CUT_TEXT);
		sb_addc(b, '\n');
	}
	end_block(md, MD_ROW);
}

static void put_findings(struct md *md, const struct report_run *run)
{
	bool any = false;

	for (int level = LEVEL_ERROR; level >= LEVEL_NOTE; level--)
		for (size_t i = 0; i < md->r->finding_count; i++) {
			const struct report_finding *f = &md->r->findings[i];

			/* Facts to attest are told by put_asks. */
			if ((int)f->level != level || strcmp(f->run, run->id) != 0 ||
			    strcmp(f->rule, "attest") == 0)
				continue;
			put_finding(md, f);
			any = true;
		}
	if (any)
		end_table(md);
}

static void put_asks(struct md *md, const struct report_run *run)
{
	struct sb *b = &md->block;
	bool any = false;

	/* A journal tells who was asked, and when. */
	for (size_t e = 0; e < run->env_count && md->r->source == REPORT_PLAN; e++)
		for (size_t i = 0; i < run->envs[e].ask_count; i++) {
			const struct report_ask *k = &run->envs[e].asks[i];

			sb_addf(b, "- **%s** ",
				k->is_now ? "a person is asked now" : "a person will be asked");
			md_code(b, run->envs[e].name, CUT_NAME);
			sb_add(b, ": ");
			md_code_value(b, k->facts, CUT_TEXT);
			sb_add(b, " of ");
			md_code(b, k->thing, CUT_NAME);
			if (*k->step) {
				sb_add(b, " by ");
				md_code(b, k->step, CUT_VALUE);
				sb_add(b, ", at the earliest +");
				text_add_span(b, k->earliest_ms);
			}
			sb_addc(b, '\n');
			end_block(md, MD_ROW);
			any = true;
		}
	if (any)
		end_table(md);
}

/* ---- tables ---- */

static void put_env_row(struct md *md, const struct report_env *e)
{
	struct sb *b = &md->block;
	size_t never = 0;

	for (size_t i = 0; i < e->place_count; i++)
		never += e->places[i].step->is_irreversible;
	sb_add(b, "| ");
	md_code(b, e->name, CUT_NAME);
	if (md->r->source == REPORT_JOURNAL)
		sb_addf(b, " | %zu of %zu done | ", e->done, e->place_count);
	else
		sb_addf(b, " | %s | ", report_outlook_words(e));
	if (e->title)
		md_code_value(b, e->title, CUT_NAME);
	sb_add(b, " | ");
	if (e->client_id)
		md_code_value(b, e->client_id, CUT_NAME);
	sb_addf(b, " | %zu | %zu |\n", e->place_count, never);
	end_block(md, MD_ROW);
}

static void put_envs(struct md *md, const struct report_run *run)
{
	if (!run->env_count)
		return;
	sb_addf(&md->block,
		"| Environment | %s | Project | Client id | Steps | Irreversible |\n"
		"|---|---|---|---|--:|--:|\n",
		md->r->source == REPORT_JOURNAL ? "State" : "Outlook");
	end_block(md, MD_TEXT);
	for (size_t i = 0; i < run->env_count; i++)
		put_env_row(md, &run->envs[i]);
	end_table(md);
}

static void add_when(struct md *md, const struct report_step *s)
{
	struct sb *b = &md->block;

	if (md->r->source == REPORT_JOURNAL) {
		md_code(b, *s->ended_at ? s->ended_at : s->began_at, CUT_NAME);
		return;
	}
	sb_addc(b, '+');
	text_add_span(b, s->start_ms);
	if (s->end_ms > s->start_ms) {
		sb_add(b, " to +");
		text_add_span(b, s->end_ms);
	}
}

static void put_step_row(struct md *md, const struct report_place *p)
{
	const struct report_step *s = p->step;
	struct sb *b = &md->block;

	sb_add(b, "| ");
	md_code(b, s->phase, 20);
	sb_add(b, " | ");
	md_code(b, s->address, CUT_VALUE);
	sb_add(b, " | ");
	if (p->elsewhere) {
		sb_add(b, "shared; see under ");
		md_code(b, p->elsewhere, CUT_NAME);
	} else {
		md_prose(b, s->doc, CUT_VALUE);
	}
	sb_add(b, " | ");
	md_prose(b, report_actor(s->executor), CUT_NAME);
	sb_add(b, " | ");
	add_when(md, s);
	sb_addf(b, " | %s |\n",
		md->r->source == REPORT_JOURNAL ? report_state_name(s->state) :
						  report_undo_words(s));
	end_block(md, MD_ROW);
}

static void put_line(struct md *md, enum report_line line)
{
	if (line == LINE_NONE)
		return;
	sb_addf(&md->block, "| | **%s** | | | | |\n",
		line == LINE_NEVER ? "point of no return" :
				     "from here on the way back is not this tool's");
	end_block(md, MD_ROW);
}

static void put_env(struct md *md, const struct report_env *e)
{
	struct sb *b = &md->block;

	if (!e->place_count)
		return;
	sb_add(b, "### ");
	md_code(b, e->name, CUT_NAME);
	sb_addf(b, "\n\n| Phase | Step | What | Who | %s |\n|---|---|---|---|---|---|\n",
		md->r->source == REPORT_JOURNAL ? "When | State" : "Earliest | Way back");
	end_block(md, MD_TEXT);
	for (size_t i = 0; i < e->place_count; i++) {
		put_line(md, e->places[i].line);
		put_step_row(md, &e->places[i]);
	}
	end_table(md);
	for (size_t i = 0; i < e->place_count; i++) {
		if (e->places[i].elsewhere)
			continue;
		md_step(e->places[i].step, md->r->source == REPORT_JOURNAL, b);
		sb_addc(b, '\n');
		end_block(md, MD_STEP);
	}
}

/* ---- the page ---- */

static void put_last(struct md *md, const struct report_run *run)
{
	struct sb *b = &md->block;

	if (md->r->source == REPORT_PLAN) {
		sb_addf(b, "Planning made %zu request%s", run->requests,
			run->requests == 1 ? "" : "s");
		add_count(b, " and got ", run->tokens, "token", "tokens");
		sb_add(b, " to sign in. ");
	}
	sb_add(b, "Intent ");
	md_code(b, run->intent_digest, CUT_NAME);
	sb_add(b, ", facts ");
	md_code(b, run->observed_digest, CUT_NAME);
	sb_add(b, ".\n");
	end_block(md, MD_TEXT);
}

static void put_run(struct md *md, const struct report_run *run)
{
	put_title(md, run);
	put_facts(md, run);
	put_findings(md, run);
	put_asks(md, run);
	put_envs(md, run);
	md_graph(run, &md->block);
	if (md->block.len) {
		sb_addc(&md->block, '\n');
		end_block(md, MD_TEXT);
	}
	for (size_t i = 0; i < run->env_count; i++)
		put_env(md, &run->envs[i]);
	put_last(md, run);
}

void report_markdown(const struct report *r, const struct report_options *o, struct sb *out)
{
	size_t max = o->max_bytes ? o->max_bytes : COMMENT_BYTES_MAX;
	struct md md = { .r = r, .out = out, .block = SB_INIT(REPORT_BYTES_MAX) };

	max = MAX_OF(max, (size_t)MARKDOWN_BYTES_MIN);
	md.room = out->len + max - LAST_LINE;
	if (r->run_count)
		put_marker(&md, &r->runs[0]);
	else
		sb_add(out, "The journal is empty.\n");
	for (size_t i = 0; i < r->run_count; i++)
		put_run(&md, &r->runs[i]);
	put_cut(&md);
	sb_done(&md.block);
}
