/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown_graph.c - what waits for what, as a Mermaid flowchart.
 *
 * Only needs that do not follow from others are drawn. Labels are letters, digits and . / _ - + alone: no syntax of Mermaid's can be said with them.
 */
#include <string.h>

#include "core/report/markdown_private.h"

#define GRAPH_STEPS_MAX 60u /* a bit each; and more cannot be read */

static void add_label(struct sb *out, const char *raw)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, raw, CUT_NAME);
	for (const char *p = text.buf; *p; p++) {
		bool is_kept = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			       (*p >= '0' && *p <= '9') || strchr("./_-+ ", *p) ||
			       (unsigned char)*p >= 0x80;

		sb_addc(out, is_kept ? *p : '_');
	}
}

struct graph {
	const struct report_run *run;
	uint64_t needs[GRAPH_STEPS_MAX], all[GRAPH_STEPS_MAX]; /* direct; and what those need */
};

static void find_needs(struct graph *g)
{
	for (size_t i = 0; i < g->run->step_count; i++) {
		const struct report_step *s = &g->run->steps[i];

		for (size_t k = 0; k < value_count(s->needs); k++) {
			const struct report_step *n =
				report_find_step(g->run, value_text_or(value_at(s->needs, k), ""));

			/* Steps stand after what they need; a document that says otherwise has no such arrow. */
			if (n && n < s)
				g->needs[i] |= UINT64_C(1) << (n->number - 1);
		}
		g->all[i] = g->needs[i];
		for (size_t k = 0; k < i; k++)
			if (g->needs[i] >> k & 1)
				g->all[i] |= g->all[k];
	}
}

static bool is_implied(const struct graph *g, size_t step, size_t need)
{
	for (size_t k = 0; k < step; k++)
		if (k != need && (g->needs[step] >> k & 1) && (g->all[k] >> need & 1))
			return true;
	return false;
}

static const char *class_of(const struct report_step *s)
{
	switch (s->state) {
	case STATE_DONE:
		return ":::done";
	case STATE_FAILED:
		return ":::failed";
	case STATE_UNDER_WAY:
	case STATE_WAITS:
	case STATE_ASKS:
	case STATE_INCONCLUSIVE:
		return ":::waits";
	case STATE_PLANNED:
	case STATE_LATER:
		return s->is_irreversible ? ":::never" : "";
	}
	return "";
}

static void add_node(struct sb *out, const char *indent, const struct report_step *s)
{
	const char *slash = strchr(s->address, '/');

	sb_addf(out, "%ss%zu%s\"", indent, s->number, s->is_irreversible ? "{{" : "[");
	add_label(out, value_count(s->envs) == 1 && slash ? slash + 1 : s->address);
	sb_addf(out, "\"%s%s\n", s->is_irreversible ? "}}" : "]", class_of(s));
}

static void add_nodes(const struct report_run *run, struct sb *out)
{
	for (size_t e = 0; e < run->env_count; e++) {
		const struct report_env *env = &run->envs[e];
		bool any = false;

		for (size_t i = 0; i < env->place_count; i++) {
			const struct report_step *s = env->places[i].step;

			if (value_count(s->envs) != 1)
				continue;
			if (!any) {
				sb_addf(out, "  subgraph e%zu[\"", e + 1);
				add_label(out, env->name);
				sb_add(out, "\"]\n");
			}
			any = true;
			add_node(out, "    ", s);
		}
		sb_add(out, any ? "  end\n" : "");
	}
	for (size_t i = 0; i < run->step_count; i++)
		if (value_count(run->steps[i].envs) != 1)
			add_node(out, "  ", &run->steps[i]);
}

void md_graph(const struct report_run *run, struct sb *out)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct graph g = { .run = run };

	if (!run->step_count)
		return;
	if (run->step_count > GRAPH_STEPS_MAX) {
		sb_addf(out,
			"No graph of what waits for what: of %zu steps it could not be read (%u at most).\n",
			run->step_count, GRAPH_STEPS_MAX);
		return;
	}
	find_needs(&g);
	sb_add(&text, "flowchart TD\n");
	add_nodes(run, &text);
	for (size_t i = 0; i < run->step_count; i++)
		for (size_t k = 0; k < i; k++)
			if ((g.needs[i] >> k & 1) && !is_implied(&g, i, k))
				sb_addf(&text, "  s%zu --> s%zu\n", k + 1, i + 1);
	sb_add(&text, "  classDef never stroke:#cf222e,stroke-width:3px\n"
		      "  classDef done stroke:#1a7f37,stroke-width:2px\n"
		      "  classDef waits stroke:#9a6700,stroke-width:2px,stroke-dasharray:4\n"
		      "  classDef failed stroke:#cf222e,stroke-width:4px\n");
	sb_add(out, "<details>\n<summary>Graph: what waits for what</summary>\n\n");
	md_fence(out, "mermaid", text.buf);
	sb_add(out, "\n</details>\n");
}
