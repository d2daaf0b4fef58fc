/* SPDX-License-Identifier: MIT */
#include "trees/report.h"
#include <stdlib.h>
#include <string.h>

int tree_report_parse(const char *value, bool *verbose, const char **file)
{
    if (!value || strcmp(value, "text") == 0) {
        *verbose = true;
        return 0;
    }
    if (strncmp(value, "json", 4) != 0 || (value[4] && value[4] != ':'))
        return cli_usage("copy", "--report does not know '%s' for a tree; write text, json or json:FILE", value);
    *file = value[4] ? value + 5 : "-";
    return 0;
}

int tree_report_open(struct whole **ret, const char *file)
{
    *ret = NULL;
    return strcmp(file, "-") == 0 ? 0 : whole_open(ret, "report", file);
}

/* ---- JSON ---- */

/* A name of any bytes as a string, quoted as a shell reads it where that is needed. NULL: no memory. */
static json_t *text_of(const char *name)
{
    size_t n = leat_text_quote(NULL, 0, name);
    char *text = malloc(n + 1);
    if (!text)
        return NULL;
    leat_text_quote(text, n + 1, name);
    json_t *string = json_string(text);
    free(text);
    return string;
}

static const char *side_name(int32_t side)
{
    static const char *const names[] = {"pipeline", "source", "filter", "sink"};
    return names[side & 3];
}

static json_t *first_of(const struct tree_problems *p)
{
    json_t *all = json_array();
    for (size_t i = 0; all && i < p->count && i < PROBLEMS_SHOWN; i++) {
        const struct leat_error *e = &p->first[i];
        json_t *one =
            json_pack("{ss so ss si ss so}", "side", side_name(e->side), "node", text_of(e->node), "operation",
                      e->operation, "errno", -e->code, "name", leat_errno_name(e->code), "text", text_of(e->text));
        if (json_array_append_new(all, one) < 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

/* Adds {key: NAME, "count": COUNT} to the list. */
static int add(json_t *list, const char *key, const char *name, uint64_t count)
{
    return json_array_append_new(list, json_pack("{ss sI}", key, name, "count", (json_int_t)count));
}

static json_t *kinds_of(const struct tree_problems *p)
{
    json_t *all = json_array();
    int r = all ? 0 : -1;
    for (size_t i = 0; r == 0 && i < p->kinds; i++)
        r = add(all, "name", p->kind[i].code ? leat_errno_name(p->kind[i].code) : "others", p->kind[i].count);
    if (r == 0)
        return all;
    json_decref(all);
    return NULL;
}

static json_t *losses_of(const struct leat_tree_result *a)
{
    json_t *all = json_array();
    int r = all ? 0 : -1;
    for (size_t i = 0; r == 0 && problems_lost(i); i++)
        if (a->lost[i])
            r = add(all, "kind", problems_lost(i), a->lost[i]);
    if (r == 0)
        return all;
    json_decref(all);
    return NULL;
}

/* One line. NULL: no memory. */
static char *text_of_report(const struct tree_report *report)
{
    const struct leat_tree_result *a = report->result;
    json_t *object = json_pack(
        "{ss ss sI sI sI sI sI sI sI sI sI sI sI sI sf sI so so so}", "type", "tree-report", "status",
        report->signal    ? "cancelled"
        : report->is_done ? "done"
                          : "failed",
        "files", (json_int_t)a->files, "bytes", (json_int_t)a->bytes, "folders", (json_int_t)a->directories, "symlinks",
        (json_int_t)a->symlinks, "hard_links", (json_int_t)a->hard_links, "specials", (json_int_t)a->specials,
        "excluded", (json_int_t)a->excluded, "unchanged", (json_int_t)a->unchanged, "resumed", (json_int_t)a->resumed,
        "deleted", (json_int_t)a->deleted, "dropped", (json_int_t)a->dropped, "problems", (json_int_t)a->problems,
        "seconds", report->seconds, "jobs", (json_int_t)a->jobs, "not_kept", losses_of(a), "errors",
        kinds_of(report->problems), "first", first_of(report->problems));
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(object);
    return text;
}

/* ---- writing ---- */

struct report_text {
    const char *text; /* NULL: it is printed */
};

static int print(void *user, FILE *to)
{
    struct report_text *p = user;
    if (p->text)
        fprintf(to, "%s\n", p->text);
    p->text = NULL;
    return 0;
}

int tree_report_write(struct whole *whole, const struct tree_report *report)
{
    char *text = text_of_report(report);
    struct report_text printing = {text};
    int r = EXIT_DONE;
    if (!text) {
        cli_warn("--report: %s", strerror(ENOMEM));
        whole_free(whole);
        return EXIT_FAILED;
    }
    if (whole)
        r = whole_write(whole, print, &printing);
    else
        print(&printing, stderr);
    free(text);
    return r;
}
