/* SPDX-License-Identifier: MIT */
#include "trees/list.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

struct tree_list {
    char **line; /* each is a name, its NUL, and the digest */
    size_t count, room;
    bool is_short; /* a line is missing */
};

struct tree_list *tree_list_new(void)
{
    return calloc(1, sizeof(struct tree_list));
}

void tree_list_free(struct tree_list *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        free(list->line[i]);
    if (list)
        free(list->line);
    free(list);
}

static bool has_room(struct tree_list *list)
{
    if (list->count < list->room)
        return true;
    size_t room = list->room ? 2 * list->room : 1024;
    char **line = realloc(list->line, room * sizeof(*line));
    if (!line)
        return false;
    list->line = line;
    list->room = room;
    return true;
}

void tree_list_add(struct tree_list *list, const char *prefix, const char *name, const char *hex)
{
    size_t before = strlen(prefix), n = strlen(name), digits = strlen(hex);
    char *line = has_room(list) ? malloc(before + n + digits + 2) : NULL;
    list->is_short |= !line;
    if (!line)
        return;
    strcpy(line, prefix);
    strcpy(line + before, name);
    strcpy(line + before + n + 1, hex);
    list->line[list->count++] = line;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int tree_list_print(struct tree_list *list, const char *algorithm)
{
    if (list->count > 0)
        qsort(list->line, list->count, sizeof(*list->line), compare);
    for (size_t i = 0; i < list->count; i++)
        cli_print_digest(stdout, algorithm, list->line[i] + strlen(list->line[i]) + 1, list->line[i], false);
    if (list->is_short)
        cli_warn("memory ran out, so the list of digests is not complete");
    int r = cli_said("copy", cli_flush(0));
    return list->is_short ? EXIT_FAILED : r;
}
