/* SPDX-License-Identifier: MIT */
/* leat_tree_verify_list: a list as a flat source of names (flat.h), and a pass that takes the digest of each. */
#include "base/fd.h"
#include "base/op.h"
#include "tree/verify/verify.h"
#include <fcntl.h>
#include <unistd.h>

/* What the list says of a name: its mark. */
struct listed {
    struct tree_digest digest;
    uint8_t expected[DIGEST_BYTES_MAX];
};

/* The state of the source, of the walker's thread alone. */
struct list_state {
    int (*next)(void *user, struct leat_tree_entry *ret_entry);
    void *user;
    char *name; /* the last one, without what means nothing in it */
    struct tree_digest last;
    char *spelling; /* of `last` */
};

/* ---- lines ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Reads a digest of n bytes and no more. */
static bool read_hex(const char *hex, uint8_t *ret, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = digit(hex[2 * i]), low = high < 0 ? -1 : digit(hex[2 * i + 1]);
        if (low < 0)
            return false;
        ret[i] = (uint8_t)(16 * high + low);
    }
    return hex[2 * n] == '\0';
}

/* Removes "./" and doubled slashes. Other names than those of the tree stay, and are refused later. */
static void tidy(char *name)
{
    char *to = name;
    for (const char *from = name; *from;) {
        size_t n = strcspn(from, "/");
        bool is_nothing = (n == 1 && from[0] == '.' && from[n]) || (n == 0 && from > name);
        size_t whole = n + (from[n] == '/');
        if (!is_nothing) {
            memmove(to, from, whole);
            to += whole;
        }
        from += whole;
    }
    *to = '\0';
}

/* Finds the algorithm; most lists have one. */
static int find_digest(struct list_state *list, const char *spelling, struct leat_error *error)
{
    if (list->spelling && strcmp(list->spelling, spelling) == 0)
        return 0;
    free(list->spelling);
    list->spelling = NULL;
    int r = digest_find(&list->last, spelling, error);
    if (r == 0)
        list->spelling = strdup(spelling);
    return r;
}

/* Gives the mark of a line, or NULL after a problem. */
static struct listed *make_line(struct tree_copy *tree, struct list_state *list, const struct leat_tree_entry *entry)
{
    struct leat_error error = {.size = sizeof(error)};
    int r = find_digest(list, entry->algorithm, &error);
    if (r < 0) {
        tree_problem(tree, tree->root, list->name, LEAT_SIDE_SOURCE, r, "digest", "%s", error.text);
        return NULL;
    }
    struct listed *line = calloc(1, sizeof(*line));
    if (!line) {
        tree_problem(tree, tree->root, list->name, LEAT_SIDE_NONE, -ENOMEM, "digest", NULL);
        return NULL;
    }
    line->digest = list->last;
    if (read_hex(entry->hex, line->expected, line->digest.size))
        return line;
    free(line);
    tree_problem(tree, tree->root, list->name, LEAT_SIDE_SOURCE, -EINVAL, "digest",
                 "The list has no %s digest for it, but something else", list->last.name);
    return NULL;
}

/* ---- the list as a source ---- */

static int open_list(struct tree_copy *tree, const char *spec UNUSED, const char *rest UNUSED,
                     struct leat_error *error UNUSED)
{
    tree->source_state = tree->given;
    return 0;
}

static int begin(struct tree_copy *tree UNUSED, struct tree_dir *dir UNUSED)
{
    return 0;
}

static int next(struct tree_copy *tree, struct tree_dir *dir UNUSED, struct tree_found *ret)
{
    struct list_state *list = tree->source_state;
    struct leat_tree_entry entry = {NULL, NULL, NULL};
    struct listed *line = NULL;
    while (!line && !tree_is_canceled(tree)) {
        int r = list->next(list->user, &entry);
        if (r <= 0)
            return r < 0 ? tree_problem(tree, tree->root, NULL, LEAT_SIDE_SOURCE, r, "list", NULL) : 0;
        free(list->name);
        list->name = strdup(entry.name);
        if (!list->name)
            return tree_problem(tree, tree->root, NULL, LEAT_SIDE_NONE, -ENOMEM, "list", NULL);
        tidy(list->name);
        line = make_line(tree, list, &entry);
    }
    *ret = (struct tree_found){.name = list->name, .kind = S_IFREG, .mark = line};
    return line ? 1 : 0;
}

static void end(struct tree_copy *tree UNUSED)
{
}

static void drop(struct tree_copy *tree UNUSED, void *mark)
{
    free(mark);
}

static const struct tree_source source_list = {
    .scheme = "list",
    .is_flat = true,
    .open = open_list,
    .begin = begin,
    .next = next,
    .end = end,
    .drop = drop,
};

static const struct tree_sink sink_list = {
    .scheme = "",
    .open = verify_open_target,
    .finish = verify_finish_target,
    .close = verify_close_target,
    .dir_open = verify_open_folder,
};

/* ---- files ---- */

/* Opens a file of the folder. Returns the descriptor, or a negative errno after it has said why there is none. */
static int open_file(const struct verify_name *n)
{
    struct stat st;
    int fd = openat(n->dir->fd[TARGET], n->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    int code = fd >= 0 ? -EISDIR : fd;
    fd_close(fd);
    if (code == -ENOENT)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_ONLY_SOURCE, 0, "it is missing");
    else if (code == -ELOOP || code == -EISDIR || code == -ENXIO)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_KIND, 0, "it is no file%s",
                          code == -ELOOP ? ", but a symbolic link" : "");
    else
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_SINK, code, "open", NULL);
    return code;
}

static int read_file(const struct verify_name *n, int fd, const struct digest_provider *provider, void *state,
                     char *buffer)
{
    for (;;) {
        struct op op = {.kind = OP_READ, .fd = {fd, -1}, .offset = {-1, -1}, .bytes = buffer, .length = VERIFY_BYTES};
        ssize_t r = op_execute(&op);
        if (r < 0)
            return tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_SINK, (int)r, op_name(OP_READ), NULL);
        if (tree_is_canceled(n->tree))
            return -ECANCELED;
        if (r == 0)
            return 0;
        atomic_fetch_add(&n->tree->counts.bytes, (uint64_t)r);
        int code = provider->update(state, buffer, (size_t)r);
        if (code < 0)
            return tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_FILTER, code, "digest", NULL);
    }
}

static void compare(const struct verify_name *n, const struct listed *line, int fd, char *buffer)
{
    const struct digest_provider *provider = line->digest.provider;
    uint8_t value[DIGEST_BYTES_MAX];
    const char *why;
    size_t size;
    void *state;
    int r = provider->open(&state, line->digest.name, &size, &why);
    if (r < 0) {
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_FILTER, r, "digest", NULL);
        return;
    }
    r = read_file(n, fd, provider, state, buffer);
    if (r == 0 && (r = provider->value(state, value)) < 0)
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_FILTER, r, "digest", NULL);
    provider->close(state);
    if (r < 0)
        return;
    atomic_fetch_add(&n->tree->counts.files, 1);
    if (memcmp(value, line->expected, size) != 0)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_CONTENTS, 0, "the %s digest is another one",
                          line->digest.name);
}

static void verify_lines(struct tree_copy *tree, void *given, struct tree_batch *batch)
{
    struct verify_worker *worker = given;
    const char *name = batch->bytes;
    for (unsigned i = 0; i < batch->count && !tree_is_canceled(tree); i++, name += strlen(name) + 1) {
        struct verify_name n = {.tree = tree, .dir = batch->dir, .name = name};
        int fd CLEANUP_FD = open_file(&n);
        if (fd >= 0)
            compare(&n, batch->mark[i], fd, worker->buffer[TARGET]);
    }
}

/* ---- the pass ---- */

/* A folder on the way to the last name can't be opened. */
static int missing(struct tree_copy *tree, struct tree_dir *dir, int code)
{
    const struct list_state *list = tree->source_state;
    if (code == -ENOENT)
        verify_difference(tree, tree->root, list->name, LEAT_TREE_ONLY_SOURCE, 0, "it is missing, with its folder");
    else if (code == -ENOTDIR || code == -ELOOP)
        verify_difference(tree, tree->root, list->name, LEAT_TREE_KIND, 0, "its folder '%.40s' is none, or a link",
                          dir->name);
    else
        tree_problem(tree, dir, NULL, LEAT_SIDE_SINK, code, "open", NULL);
    return code;
}

static int check(struct tree_copy *tree, struct leat_error *error)
{
    if (tree->options.keep == LEAT_TREE_ALL)
        return error_set(error, -EINVAL, "A list of digests has no attributes");
    return tree_check_only_reads(tree, error);
}

static const struct tree_pass comparing = {
    .name = "verify",
    .sink = &sink_list,
    .source = &source_list,
    .check = check,
    .missing = missing,
    .batch = verify_lines,
    .worker_open = verify_worker_open,
    .worker_close = verify_worker_close,
};

int leat_tree_verify_list(const char *folder, int (*next_line)(void *next_user, struct leat_tree_entry *ret_entry),
                          void *next_user, const struct leat_tree_options *options, struct leat_tree_result *ret_result,
                          struct leat_error *ret_error)
{
    struct list_state list = {.next = next_line, .user = next_user};
    int r = tree_run(&comparing, &list, "", folder, options, ret_result, ret_error);
    free(list.name);
    free(list.spelling);
    return r;
}
