/* SPDX-License-Identifier: MIT */
#include "trees/selection.h"
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* ---- lists of texts ---- */

static int fail(const char *name, int code)
{
    cli_warn("%s: %s", cli_name(name), strerror(code));
    return EXIT_FAILED;
}

/* Adds "BEFORE TEXT", and the NULL behind it. */
static int add(struct tree_texts *texts, const char *before, const char *text)
{
    if (texts->count + 1 >= texts->room) {
        size_t room = texts->room ? 2 * texts->room : 64;
        char **more = realloc(texts->text, room * sizeof(*more));
        if (!more)
            return fail(text, ENOMEM);
        texts->text = more;
        texts->room = room;
    }
    size_t n = strlen(before), length = strlen(text);
    char *copy = malloc(n + length + 1);
    if (!copy)
        return fail(text, ENOMEM);
    strcpy(copy, before);
    strcpy(copy + n, text);
    texts->text[texts->count++] = copy;
    texts->text[texts->count] = NULL;
    return 0;
}

static void clear(struct tree_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->text[i]);
    free(texts->text);
}

/* ---- files ---- */

static int read_lines(FILE *file, int ends_with, int (*take)(void *user, const char *line), void *user)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = getdelim(&line, &room, ends_with, file)) > 0) {
        if (line[n - 1] == (char)ends_with)
            line[n - 1] = '\0';
        r = take(user, line);
    }
    free(line);
    return r;
}

/* Calls `take` for each line of a file; "-" is standard input. */
static int read_file(const char *name, bool ends_with_nul, int (*take)(void *user, const char *line), void *user)
{
    bool is_standard = strcmp(name, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(name, "re");
    if (!file)
        return fail(name, errno);
    errno = 0;
    int r = read_lines(file, ends_with_nul ? '\0' : '\n', take, user);
    if (r == 0 && ferror(file))
        r = fail(name, errno ? errno : EIO);
    if (!is_standard)
        fclose(file);
    return r;
}

/* ---- rules ---- */

int tree_selection_add(struct tree_selection *s, char sign, const char *text, bool is_file)
{
    char before[3] = {sign, is_file ? '<' : ' ', '\0'};
    if (!text[0])
        return cli_usage("copy", "%s wants %s", sign == '+' ? "--include" : "--exclude",
                         is_file ? "the name of a file" : "a pattern");
    return add(&s->given, before, text);
}

struct reading {
    struct tree_selection *selection;
    char before[3];
};

static int take_rule(void *user, const char *line)
{
    struct reading *reading = user;
    bool is_rule = (line[0] == '+' || line[0] == '-') && line[1] == ' '; /* it has its own sign, as in rsync(1) */
    if (!line[0] || (is_rule && !line[2]))
        return 0;
    return add(&reading->selection->rules, is_rule ? "" : reading->before, line);
}

static int take_line(void *user, const char *line)
{
    struct reading *reading = user;
    bool is_remark = (line[0] == '#' || line[0] == ';') && !reading->selection->ends_with_nul;
    return is_remark ? 0 : take_rule(user, line);
}

static int take_name(void *user, const char *line)
{
    struct reading *reading = user;
    return line[0] ? add(&reading->selection->names, "", line) : 0;
}

static int read_names(struct tree_selection *s)
{
    struct reading reading = {.selection = s};
    s->names.text = s->files_from ? calloc(1, sizeof(char *)) : NULL; /* also a list of no names is one */
    if (!s->files_from)
        return 0;
    return s->names.text ? read_file(s->files_from, s->ends_with_nul, take_name, &reading)
                         : fail(s->files_from, ENOMEM);
}

int tree_selection_read(struct tree_selection *s)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < s->given.count; i++) {
        const char *given = s->given.text[i];
        struct reading reading = {s, {given[0], ' ', '\0'}};
        r = given[1] == '<' ? read_file(given + 2, s->ends_with_nul, take_line, &reading)
                            : take_rule(&reading, given + 2);
    }
    return r == 0 ? read_names(s) : r;
}

void tree_selection_free(struct tree_selection *s)
{
    clear(&s->given);
    clear(&s->rules);
    clear(&s->names);
}
