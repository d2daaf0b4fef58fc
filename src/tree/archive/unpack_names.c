/* SPDX-License-Identifier: MIT */
/* Symbolic links, hard links and special files of an archive. If the name is taken, the new file is made under a hidden
 * name and replaces the old one. */
#include "base/base.h"
#include "endpoint/publish.h"
#include "tree/archive/unpack.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

struct making {
    struct unpack *u;
    int folder;
    const char *text; /* of a symbolic link */
    int from;         /* of a hard link: the folder of the file, and its name there */
    const char *first;
};

static int make_symlink(const struct making *m, const char *as)
{
    return symlinkat(m->text, m->folder, as) < 0 ? -errno : 0;
}

static int make_special(const struct making *m, const char *as)
{
    const struct given_values *given = &m->u->given;
    return mknodat(m->folder, as, (given->mode & S_IFMT) | 0600, given->device) < 0 ? -errno : 0;
}

static int make_link(const struct making *m, const char *as)
{
    return linkat(m->from, m->first, m->folder, as, 0) < 0 ? -errno : 0;
}

struct unpack_making {
    const struct making *making;
    int (*make)(const struct making *making, const char *as);
};

static int make_as(void *user, const char *name)
{
    const struct unpack_making *one = user;
    return one->make(one->making, name);
}

/* Returns 0, or a code after it has recorded the problem. */
static int make_name(const struct making *m, int (*make)(const struct making *, const char *as), const char *operation)
{
    char hidden[PUBLISH_HIDDEN_MAX];
    const char *now = m->u->name;
    int r = make(m, now);
    if (r == -EEXIST) {
        struct unpack_making one = {m, make};
        char *own CLEANUP_FREE = strdup(now);
        const struct place place = {.directory = m->folder, .name = own};
        now = hidden;
        r = own ? publish_make_hidden(&place, make_as, &one, hidden) : -ENOMEM;
    }
    if (r < 0)
        return unpack_problem(m->u, LEAT_SIDE_SINK, r, operation, NULL);
    if (make != make_link)
        given_to_name(m->u->tree, m->u->path, &m->u->given, m->folder, now);
    if (now == m->u->name)
        return 0;
    r = renameat(m->folder, now, m->folder, m->u->name) < 0 ? -errno : 0;
    unlinkat(m->folder, now, 0); /* also if both were names of one file: then rename(2) does nothing */
    return r < 0 ? unpack_problem(m->u, LEAT_SIDE_SINK, r, "rename", NULL) : 0;
}

void unpack_symlink(struct unpack *u, int folder, const char *text)
{
    struct making m = {.u = u, .folder = folder, .text = text};
    if (make_name(&m, make_symlink, "symlink") == 0)
        atomic_fetch_add(&u->tree->counts.symlinks, 1);
}

void unpack_special(struct unpack *u, int folder)
{
    struct making m = {.u = u, .folder = folder};
    if (u->tree->options.keep != LEAT_TREE_ALL)
        unpack_problem(u, LEAT_SIDE_SOURCE, -EOPNOTSUPP, "read",
                       "It is a FIFO, a socket or a device, which only a copy of all attributes copies");
    else if (make_name(&m, make_special, "mknod") == 0)
        atomic_fetch_add(&u->tree->counts.specials, 1);
}

void unpack_link(struct unpack *u, int folder, const char *to)
{
    const char *slash = strrchr(to, '/');
    unsigned made = 0;
    int from = beneath_open(&u->links, to, slash ? (size_t)(slash - to) : 0, false, &made);
    struct making m = {.u = u, .folder = folder, .from = from, .first = slash ? slash + 1 : to};
    if (from < 0)
        unpack_problem(u, LEAT_SIDE_SINK, from, "link", "The folder of the file that it is a link to is not there");
    else if (make_name(&m, make_link, "link") == 0)
        atomic_fetch_add(&u->tree->counts.hard_links, 1);
}
