/* SPDX-License-Identifier: MIT */
/* A further name of a file in one of several targets that can't be a hard link: the file is copied from its first name
 * in that target, so that no byte of the source is
 * read again. */
#include "base/fd.h"
#include "endpoint/endpoint.h"
#include "tree/ends/several.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <leat/pipeline.h>
#include <leat/report.h>
#include <limits.h>
#include <unistd.h>

static int build(leat_pipeline *pipeline, const char *name, int from, int to, struct leat_error *error)
{
    leat_endpoint *source = NULL, *sink = NULL;
    int r = leat_endpoint_from_fd(&source, from, LEAT_BORROW);
    if (r == 0)
        r = endpoint_fresh(&sink, name, to);
    if (r < 0) {
        leat_endpoint_close(source);
        return r;
    }
    r = leat_pipeline_source(pipeline, source);
    int taken = leat_pipeline_sink(pipeline, sink, NULL, error);
    return r < 0 ? r : taken;
}

static int copy_bytes(const struct tree_making *m, int from, int to)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_report *report = NULL;
    leat_pipeline *pipeline;
    int r = leat_pipeline_new(&pipeline, NULL, &error);
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_NONE, r, "open", NULL);
    r = build(pipeline, m->name, from, to, &error);
    if (r == 0)
        r = leat_pipeline_run(pipeline, &report);
    if (r < 0)
        tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, "copy", NULL);
    leat_report_free(report);
    leat_pipeline_free(pipeline);
    return r;
}

/* A symbolic link, a FIFO, a socket or a device. */
static int copy_other(const struct tree_making *m, const struct stat *st)
{
    char text[PATH_MAX];
    struct tree_making own = {.tree = m->tree, .dir = m->dir, .name = m->name, .st = st, .text = text};
    if (!S_ISLNK(st->st_mode))
        return sink_folder.special(&own);
    ssize_t n = readlinkat(m->from->fd[TARGET], m->first, text, sizeof(text));
    int r = n < 0 ? -errno : n == sizeof(text) ? -ENAMETOOLONG : 0;
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, "readlink", NULL);
    text[n] = '\0';
    return sink_folder.symlink(&own);
}

static int copy_file(const struct tree_making *m)
{
    struct tree_input input = {.fd = -1};
    struct tree_output output = {.fd = -1};
    int fd CLEANUP_FD = openat(m->from->fd[TARGET], m->first, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    int r = fd < 0 || fstat(fd, &input.st) < 0 ? -errno : S_ISREG(input.st.st_mode) ? 0 : -ESTALE;
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SINK, r, "open", NULL);
    input.fd = fd;
    input.st.st_ino = 0; /* the name may be a link to the file from an earlier copy, and is replaced */
    r = sink_folder.file_open(m->tree, m->dir, m->name, &input, &output);
    if (r < 0)
        return r;
    r = copy_bytes(m, fd, output.fd);
    return sink_folder.file_end(m->tree, m->dir, m->name, &input, &output, r);
}

int several_copy_link(const struct tree_making *m)
{
    struct stat st;
    int r = fstatat(m->dir->fd[SOURCE], m->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (r < 0)
        return tree_problem(m->tree, m->dir, m->name, LEAT_SIDE_SOURCE, r, "stat", NULL);
    r = S_ISREG(st.st_mode) ? copy_file(m) : copy_other(m, &st);
    if (r == 0)
        ends_lose(m->tree, m->dir, m->name, -EOPNOTSUPP, "link", "its other names as hard links");
    return r;
}
