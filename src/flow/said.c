/* SPDX-License-Identifier: MIT */
#include "flow/said.h"
#include "base/quote.h"
#include <stdlib.h>
#include <string.h>

void said_take(struct said *said, const struct node *node)
{
    if (!node || !node->said)
        return;
    struct said_entry *more = realloc(said->entry, (said->n + 1) * sizeof(*more));
    if (!more)
        return;
    said->entry = more;
    more[said->n] = (struct said_entry){.node = strdup(node->name), .text = strdup(node->said)};
    if (more[said->n].node && more[said->n].text) {
        said->n++;
        return;
    }
    free(more[said->n].node);
    free(more[said->n].text);
}

void said_free(struct said *said)
{
    for (size_t i = 0; i < said->n; i++) {
        free(said->entry[i].node);
        free(said->entry[i].text);
    }
    free(said->entry);
}

json_t *said_json(const struct said *said)
{
    json_t *list = json_array();
    for (size_t i = 0; i < said->n; i++)
        json_append(&list, json_pack("{s:o, s:o}", "node", json_name(said->entry[i].node), "text",
                                     json_name(said->entry[i].text)));
    return list;
}

/* The text of a child may contain terminal escapes. */
static void print_line(FILE *to, const char *text, size_t n)
{
    char *line CLEANUP_FREE = strndup(text, n);
    for (char *at = line; at && (at = strchr(at, '\t'));)
        *at = ' ';
    if (line)
        quote_mask(line);
    fprintf(to, "    %s\n", line ? line : "");
}

void said_print(FILE *to, const struct said *said)
{
    for (size_t i = 0; i < said->n; i++) {
        fputs("  ", to);
        quote_print(to, said->entry[i].node);
        fputs(" said:\n", to);
        for (const char *at = said->entry[i].text; at;) {
            const char *end = strchr(at, '\n');
            print_line(to, at, end ? (size_t)(end - at) : strlen(at));
            at = end ? end + 1 : NULL;
        }
    }
}
