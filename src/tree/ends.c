/* SPDX-License-Identifier: MIT */
#include "tree/ends.h"
#include "base/text.h"
#include "tree/tree.h"

/* Returns the text behind the scheme of a spec if that is `scheme`, or NULL. */
static const char *rest_of(const char *spec, const char *scheme)
{
    size_t n = text_scheme(spec);
    bool is_path = n == 0 || (n == 4 && strncmp(spec, "file", n) == 0);
    bool is_mine = scheme[0] ? strlen(scheme) == n && strncmp(spec, scheme, n) == 0 : is_path;
    return is_mine ? spec + (n ? n + 1 : 0) : NULL;
}

static int fail(const char *spec, enum leat_side side, struct leat_error *error)
{
    int n = (int)text_scheme(spec);
    return error_at(error, -EINVAL, side, spec, "open", "No tree is named '%.*s:...'; a path is written ./%.*s:...", n,
                    spec, n, spec);
}

int ends_find_source(const char *spec, const struct tree_source **ret, const char **ret_rest, struct leat_error *error)
{
    for (size_t i = 0; registry_tree_sources[i]; i++)
        if ((*ret_rest = rest_of(spec, registry_tree_sources[i]->scheme))) {
            *ret = registry_tree_sources[i];
            return 0;
        }
    return fail(spec, LEAT_SIDE_SOURCE, error);
}

int ends_find_sink(const char *spec, const struct tree_sink **ret, const char **ret_rest, struct leat_error *error)
{
    for (size_t i = 0; registry_tree_sinks[i]; i++)
        if ((*ret_rest = rest_of(spec, registry_tree_sinks[i]->scheme))) {
            *ret = registry_tree_sinks[i];
            return 0;
        }
    return fail(spec, LEAT_SIDE_SINK, error);
}

/* Each loss is named by one of these beginnings. */
static enum leat_tree_lost kind_of(const char *lost)
{
    static const struct {
        const char *beginning;
        enum leat_tree_lost kind;
    } kinds[] = {
        {"its owner", LEAT_TREE_LOST_OWNER},
        {"its group", LEAT_TREE_LOST_GROUP},
        {"its mode", LEAT_TREE_LOST_MODE},
        {"its times", LEAT_TREE_LOST_TIMES},
        {"its access", LEAT_TREE_LOST_ACL},
        {"its attribute 'security.capability'", LEAT_TREE_LOST_CAPABILITIES},
        {"its attribute 'system.posix_acl", LEAT_TREE_LOST_ACL},
        {"its attribute", LEAT_TREE_LOST_ATTRIBUTE},
        {"its extended attributes", LEAT_TREE_LOST_ATTRIBUTE},
        {"its capabilities", LEAT_TREE_LOST_CAPABILITIES},
        {"its flags", LEAT_TREE_LOST_FLAGS},
        {"its other names", LEAT_TREE_LOST_HARD_LINK},
        {"symbolic links", LEAT_TREE_LOST_SYMLINK},
        {"FIFOs", LEAT_TREE_LOST_SPECIAL},
        {"a socket", LEAT_TREE_LOST_SPECIAL},
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strncmp(lost, kinds[i].beginning, strlen(kinds[i].beginning)) == 0)
            return kinds[i].kind;
    return LEAT_TREE_LOST_OTHER;
}

int ends_lose(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code, const char *operation,
              const char *lost)
{
    char text[128];
    if (!tree_is_canceled(tree))
        atomic_fetch_add(&tree->counts.lost[kind_of(lost)], 1);
    if (tree->options.drop_attributes) {
        atomic_fetch_add(&tree->counts.dropped, 1);
        return 0;
    }
    return tree_problem(tree, dir, name, LEAT_SIDE_SINK, code, operation, "The copy can't have %s: %s", lost,
                        tree_error_text(code, text, sizeof(text)));
}

/* What an archive can't do. NULL: it is nothing. */
static const char *refused_of(const struct tree_copy *tree)
{
    const struct leat_tree_options *o = &tree->options;
    if (tree_is_shared(tree))
        return "Several processes can't share an archive";
    if (o->resume || (o->journal && !o->journal_optional))
        return "An archive is copied from its beginning, and has no journal";
    if (o->update || o->delete_extra || o->dry_run || o->names)
        return "An archive is copied as a whole, without `update`, `delete_extra`, `dry_run` and `names`";
    if (o->sync)
        return "An archive is copied without `sync`";
    return NULL;
}

int ends_copy(struct tree_copy *tree, const struct ends_names *names, struct leat_error *error)
{
    bool is_source = tree->source->copy;
    const char *refused = refused_of(tree);
    if (is_source ? tree->sink->scheme[0] : tree->source->scheme[0])
        return error_at(error, -EINVAL, LEAT_SIDE_SINK, names->target, "open",
                        "An archive becomes a folder, and a folder an archive, and nothing else");
    if (refused)
        return error_at(error, -EINVAL, is_source ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK,
                        is_source ? names->source : names->target, "open", "%s", refused);
    return is_source ? tree->source->copy(tree, names->source, names->from, names->to, error)
                     : tree->sink->copy(tree, names->target, names->to, names->from, error);
}
