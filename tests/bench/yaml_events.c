/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_events - the least that reading a YAML file can cost: libyaml's events, counted and thrown away.
 */
#include <yaml.h>

int main(int argc, char **argv)
{
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_event_type_t type;
	unsigned long count = 0;
	FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!in || !yaml_parser_initialize(&parser)) {
		fputs("usage: yaml_events FILE\n", stderr);
		return 64;
	}
	yaml_parser_set_input_file(&parser, in);
	do {
		if (!yaml_parser_parse(&parser, &event)) {
			fprintf(stderr, "yaml_events: %s\n", parser.problem ? parser.problem : "?");
			return 1;
		}
		type = event.type;
		yaml_event_delete(&event);
		count++;
	} while (type != YAML_STREAM_END_EVENT);
	yaml_parser_delete(&parser);
	fclose(in);
	printf("%lu\n", count);
	return 0;
}
