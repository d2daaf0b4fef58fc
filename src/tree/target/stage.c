/* SPDX-License-Identifier: MIT */
#include "tree/target/stage.h"
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include "base/text.h"
#include "tree/ends/folder.h"
#include "tree/target/wipe.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ENDING      ".leat-tree"
#define ENDING_OLD  ".leat-old"
#define NAME_ROOM   220 /* bytes of a name that leave room for what is around it */
#define HIDDEN_ROOM 256

static int fail_at(struct leat_error *error, int code, const char *path, const char *operation)
{
    char text[128];
    return error_at(error, code, LEAT_SIDE_SINK, path, operation, "%s", error_text(code, text, sizeof(text)));
}

/* Cuts at a whole UTF-8 character, because some file systems accept nothing else. */
static void set_hidden(char hidden[HIDDEN_ROOM], const char *name, const char *ending)
{
    size_t n = strlen(name);
    for (n = MIN(n, NAME_ROOM); n == NAME_ROOM && n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80;)
        n--;
    snprintf(hidden, HIDDEN_ROOM, ".%.*s%s", (int)n, name, ending);
}

int stage_check(const struct tree_copy *tree, const char *target, struct leat_error *error)
{
    const struct leat_tree_options *o = &tree->options;
    bool is_folder = tree->sink == &sink_folder && !tree->source->copy;
    bool is_kept = o->resume || (o->journal && !o->journal_optional);
    if (is_kept && (tree->source != &source_folder || tree->sink != &sink_folder))
        return error_at(error, -EOPNOTSUPP, LEAT_SIDE_NONE, o->journal, "journal",
                        "Only copies from a folder to a folder have a journal");
    if (o->sync && !is_folder)
        return error_at(error, -EINVAL, LEAT_SIDE_SINK, target, "open", "Only a copy to a folder is synced");
    if (o->publish && (!is_folder || tree_is_shared(tree) || o->update || o->dry_run))
        return error_at(error, -EINVAL, LEAT_SIDE_SINK, target, "open",
                        "Only a copy of one process to a folder, and one of everything, is published as a whole");
    return 0;
}

int stage_begin(struct tree_copy *tree, const char *target, const char **ret_path, struct leat_error *error)
{
    struct tree_stage *stage = &tree->stage;
    char hidden[HIDDEN_ROOM];
    if (!tree->options.publish)
        return 0;
    char *full CLEANUP_FREE = tree_folder_path(*ret_path);
    int r = full ? place_find(&stage->place, full, NULL) : -ENOMEM;
    if (r == 0 && (!stage->place.name[0] || stage->place.name[0] == '/'))
        r = -EBUSY; /* the root of all */
    if (r < 0)
        return fail_at(error, r, target, "open");
    set_hidden(hidden, stage->place.name, ENDING);
    full[strrchr(full, '/') + 1 - full] = '\0';
    stage->path = text_join(full, hidden, "");
    if (!stage->path)
        return fail_at(error, -ENOMEM, target, "open");
    stage->hidden = stage->path + strlen(full);
    *ret_path = stage->path;
    return 0;
}

/* Is `inner` the folder `outer`, or in it? It is looked for from there up. */
static int is_in(int inner, const struct identity *outer)
{
    struct identity here, above;
    int fd = openat(inner, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = fd < 0 ? -errno : identity_of_fd(&here, fd);
    while (r == 0 && !identity_is_same(&here, outer)) {
        int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = up < 0 ? -errno : identity_of_fd(&above, up);
        fd_close(fd);
        fd = up;
        if (r == 0 && identity_is_same(&here, &above))
            break;
        here = above;
    }
    fd_close(fd);
    return r < 0 ? r : identity_is_same(&here, outer);
}

static int check_places(struct tree_copy *tree, const char **ret_why)
{
    const struct tree_stage *stage = &tree->stage;
    struct identity old;
    struct stat st;
    int r = is_in(stage->place.directory, &tree->root->identity[SOURCE]);
    if (r > 0)
        *ret_why = "The target is in the source";
    if (r != 0)
        return r < 0 ? r : -EINVAL;
    r = place_stat(&stage->place, &st);
    if (r == -ENOENT)
        return 0;
    if (r == 0 && !S_ISDIR(st.st_mode)) {
        *ret_why = "A folder can't replace what has this name and is no folder";
        return -ENOTDIR;
    }
    identity_of_stat(&old, &st);
    r = r < 0 || tree->root->fd[SOURCE] < 0 ? r : is_in(tree->root->fd[SOURCE], &old);
    if (r > 0)
        *ret_why = "The source is in the target, which would be replaced";
    return r > 0 ? -EINVAL : r;
}

/* Does the copy go on in the hidden folder? If it was published already, that is the old folder of the target. */
static bool is_begun(const struct tree_copy *tree)
{
    struct stat st;
    return tree->recorded.slot &&
           fstatat(tree->stage.place.directory, tree->stage.hidden, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)st.st_ino == tree->recorded.root;
}

static int rename_to(const struct tree_stage *stage, const char *from, const char *to, unsigned flags)
{
    struct op op = {.kind = OP_RENAME, .fd = {stage->place.directory, -1}, .flags = flags, .path = {from, to}};
    return (int)op_execute(&op);
}

/* Where names can't be exchanged, a copy that was killed may have left the old folder beside the target; if it was
 * killed before the new one got the name, the old one gets it back. */
static int clear_old(const struct tree_stage *stage)
{
    char old[HIDDEN_ROOM];
    struct stat st;
    set_hidden(old, stage->place.name, ENDING_OLD);
    if (fstatat(stage->place.directory, old, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (place_stat(&stage->place, &st) == -ENOENT)
        return rename_to(stage, old, stage->place.name, 0);
    return wipe_folder(stage->place.directory, old);
}

int stage_prepare(struct tree_copy *tree, struct leat_error *error)
{
    struct tree_stage *stage = &tree->stage;
    const char *why = NULL;
    if (!stage->path)
        return 0;
    int r = check_places(tree, &why);
    if (r < 0)
        return why ? error_at(error, r, LEAT_SIDE_SINK, stage->place.name, "open", "%s", why)
                   : fail_at(error, r, stage->place.name, "open");
    r = clear_old(stage);
    if (r == 0 && !is_begun(tree))
        r = wipe_folder(stage->place.directory, stage->hidden);
    return r < 0 && r != -ENOENT ? fail_at(error, r, stage->path, "unlink") : 0;
}

int stage_confirm(const struct tree_copy *tree, struct leat_error *error)
{
    const struct tree_stage *stage = &tree->stage;
    struct identity now;
    struct stat st;
    if (!stage->path)
        return 0;
    if (fstatat(stage->place.directory, stage->hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_at(error, -errno, stage->path, "stat");
    identity_of_stat(&now, &st);
    if (identity_is_same(&now, &tree->root->identity[TARGET]) && st.st_uid == geteuid())
        return 0;
    return error_at(error, -ESTALE, LEAT_SIDE_SINK, stage->path, "open",
                    "Something else has the name of the hidden folder");
}

/* ---- the end ---- */

/* Where names can't be exchanged, the target is missing for a moment. */
static int exchange_in_steps(const struct tree_stage *stage, char *old)
{
    set_hidden(old, stage->place.name, ENDING_OLD);
    int r = rename_to(stage, stage->place.name, old, 0);
    if (r < 0)
        return r;
    r = rename_to(stage, stage->hidden, stage->place.name, 0);
    if (r < 0)
        rename_to(stage, old, stage->place.name, 0);
    return r;
}

static bool is_unknown(int code)
{
    return code == -EINVAL || code == -ENOSYS || code == -EOPNOTSUPP;
}

/* `old` becomes the name of the folder that was replaced, or "". */
static int give_name(const struct tree_stage *stage, char old[HIDDEN_ROOM])
{
    struct stat st;
    old[0] = '\0';
    int r = place_stat(&stage->place, &st);
    if (r == -ENOENT) {
        r = rename_to(stage, stage->hidden, stage->place.name, OP_NEW);
        return is_unknown(r) ? rename_to(stage, stage->hidden, stage->place.name, 0) : r;
    }
    if (r == 0 && !S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    if (r < 0)
        return r;
    r = rename_to(stage, stage->hidden, stage->place.name, OP_SWAP);
    if (r == 0)
        snprintf(old, HIDDEN_ROOM, "%s", stage->hidden);
    return is_unknown(r) ? exchange_in_steps(stage, old) : r;
}

int stage_publish(struct tree_copy *tree)
{
    struct tree_stage *stage = &tree->stage;
    char old[HIDDEN_ROOM];
    if (!stage->path)
        return 0;
    int r = give_name(stage, old);
    if (r < 0)
        return tree_problem(tree, tree->root, NULL, LEAT_SIDE_SINK, r, "rename", NULL);
    r = old[0] ? wipe_folder(stage->place.directory, old) : 0;
    if (r < 0)
        tree_problem(tree, tree->root, NULL, LEAT_SIDE_SINK, r, "unlink",
                     "The copy is published, but the folder that it replaces is left as %.120s", old);
    return r < 0 ? r : stage_sync(tree);
}

int stage_sync(struct tree_copy *tree)
{
    if (!tree->options.sync || tree->options.dry_run)
        return 0;
    int r = platform.sync_file_system(tree->root->fd[TARGET]);
    return r < 0 ? tree_problem(tree, tree->root, NULL, LEAT_SIDE_SINK, r, "syncfs", NULL) : 0;
}

void stage_clear(struct tree_copy *tree, bool removes)
{
    struct tree_stage *stage = &tree->stage;
    if (stage->path && removes)
        wipe_folder(stage->place.directory, stage->hidden);
    place_clear(&stage->place);
    free(stage->path);
    stage->path = NULL;
}
