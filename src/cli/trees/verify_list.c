/* SPDX-License-Identifier: MIT */
/* leat verify LIST: the library compares, with lines that the parser of `leat digest -c` gives it. */
#include "checksum_list.h"
#include "trees/complete.h"
#include "trees/verify.h"
#include <stdlib.h>
#include <string.h>

struct verify_lines {
    struct verify_command *command;
    struct checksum_list list;
    struct checksum_entry entry;
    const char *name;          /* of the list, for messages */
    uint64_t proper, strange;  /* lines */
    struct complete *complete; /* NULL: only what the list has is looked at */
};

/* Gives the next proper line, as `next` of leat_tree_verify_list. */
static int next_line(void *user, struct leat_tree_entry *ret)
{
    struct verify_lines *l = user;
    while (checksum_list_next(&l->list, &l->entry) > 0) {
        if (l->entry.name) {
            l->proper++;
            if (l->complete)
                complete_add(l->complete, l->entry.name);
            *ret =
                (struct leat_tree_entry){.name = l->entry.name, .algorithm = l->entry.algorithm, .hex = l->entry.hex};
            return 1;
        }
        l->strange++;
        if (l->command->warns)
            cli_warn("%s: %llu: improperly formatted checksum line", cli_name(l->name),
                     (unsigned long long)l->list.number);
    }
    return ferror(l->list.from) ? -EIO : 0;
}

static void warn_count(uint64_t n, const char *one, const char *more)
{
    if (n > 0)
        cli_warn("WARNING: %llu %s", (unsigned long long)n, n == 1 ? one : more);
}

/* Says what is wrong with the list itself. Returns whether something is. */
static bool is_bad(const struct verify_lines *l, const struct leat_tree_result *result)
{
    const struct verify_command *c = l->command;
    warn_count(l->strange, "line is improperly formatted", "lines are improperly formatted");
    if (l->proper == 0)
        cli_warn("%s: no properly formatted checksum lines found", cli_name(l->name));
    else if (c->ignores_missing && result->files == 0)
        cli_warn("%s: no file was verified", cli_name(l->name));
    else
        return c->is_strict && l->strange > 0;
    return true;
}

static bool has_differences(const struct verify_command *c, const struct leat_tree_result *result)
{
    uint64_t missing = c->ignores_missing ? result->differing[LEAT_TREE_ONLY_SOURCE] : 0;
    return result->differences > missing;
}

static int compare(struct verify_lines *l, const char *folder)
{
    struct verify_command *c = l->command;
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    int r = leat_tree_verify_list(folder, next_line, l, &c->options, &result, &error);
    if (l->complete && (r == 0 || r == -EBADMSG)) {
        int walked = complete_tell(l->complete, c, folder, l->list.from, &result);
        r = walked < 0 ? walked : r;
    }
    bool has_failed = (r < 0 && r != -EBADMSG) || has_differences(c, &result);
    if (c->ignores_missing) {
        result.differences -= result.differing[LEAT_TREE_ONLY_SOURCE];
        result.differing[LEAT_TREE_ONLY_SOURCE] = 0;
    }
    verify_count(c, has_failed ? r : 0, &result, &error);
    return (r == 0 || r == -EBADMSG) && is_bad(l, &result) ? EXIT_FAILED : has_failed ? EXIT_FAILED : EXIT_DONE;
}

int verify_list(struct verify_command *c, const char *list, const char *folder)
{
    bool is_stdin = strcmp(list, "-") == 0;
    FILE *from = is_stdin ? stdin : fopen(list, "re");
    if (!from) {
        cli_warn("%s: %s", cli_name(list), strerror(errno));
        return EXIT_FAILED;
    }
    struct verify_lines *l = calloc(1, sizeof(*l));
    int r = l ? checksum_list_new(&l->list, c->algorithm) : -ENOMEM;
    if (r == 0 && c->is_complete)
        r = complete_new(&l->complete);
    if (r < 0)
        r = cli_no_digest("verify", "digest", c->algorithm ? c->algorithm : "", r);
    else {
        l->command = c;
        l->name = is_stdin ? "standard input" : list;
        checksum_list_begin(&l->list, from);
        r = compare(l, folder);
        checksum_list_free(&l->list);
        complete_free(l->complete);
    }
    free(l);
    if (!is_stdin)
        fclose(from);
    return r;
}
