/* SPDX-License-Identifier: MIT */
/* Prints the digests of all files of a tree: digest_tree WORKERS DIRECTORY. Several workers compute them at the same
 * time. The lines are in the order of the tree, in the form that `sha256sum -c` reads. A file that can't be read is
 * reported, and the others go on. */
#define _XOPEN_SOURCE 700 /* nftw */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    char *path;
    char hex[LEAT_DIGEST_HEX_MAX];
};

static struct list {
    char **path;
    size_t n, next, room;
} list;

static void file_free(void *user, void *item)
{
    struct file *file = item;
    (void)user;
    free(file->path);
    free(file);
}

static int found(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F || !S_ISREG(st->st_mode))
        return 0;
    if (list.n == list.room) {
        size_t room = list.room ? list.room * 2 : 64;
        char **more = realloc(list.path, room * sizeof(*more));
        if (!more)
            return -1;
        list.path = more;
        list.room = room;
    }
    list.path[list.n] = strdup(path);
    return list.path[list.n++] ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The source. It runs on a thread of its own. */
static int next_file(void *user, void **ret)
{
    struct list *from = user;
    if (from->next == from->n)
        return LEAT_STAGES_END;
    struct file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->path = from->path[from->next];
    from->path[from->next++] = NULL;
    *ret = file;
    return 0;
}

/* The stage. Each worker runs pipelines of its own, whose sink discards the bytes after the digest. */
static int digest_file(leat_work *work, void *item, void *user)
{
    struct file *file = item;
    leat_pipeline *pipeline = NULL;
    leat_endpoint *from, *to;
    leat_filter *digest = NULL;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    (void)user;
    if (fd < 0)
        return -errno;
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r == 0)
        r = leat_filter_digest(&digest, "sha256", NULL, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, leat_filter_ref(digest));
    if (r == 0 && (r = leat_endpoint_from_fd(&from, fd, LEAT_BORROW)) == 0)
        r = leat_pipeline_source(pipeline, from);
    if (r == 0 && (r = leat_endpoint_open(&to, "null:", LEAT_WRITE, NULL, NULL)) == 0)
        r = leat_pipeline_sink(pipeline, to, NULL, NULL);
    if (r == 0)
        r = leat_pipeline_run(pipeline, NULL);
    if (r == 0)
        r = leat_filter_digest_hex(digest, "sha256", file->hex, sizeof(file->hex));
    leat_pipeline_free(pipeline);
    leat_filter_free(digest);
    close(fd);
    return r < 0 ? r : leat_work_emit(work, item, -1);
}

static void tell(void *user, void *item, const struct leat_error *error)
{
    struct file *file = item;
    *(int *)user = 1;
    fprintf(stderr, "digest_tree: %s: %s\n", file->path, strerror(-error->code));
    file_free(NULL, file);
}

static int print(void *user, void *item)
{
    struct file *file = item;
    (void)user;
    printf("%s  %s\n", file->hex, file->path);
    file_free(NULL, file);
    return 0;
}

static int run(uint32_t workers, int *failed)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_stages *stages;
    options.dispose = file_free;
    stage.name = "digest";
    stage.function = digest_file;
    stage.user = failed;
    stage.dispose = file_free;
    stage.workers = workers;
    stage.ordered = 1;
    stage.on_error = LEAT_ON_ERROR_DROP;
    stage.dead = tell;
    int r = leat_stages_new(&stages, &options, NULL);
    if (r < 0)
        return r;
    r = leat_stages_add(stages, &stage, NULL);
    if (r == 0)
        r = leat_stages_run(stages, next_file, &list, print, NULL, &error);
    if (r < 0)
        fprintf(stderr, "digest_tree: %s\n", error.code ? error.text : strerror(-r));
    leat_stages_free(stages);
    return r;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: digest_tree WORKERS DIRECTORY\n");
        return 2;
    }
    if (nftw(argv[2], found, 16, FTW_PHYS) != 0) {
        perror(argv[2]);
        return 1;
    }
    qsort(list.path, list.n, sizeof(*list.path), by_name);
    int r = run((uint32_t)strtoul(argv[1], NULL, 10), &failed);
    for (size_t i = list.next; i < list.n; i++)
        free(list.path[i]);
    free(list.path);
    return r < 0 || failed;
}
