/* SPDX-License-Identifier: MIT */
#include "tree/select/select.h"
#include "tree/select/names.h"
#include "tree/target/extra.h"
#include "tree/target/plan.h"
#include "tree/tree.h"

static bool read_rule(struct tree_rule *ret, const char *text)
{
    ret->is_taken = text[0] == '+';
    return (text[0] == '+' || text[0] == '-') && text[1] == ' ' && pattern_read(&ret->pattern, text + 2);
}

int select_init(struct tree_copy *tree, struct leat_error *error)
{
    struct tree_select *select = &tree->select;
    const char *const *rules = tree->options.rules;
    size_t n = 0;
    if (tree->options.max_depth < 0)
        return error_set(error, -EINVAL, "%d is no number of levels", (int)tree->options.max_depth);
    while (rules && rules[n])
        n++;
    select->rules = calloc(n + 1, sizeof(*select->rules));
    if (!select->rules)
        return error_set(error, -ENOMEM, "out of memory");
    for (; select->count < n; select->count++) {
        struct tree_rule *rule = &select->rules[select->count];
        if (!read_rule(rule, rules[select->count]))
            return error_set(error, -EINVAL, "'%s' is no rule: a rule is '+ PATTERN' or '- PATTERN'",
                             rules[select->count]);
        select->needs_path |= pattern_needs_path(&rule->pattern);
    }
    return 0;
}

void select_clear(struct tree_copy *tree)
{
    free(tree->select.rules);
}

static bool takes(const struct tree_select *select, const char *path, bool is_folder)
{
    for (size_t i = 0; i < select->count; i++)
        if (pattern_matches(&select->rules[i].pattern, path, is_folder))
            return select->rules[i].is_taken;
    return true;
}

int select_takes(struct tree_copy *tree, const struct tree_dir *dir, const char *name, bool is_folder)
{
    const struct tree_select *select = &tree->select;
    if (!select->needs_path)
        return takes(select, name, is_folder);
    char *path CLEANUP_FREE = dir_path(dir, name);
    return path ? takes(select, path, is_folder) : -ENOMEM;
}

int select_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, bool is_folder)
{
    int r = select_takes(tree, dir, name, is_folder);
    if (r == 0)
        atomic_fetch_add(&tree->counts.excluded, 1);
    return r;
}

/* Does a rule leave out a folder above? `path` is changed, and is afterwards what it was. */
static bool is_below_excluded(const struct tree_select *select, char *path)
{
    bool is_excluded = false;
    for (char *slash = strchr(path, '/'); slash && !is_excluded; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        is_excluded = path[0] && !takes(select, path, true);
        *slash = '/';
    }
    return is_excluded;
}

int select_path(struct tree_copy *tree, const char *path, bool is_folder)
{
    const struct tree_select *select = &tree->select;
    int32_t depth = 1;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        depth++;
    if (tree->options.max_depth && depth > tree->options.max_depth)
        return 0;
    if (select->count == 0)
        return 1;
    char *own CLEANUP_FREE = strdup(path);
    if (!own)
        return -ENOMEM;
    if (!is_below_excluded(select, own) && takes(select, path, is_folder))
        return 1;
    atomic_fetch_add(&tree->counts.excluded, 1);
    return 0;
}

bool select_reads(const struct tree_copy *tree, const struct tree_dir *dir)
{
    if (tree->options.one_file_system && dir->st.st_dev != tree->root->st.st_dev)
        return false;
    return tree->options.max_depth == 0 || dir->depth < (uint32_t)tree->options.max_depth;
}

int select_ends(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    if (tree->options.update && !tree->sink->dir_open)
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_SINK, target, "open",
                        "It is no folder, so what it has can't be compared with the source");
    if (tree->options.names && tree->source != &source_folder)
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_SOURCE, source, "open",
                        "It is no folder, so it has no list of names");
    if (tree->options.names)
        names_replace_source(tree);
    int r = extra_check(tree, source, target, error);
    if (r == 0 && tree->options.dry_run)
        plan_replace_sink(tree);
    return r;
}
