/* SPDX-License-Identifier: MIT */
#include "trees/problems.h"
#include <inttypes.h>
#include <string.h>

static const char *const losts[] = {
    [LEAT_TREE_LOST_OTHER] = "something else",
    [LEAT_TREE_LOST_OWNER] = "owner",
    [LEAT_TREE_LOST_GROUP] = "group",
    [LEAT_TREE_LOST_MODE] = "mode",
    [LEAT_TREE_LOST_TIMES] = "times",
    [LEAT_TREE_LOST_ACL] = "access control list",
    [LEAT_TREE_LOST_ATTRIBUTE] = "extended attribute",
    [LEAT_TREE_LOST_CAPABILITIES] = "capabilities",
    [LEAT_TREE_LOST_FLAGS] = "flags",
    [LEAT_TREE_LOST_HARD_LINK] = "hard link",
    [LEAT_TREE_LOST_SYMLINK] = "symbolic link",
    [LEAT_TREE_LOST_SPECIAL] = "special file",
};

const char *problems_lost(size_t kind)
{
    return kind < sizeof(losts) / sizeof(losts[0]) ? losts[kind] : NULL;
}

/* More kinds than there is room for share the last place. */
static void count(struct tree_problems *p, int32_t code)
{
    size_t i = 0;
    while (i < p->kinds && p->kind[i].code != code)
        i++;
    if (i == PROBLEM_KINDS)
        p->kind[--i].code = 0;
    else if (i == p->kinds)
        p->kind[p->kinds++].code = code;
    p->kind[i].count++;
}

void problems_add(struct tree_problems *p, const struct leat_error *error)
{
    count(p, error->code);
    if (p->count < PROBLEMS_SHOWN) {
        p->first[p->count] = *error;
        cli_warn("%s %s: %s: %s", error->side == LEAT_SIDE_SINK ? "target" : "source", cli_name(error->node),
                 error->operation, error->text);
    }
    p->count++;
}

/* What strerror(3) says of ESTALE is about a server of files, which is seldom what happened. */
static const char *kind_text(int code)
{
    return !code ? "others" : code == -ESTALE ? "replaced or removed meanwhile" : strerror(-code);
}

void problems_sum_up(const struct tree_problems *p, const uint64_t lost[LEAT_TREE_LOST_KINDS], bool is_verbose)
{
    bool is_many = p->count > PROBLEMS_SHOWN;
    if (is_many)
        cli_warn("%" PRIu64 " problems in all, of which the first %d are above", p->count, PROBLEMS_SHOWN);
    for (size_t i = 0; i < p->kinds && (is_many || (is_verbose && p->count > 0)); i++)
        cli_warn("problems: %s: %" PRIu64, kind_text(p->kind[i].code), p->kind[i].count);
    for (size_t i = 0; i < sizeof(losts) / sizeof(losts[0]); i++)
        if (lost[i] && (is_verbose || p->count > 0))
            cli_warn("not kept: %s: %" PRIu64, losts[i], lost[i]);
}
