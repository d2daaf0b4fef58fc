/* SPDX-License-Identifier: MIT */
#include "tree/links.h"
#include "tree/tree.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_AT_FIRST = 256
};

void links_init(struct tree_links *links)
{
    pthread_mutex_init(&links->lock, NULL);
}

static size_t row_of(const struct tree_links *links, dev_t device, ino_t inode)
{
    uint64_t mix = ((uint64_t)inode ^ (uint64_t)device << 40) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mix >> 32) & (links->rows - 1);
}

/* Doubles the table once there are as many entries as rows. */
static int grow(struct tree_links *links)
{
    struct tree_links larger = {.rows = links->rows ? 2 * links->rows : ROWS_AT_FIRST};
    if (links->count < links->rows)
        return 0;
    larger.row = calloc(larger.rows, sizeof(struct tree_link *));
    if (!larger.row)
        return -ENOMEM;
    for (size_t i = 0; i < links->rows; i++)
        for (struct tree_link *link = links->row[i], *next; link; link = next) {
            next = link->next;
            struct tree_link **row = &larger.row[row_of(&larger, link->device, link->inode)];
            link->next = *row;
            *row = link;
        }
    free(links->row);
    links->row = larger.row;
    links->rows = larger.rows;
    return 0;
}

static struct tree_link *find(struct tree_links *links, const struct stat *st)
{
    struct tree_link *link = links->rows ? links->row[row_of(links, st->st_dev, st->st_ino)] : NULL;
    while (link && (link->device != st->st_dev || link->inode != st->st_ino))
        link = link->next;
    return link;
}

static struct tree_link *add(struct tree_links *links, const struct stat *st, const char *name)
{
    size_t n = strlen(name) + 1;
    struct tree_link *link = grow(links) < 0 ? NULL : calloc(1, sizeof(*link) + n);
    if (!link)
        return NULL;
    struct tree_link **row = &links->row[row_of(links, st->st_dev, st->st_ino)];
    link->device = st->st_dev;
    link->inode = st->st_ino;
    memcpy(link->name, name, n);
    link->next = *row;
    *row = link;
    links->count++;
    return link;
}

/* `work`: the name waits, so its folder is not done yet. */
static int set_name(struct tree_copy *tree, struct tree_name *name, struct tree_dir *dir, const char *text, bool work)
{
    name->name = strdup(text);
    if (!name->name)
        return -ENOMEM;
    name->dir = dir;
    (work ? dir_add_work : dir_ref)(tree, dir);
    return 0;
}

static int meet_first(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st,
                      struct tree_link **ret)
{
    struct tree_link *link = add(&tree->links, st, name);
    *ret = link;
    if (!link)
        return -ENOMEM;
    link->first = (struct tree_name){.dir = dir, .name = link->name};
    dir_ref(tree, dir);
    return LINKS_COPY;
}

/* A first name that could not be copied has left the entry without one. */
static int meet_again(struct tree_copy *tree, struct tree_link *link, struct tree_dir *dir, const char *name)
{
    if (!link->first.name)
        return set_name(tree, &link->first, dir, name, false) == 0 ? LINKS_COPY : -ENOMEM;
    if (link->is_copied)
        return LINKS_LINK;
    struct tree_name *waiting = calloc(1, sizeof(*waiting));
    if (!waiting || set_name(tree, waiting, dir, name, true) < 0) {
        free(waiting);
        return -ENOMEM;
    }
    waiting->next = link->waiting;
    link->waiting = waiting;
    return LINKS_LEFT;
}

int links_meet(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st,
               struct tree_link **ret)
{
    struct tree_links *links = &tree->links;
    pthread_mutex_lock(&links->lock);
    *ret = find(links, st);
    int r = *ret ? meet_again(tree, *ret, dir, name) : meet_first(tree, dir, name, st, ret);
    if (r >= 0) {
        (*ret)->met++;
        (*ret)->names = st->st_nlink;
        (*ret)->users += r != LINKS_LEFT;
    }
    if (r == LINKS_COPY)
        (*ret)->ctime = st->st_ctim;
    pthread_mutex_unlock(&links->lock);
    return r;
}

struct tree_name *links_copied(struct tree_copy *tree, struct tree_link *link, bool is_copied)
{
    struct tree_name failed = {.name = NULL};
    pthread_mutex_lock(&tree->links.lock);
    struct tree_name *waiting = link->waiting;
    link->waiting = NULL;
    link->is_copied = is_copied;
    if (!is_copied) {
        failed = link->first;
        link->first = (struct tree_name){.name = NULL};
        for (struct tree_name *name = waiting; name; name = name->next)
            link->met--; /* it is met again */
    }
    pthread_mutex_unlock(&tree->links.lock);
    if (failed.name != link->name)
        free(failed.name);
    if (failed.dir)
        dir_unref(tree, failed.dir);
    return waiting;
}

static void free_link(struct tree_copy *tree, struct tree_link *link)
{
    if (link->first.dir)
        dir_unref(tree, link->first.dir);
    if (link->first.name != link->name)
        free(link->first.name);
    free(link);
}

static void take_out(struct tree_links *links, const struct tree_link *link)
{
    struct tree_link **at = &links->row[row_of(links, link->device, link->inode)];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    links->count--;
}

void links_end(struct tree_copy *tree, struct tree_link *link, nlink_t names)
{
    struct tree_links *links = &tree->links;
    pthread_mutex_lock(&links->lock);
    bool is_over = --link->users == 0 && link->met >= names && link->is_copied;
    if (is_over)
        take_out(links, link);
    pthread_mutex_unlock(&links->lock);
    if (is_over)
        free_link(tree, link);
}

/* Only the process that copies the folder knows such a file, and not where its other names are. */
static bool is_apart(const struct tree_copy *tree, const struct tree_link *link)
{
    return link->is_copied && link->first.dir->is_whole && !tree->root->is_whole && link->met < link->names;
}

void links_tell_apart(struct tree_copy *tree)
{
    const struct tree_links *links = &tree->links;
    for (size_t i = 0; i < links->rows && !tree_is_canceled(tree); i++)
        for (const struct tree_link *link = links->row[i]; link; link = link->next)
            if (is_apart(tree, link))
                ends_lose(tree, link->first.dir, link->first.name, -EXDEV, "link",
                          "its other names outside of a folder that is locked as hard links");
}

void links_free_name(struct tree_copy *tree, struct tree_name *name)
{
    dir_end_work(tree, name->dir);
    free(name->name);
    free(name);
}

void links_clear(struct tree_copy *tree)
{
    struct tree_links *links = &tree->links;
    for (size_t i = 0; i < links->rows; i++)
        for (struct tree_link *link = links->row[i], *next; link; link = next) {
            next = link->next;
            free_link(tree, link);
        }
    free(links->row);
    pthread_mutex_destroy(&links->lock);
}
