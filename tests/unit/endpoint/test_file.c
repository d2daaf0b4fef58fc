/* SPDX-License-Identifier: MIT */
/* emscripten: its files have neither owners nor second names, and it has no FIFOs
 * Files: what is refused and how it is said; published whole or not at all; in place; appended to. */
#include "unit/endpoint/endpoints.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PUBLISH  LEAT_WRITE_PUBLISH
#define IN_PLACE LEAT_WRITE_IN_PLACE
#define APPEND   LEAT_WRITE_APPEND

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

/* Root may do everything: for a while we are nobody. */
static bool become_nobody(void)
{
    return geteuid() != 0 || (chmod(".", 0755) == 0 && setegid(65534) == 0 && seteuid(65534) == 0);
}

static int root_again(void **state)
{
    if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
        return -1;
    chmod(".", 0700);
    op_interpose(NULL, NULL);
    umask(022);
    return unit_empty(state);
}

/* ---- resolving ---- */

static void sources_that_are_refused(void **state UNUSED)
{
    refused("", LEAT_READ, PUBLISH, -EINVAL, "empty");
    refused("file:", LEAT_READ, PUBLISH, -EINVAL, "empty");
    refused("missing", LEAT_READ, PUBLISH, -ENOENT, "No such file");
    refused("missing/x", LEAT_READ, PUBLISH, -ENOENT, "No such file");
    refused(".", LEAT_READ, PUBLISH, -EISDIR, "directory");
    refused("/dev/null/x", LEAT_READ, PUBLISH, -ENOTDIR, "");
    refused("odd:name", LEAT_READ, PUBLISH, -EINVAL, "./odd:name");
    refused("fd:", LEAT_READ, PUBLISH, -EINVAL, "fd:3");
    refused("fd:x", LEAT_READ, PUBLISH, -EINVAL, "fd:3");
    refused("fd:-1", LEAT_READ, PUBLISH, -EINVAL, "fd:3");
    refused("fd:99999999999999999999", LEAT_READ, PUBLISH, -EINVAL, "fd:3");
    refused("fd:1000000", LEAT_READ, PUBLISH, -EBADF, "no such descriptor");
    refused("/dev/fd/1000000", LEAT_READ, PUBLISH, -EBADF, "no such descriptor");
    refused("null:x", LEAT_READ, PUBLISH, -EINVAL, "colon");
    assert_int_equal(unit_entries(), 0);
}

static void sinks_that_are_refused(void **state UNUSED)
{
    unit_write("linked", "old", 3);
    assert_int_equal(link("linked", "other"), 0);
    unit_write("file", "old", 3);
    assert_int_equal(symlink("loop", "loop"), 0);
    refused("", LEAT_WRITE, PUBLISH, -EINVAL, "empty");
    refused(".", LEAT_WRITE, PUBLISH, -EISDIR, "name the file");
    refused("missing/x", LEAT_WRITE, PUBLISH, -ENOENT, "no directory 'missing'");
    refused("missing/", LEAT_WRITE, PUBLISH, -ENOENT, "no directory 'missing'");
    refused("file/x", LEAT_WRITE, PUBLISH, -ENOTDIR, "");
    refused("file/", LEAT_WRITE, PUBLISH, -ENOTDIR, "");
    refused("loop", LEAT_WRITE, PUBLISH, -ELOOP, "");
    refused("linked", LEAT_WRITE, PUBLISH, -EMLINK, "hard links");
    refused("file", LEAT_WRITE, 3, -EINVAL, "3");
    refused("file", LEAT_WRITE, -1, -EINVAL, "-1");
    unit_holds("linked", "old");
    leat_endpoint_close(opened("linked", LEAT_WRITE, IN_PLACE));
    leat_endpoint_close(opened("linked", LEAT_WRITE, APPEND));
}

static void a_socket_s_path_is_refused(void **state UNUSED)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    refused("socket", LEAT_READ, PUBLISH, -ENXIO, "socket");
    refused("socket", LEAT_WRITE, PUBLISH, -ENXIO, "socket");
    close(fd);
}

static void an_unreadable_folder_is_eacces(void **state UNUSED)
{
    assert_int_equal(mkdir("closed", 0700), 0);
    unit_write("closed/file", "", 0);
    if (!become_nobody() || getuid() != 0)
        skip();
    refused("closed/file", LEAT_READ, PUBLISH, -EACCES, "denied");
    refused("closed/file", LEAT_WRITE, PUBLISH, -EACCES, "denied");
    assert_int_equal(seteuid(0), 0);
    unlink("closed/file");
}

static void opening_an_endpoint_changes_nothing(void **state UNUSED)
{
    int descriptors = unit_descriptors();
    unit_write("old", "old", 3);
    for (int mode = PUBLISH; mode <= APPEND; mode++) {
        leat_endpoint_close(opened("old", LEAT_WRITE, mode));
        leat_endpoint_close(opened("new", LEAT_WRITE, mode));
    }
    leat_endpoint_close(opened("old", LEAT_READ, PUBLISH));
    assert_int_equal(unit_entries(), 1);
    unit_holds("old", "old");
    assert_int_equal(unit_descriptors(), descriptors);
}

static void what_a_source_is(void **state UNUSED)
{
    unit_write("five", "12345", 5);
    unit_write("./odd:name", "", 0);
    leat_endpoint *e = opened("file:five", LEAT_READ, PUBLISH);
    assert_string_equal(e->node.name, "file:five");
    assert_true(e->node.kind == NODE_FILE && e->node.has_size && e->node.size == 5 && e->node.mode == 0644);
    leat_endpoint_close(e);
    e = opened("./odd:name", LEAT_READ, PUBLISH);
    assert_true(e->node.kind == NODE_FILE && !e->node.has_size);
    leat_endpoint_close(e);
    e = opened("null:", LEAT_READ, PUBLISH);
    assert_int_equal(e->node.kind, NODE_NULL);
    leat_endpoint_close(e);
    e = opened("zero:", LEAT_READ, PUBLISH);
    assert_int_equal(e->node.kind, NODE_ZERO);
    leat_endpoint_close(e);
}

static void a_source_is_looked_at_again_when_it_is_opened(void **state UNUSED)
{
    unit_write("source", "12345", 5);
    leat_endpoint *e = opened("source", LEAT_READ, PUBLISH);
    unit_write("source", "1234567", 7);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_true(e->node.size == 7 && e->node.position == 0);
    node_abort(e, 0);
    node_end(e);
    e = opened("source", LEAT_READ, PUBLISH);
    unlink("source");
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(node_open(e, NULL, &error), -ENOENT);
    assert_string_equal(error.operation, "open");
    node_abort(e, 0);
    node_end(e);
}

/* Until somebody has opened it for writing it is neither ready nor at its end. */
static void a_fifo_waits_for_its_first_writer(void **state UNUSED)
{
    assert_int_equal(mkfifo("fifo", 0600), 0);
    leat_endpoint *e = opened("fifo", LEAT_READ, PUBLISH);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_true(e->node.port.blocked);
    struct pollfd set = {.fd = e->node.fd, .events = POLLIN};
    assert_int_equal(poll(&set, 1, 0), 0);
    int writer = open("fifo", O_WRONLY | O_CLOEXEC);
    close(writer);
    assert_int_equal(poll(&set, 1, 0), 1);
    node_abort(e, 0);
    node_end(e);
}

static void a_link_to_a_descriptor_is_that_descriptor(void **state UNUSED)
{
    unit_write("log", "old", 3);
    int fd = open("log", O_RDWR | O_APPEND | O_CLOEXEC);
    char path[32];
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_int_equal(symlink(path, "link"), 0);
    assert_int_equal(symlink("link", "link-to-link"), 0);
    leat_endpoint *e = opened("link-to-link", LEAT_WRITE, PUBLISH);
    assert_string_equal(e->node.ops->name, "descriptor");
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_true(e->node.append && !e->node.fresh);
    node_write(e, "new");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    node_end(e);
    close(fd);
    unit_holds("log", "oldnew");
}

static void two_spellings_are_the_same_endpoint(void **state UNUSED)
{
    static const char *const spellings[] = {"new", "./new", "file:new", "../folder/new", "link/new"};
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(chdir("folder"), 0);
    assert_int_equal(symlink("../folder", "link"), 0);
    for (int there = 0; there < 2; there++) {
        for (size_t i = 0; i < COUNT(spellings); i++) {
            leat_endpoint *a = opened("new", LEAT_WRITE, PUBLISH), *b = opened(spellings[i], LEAT_WRITE, PUBLISH);
            assert_int_equal(leat_endpoint_is_same(a, b), 1);
            leat_endpoint_close(b);
            b = opened("newer", LEAT_WRITE, PUBLISH);
            assert_int_equal(leat_endpoint_is_same(a, b), 0);
            leat_endpoint_close(a);
            leat_endpoint_close(b);
        }
        unit_write("new", "", 0);
    }
    assert_int_equal(unlink("new"), 0);
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir("folder"), 0);
}

/* ---- publishing ---- */

static void a_new_file_appears_at_commit(void **state UNUSED)
{
    leat_endpoint *e = opened("new", LEAT_WRITE, PUBLISH);
    assert_true(e->node.fresh);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "text");
    assert_int_equal(node_finish(e, 4, NULL), 0);
    assert_int_equal(access("new", F_OK), -1);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds("new", "text");
    assert_int_equal(unit_entries(), 1);
    assert_int_equal(mode_of("new"), 0644);
}

static void an_old_file_stays_until_commit_and_keeps_its_mode(void **state UNUSED)
{
    unit_write("old", "old contents", 12);
    assert_int_equal(chmod("old", 04751), 0);
    leat_endpoint *e = opened("old", LEAT_WRITE, PUBLISH);
    struct node source = {.kind = NODE_FILE, .mode = 0600};
    assert_int_equal(node_open(e, &source, NULL), 0);
    node_write(e, "new");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    unit_holds("old", "old contents");
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds("old", "new");
    assert_int_equal(mode_of("old"), 0751); /* set-user-ID belonged to the old contents */
    assert_int_equal(unit_entries(), 1);
}

static void an_old_file_keeps_its_owner(void **state UNUSED)
{
    struct stat st;
    unit_write("old", "old", 3);
    if (geteuid() != 0 || chown("old", 1234, 4321) < 0)
        skip();
    delivers("old", PUBLISH, &no_file, "new");
    assert_int_equal(stat("old", &st), 0);
    assert_true(st.st_uid == 1234 && st.st_gid == 4321);
    unit_holds("old", "new");
}

static void somebody_else_s_file_is_not_taken_over(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    unit_write("old", "old", 3);
    if (geteuid() != 0 || chmod("old", 0666) < 0 || !become_nobody())
        skip();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(".", 0777), 0);
    assert_int_equal(seteuid(65534), 0);
    leat_endpoint *e = opened("old", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, &error), -EPERM); /* before a byte has moved */
    assert_string_equal(error.operation, "fchown");
    assert_int_equal(error.advice, LEAT_ADVICE_DROP_ATTRIBUTES);
    assert_non_null(strstr(error.text, "its owner"));
    node_abort(e, 0);
    node_end(e);
    unit_holds("old", "old");
    assert_int_equal(unit_entries(), 1);
}

static void a_new_file_has_the_source_s_mode_under_the_umask(void **state UNUSED)
{
    struct node source = {.kind = NODE_FILE, .mode = 06775};
    umask(027);
    delivers("new", PUBLISH, &source, "x");
    assert_int_equal(mode_of("new"), 0750);
    delivers("in-place", IN_PLACE, &source, "x");
    assert_int_equal(mode_of("in-place"), 0750);
    delivers("plain", PUBLISH, &no_file, "x");
    assert_int_equal(mode_of("plain"), 0640);
}

static void times_and_the_mode_are_preserved(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .preserve = 1, .sync = 1};
    struct node source = {.kind = NODE_FILE, .mode = 02751, .times = {{1000000000, 0}, {1100000000, 0}}};
    struct stat st;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, "new", LEAT_WRITE, &options, NULL), 0);
    assert_int_equal(node_open(e, &source, NULL), 0);
    node_write(e, "x");
    assert_int_equal(node_finish(e, 1, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    assert_int_equal(stat("new", &st), 0);
    assert_true(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec == 1100000000);
    assert_int_equal(st.st_mode & 07777, 0751);
}

static void an_abort_leaves_no_trace(void **state UNUSED)
{
    int descriptors = unit_descriptors();
    unit_write("old", "old", 3);
    for (int step = 0; step < 3; step++)
        for (int exists = 0; exists < 2; exists++) {
            leat_endpoint *e = opened(exists ? "old" : "new", LEAT_WRITE, PUBLISH);
            if (step > 0) {
                assert_int_equal(node_open(e, &no_file, NULL), 0);
                node_write(e, "half");
            }
            if (step > 1)
                assert_int_equal(node_finish(e, 4, NULL), 0);
            node_abort(e, 4);
            node_abort(e, 4); /* legal at any time */
            node_end(e);
        }
    unit_holds("old", "old");
    assert_int_equal(unit_entries(), 1);
    assert_int_equal(unit_descriptors(), descriptors);
}

static void a_handle_that_is_dropped_leaves_no_trace(void **state UNUSED)
{
    leat_endpoint *e = opened("new", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    leat_endpoint_close(e);
    assert_int_equal(unit_entries(), 0);
}

static void holes_at_the_end_are_part_of_the_file(void **state UNUSED)
{
    struct stat st;
    leat_endpoint *e = opened("new", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "x");
    e->node.holes = true;
    assert_int_equal(node_finish(e, 100000, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    assert_int_equal(stat("new", &st), 0);
    assert_int_equal(st.st_size, 100000);
}

static void links_are_followed_to_their_target(void **state UNUSED)
{
    assert_int_equal(mkdir("folder", 0700), 0);
    unit_write("folder/target", "old", 3);
    assert_int_equal(symlink("folder/target", "link"), 0);
    assert_int_equal(symlink("folder/link-in-folder", "outer"), 0);
    assert_int_equal(symlink("new-target", "folder/link-in-folder"), 0);
    delivers("link", PUBLISH, &no_file, "new");
    delivers("outer", PUBLISH, &no_file, "fresh");
    struct stat st;
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    unit_holds("folder/target", "new");
    unit_holds("folder/new-target", "fresh");
    unlink("folder/target");
    unlink("folder/new-target");
    unlink("folder/link-in-folder");
}

static void the_longest_name_can_be_published(void **state UNUSED)
{
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    delivers(name, PUBLISH, &no_file, "one");
    delivers(name, PUBLISH, &no_file, "two");
    unit_holds(name, "two");
    assert_int_equal(unit_entries(), 1);
}

/* ---- what fails at the end ---- */

struct refusal {
    enum op_kind kind;
    int code;
    unsigned calls;
    const char *make_first; /* a file that somebody else makes just before the first such call */
};

static bool refuse(void *user, struct op *op, ssize_t *ret_result)
{
    struct refusal *refusal = user;
    if (op->kind != refusal->kind)
        return true;
    if (refusal->calls++ == 0 && refusal->make_first)
        unit_write(refusal->make_first, "theirs", 6);
    *ret_result = refusal->code;
    return refusal->code == 0;
}

static void a_failed_step_leaves_the_old_file(void **state UNUSED)
{
    static const struct {
        enum op_kind kind;
        const char *operation;
        int finish;
    } steps[] = {{OP_FSYNC, "fsync", -EIO}, {OP_RENAME, "rename", 0}};
    struct leat_endpoint_options options = {.size = sizeof(options), .sync = 1};
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct refusal refusal = {.kind = steps[i].kind, .code = -EIO};
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_endpoint *e;
        unit_write("old", "old", 3);
        assert_int_equal(leat_endpoint_open(&e, "old", LEAT_WRITE, &options, NULL), 0);
        op_interpose(refuse, &refusal);
        assert_int_equal(node_open(e, &no_file, NULL), 0);
        node_write(e, "new");
        assert_int_equal(node_finish(e, 3, &error), steps[i].finish);
        if (steps[i].finish == 0)
            assert_int_equal(node_commit(e, &error), -EIO);
        assert_string_equal(error.operation, steps[i].operation);
        node_abort(e, 3);
        node_end(e);
        op_interpose(NULL, NULL);
        unit_holds("old", "old");
        assert_int_equal(unit_entries(), 1);
    }
}

static void a_busy_target_has_a_hint(void **state UNUSED)
{
    struct refusal refusal = {.kind = OP_RENAME, .code = -EBUSY};
    struct leat_error error = LEAT_INIT(struct leat_error);
    unit_write("old", "old", 3);
    leat_endpoint *e = opened("old", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    op_interpose(refuse, &refusal);
    assert_int_equal(node_commit(e, &error), -EBUSY);
    assert_int_equal(error.advice, LEAT_ADVICE_IN_PLACE);
    node_abort(e, 0);
    node_end(e);
    assert_int_equal(unit_entries(), 1);
}

/* A disk's cache is as much to be written as a file's; what has none says EINVAL, and that is no failure. */
static void what_is_no_file_is_synced_too(void **state UNUSED)
{
    struct refusal refusal = {.kind = OP_FSYNC, .code = -EIO};
    struct leat_endpoint_options options = {.size = sizeof(options), .sync = 1};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, "null:", LEAT_WRITE, &options, NULL), 0);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_int_equal(node_finish(e, 0, &error), 0);
    op_interpose(refuse, &refusal);
    assert_int_equal(node_finish(e, 0, &error), -EIO);
    op_interpose(NULL, NULL);
    assert_string_equal(error.operation, "fsync");
    node_abort(e, 0);
    node_end(e);
}

/* The second fsync is that of the folder. */
static bool refuse_second_sync(void *user, struct op *op, ssize_t *ret_result)
{
    unsigned *calls = user;
    *ret_result = -EIO;
    return op->kind != OP_FSYNC || ++*calls != 2;
}

static void an_unsynced_folder_is_told_from_a_lost_file(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .sync = 1};
    struct leat_error error = LEAT_INIT(struct leat_error);
    unsigned calls = 0;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, "new", LEAT_WRITE, &options, NULL), 0);
    op_interpose(refuse_second_sync, &calls);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "new");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    assert_int_equal(node_commit(e, &error), -EIO);
    assert_string_equal(error.operation, "fsync");
    assert_non_null(strstr(error.text, "in its place"));
    node_abort(e, 3);
    node_end(e);
    unit_holds("new", "new");
    assert_int_equal(unit_entries(), 1);
}

/* Another file is made just before ours gets its name: by link, or by rename where files without a name are not to be
 * had. Whatever it carries, ours does not become it. */
static bool make_first(void *user, struct op *op, ssize_t *ret_result UNUSED)
{
    bool names_it = (op->kind == OP_LINK || op->kind == OP_RENAME) && strcmp(op->path[1], user) == 0;
    if (names_it && access(user, F_OK) < 0) {
        unit_write(user, "theirs", 6);
        chmod(user, 0666);
    }
    return true;
}

static bool forbid_unnamed(void *user, struct op *op, ssize_t *ret_result)
{
    *ret_result = -EPERM;
    return !(op->kind == OP_LINK && !op->path[0]) && make_first(user, op, ret_result);
}

static void a_file_that_appears_meanwhile_is_left_alone(void **state UNUSED)
{
    char name[] = "new";
    for (int hidden = 0; hidden < 2; hidden++)
        for (int old = 0; old < 2; old++) {
            struct leat_error error = LEAT_INIT(struct leat_error);
            if (old)
                unit_write("new", "old", 3);
            leat_endpoint *e = opened("new", LEAT_WRITE, PUBLISH);
            op_interpose(hidden ? forbid_unnamed : make_first, name);
            assert_int_equal(node_open(e, &no_file, NULL), 0);
            node_write(e, "ours");
            assert_int_equal(node_finish(e, 4, NULL), 0);
            if (old) {
                assert_int_equal(rename("new", "away"), 0);
                unit_write("new", "theirs", 6);
            }
            assert_int_equal(node_commit(e, &error), -EEXIST);
            op_interpose(NULL, NULL);
            assert_non_null(strstr(error.text, "left as it is"));
            node_abort(e, 4);
            node_end(e);
            unit_holds("new", "theirs");
            unlink("new");
            unlink("away");
            assert_int_equal(unit_entries(), 0);
        }
}

/* What gives a file without a name its name may be forbidden: the copy is not lost by that. */
static void a_refused_link_does_not_lose_the_copy(void **state UNUSED)
{
    static char nothing[] = "nothing";
    for (int old = 0; old < 2; old++) {
        op_interpose(forbid_unnamed, nothing);
        delivers("new", PUBLISH, &no_file, "ours");
        op_interpose(NULL, NULL);
        unit_holds("new", "ours");
        assert_int_equal(unit_entries(), 1);
    }
}

/* Another one has taken the hidden name, again and again; then it has not. The first call asks whether it can be done.
 */
static bool refuse_three_links(void *user, struct op *op, ssize_t *ret_result)
{
    unsigned *calls = user;
    *ret_result = -EEXIST;
    return op->kind != OP_LINK || ++*calls > 4;
}

static void a_hidden_name_that_is_taken_is_changed(void **state UNUSED)
{
    unsigned calls = 0;
    unit_write("new", "old", 3);
    op_interpose(refuse_three_links, &calls);
    delivers("new", PUBLISH, &no_file, "ours");
    op_interpose(NULL, NULL);
    unit_holds("new", "ours");
    assert_int_equal(unit_entries(), 1);
}

static void a_folder_that_takes_no_files_has_a_hint(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    unit_write("old", "old", 3);
    assert_int_equal(chmod("old", 0666), 0);
    if (!become_nobody() || getuid() != 0)
        skip();
    leat_endpoint *e = opened("old", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, &error), -EACCES);
    assert_int_equal(error.advice, LEAT_ADVICE_IN_PLACE);
    node_abort(e, 0);
    node_end(e);
    error = LEAT_INIT(struct leat_error);
    e = opened("new", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, &error), -EACCES);
    assert_non_null(strstr(error.text, "in that directory"));
    node_abort(e, 0);
    node_end(e);
    e = opened("new", LEAT_WRITE, IN_PLACE);
    assert_int_equal(node_open(e, &no_file, NULL), -EACCES);
    node_abort(e, 0);
    node_end(e);
    delivers("old", IN_PLACE, &no_file, "written");
    unit_holds("old", "written");
}

/* ---- closing ---- */

static void what_closing_says_is_told_before_anything_is_published(void **state UNUSED)
{
    struct refusal refusal = {.kind = OP_CLOSE, .code = -ENOSPC};
    for (int mode = PUBLISH; mode <= APPEND; mode++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        int descriptors = unit_descriptors();
        unit_write("old", "old", 3);
        leat_endpoint *e = opened("old", LEAT_WRITE, mode);
        assert_int_equal(node_open(e, &no_file, NULL), 0);
        node_write(e, "new");
        op_interpose(refuse, &refusal);
        assert_int_equal(node_finish(e, 3, &error), -ENOSPC);
        op_interpose(NULL, NULL);
        assert_string_equal(error.operation, "close");
        node_abort(e, 3);
        node_end(e);
        assert_int_equal(unit_descriptors(), descriptors);
        if (mode == PUBLISH)
            unit_holds("old", "old");
    }
}

/* ---- what is refused before a byte has moved ---- */

static void refused_with(const char *spec, struct leat_endpoint_options options, int code, int advice)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *e;
    options.size = sizeof(options);
    int r = leat_endpoint_open(&e, spec, LEAT_WRITE, &options, &error);
    if (r != code || error.advice != advice)
        fail_msg("'%s': %d, not %d; advice %d; %s", spec, r, code, error.advice, error.text);
}

static void no_clobber_leaves_what_exists(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .no_clobber = 1};
    unit_write("old", "old", 3);
    assert_int_equal(symlink("old", "link"), 0);
    for (int mode = PUBLISH; mode <= APPEND; mode++) {
        leat_endpoint *e;
        options.write_mode = mode;
        refused_with("old", options, -EEXIST, LEAT_ADVICE_REPLACE);
        refused_with("link", options, -EEXIST, LEAT_ADVICE_REPLACE);
        assert_int_equal(leat_endpoint_open(&e, "/dev/null", LEAT_WRITE, &options, NULL), 0);
        leat_endpoint_close(e);
        /* One that is made between planning and opening. */
        assert_int_equal(leat_endpoint_open(&e, "new", LEAT_WRITE, &options, NULL), 0);
        unit_write("new", "theirs", 6);
        int r = node_open(e, &no_file, NULL);
        assert_int_equal(r == 0 ? node_commit(e, NULL) : r, -EEXIST);
        node_abort(e, 0);
        node_end(e);
        unit_holds("new", "theirs");
        unlink("new");
    }
    unit_holds("old", "old");
}

static void a_protected_file_is_replaced_by_force_alone(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options)};
    unit_write("old", "old", 3);
    assert_int_equal(chmod("old", 0444), 0);
    if (geteuid() == 0 && (chown("old", 65534, 65534) < 0 || chmod(".", 0777) < 0))
        skip();
    if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
        skip();
    refused_with("old", options, -EACCES, LEAT_ADVICE_FORCE);
    options.force = 1;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_open(&e, "old", LEAT_WRITE, &options, NULL), 0);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "new");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds("old", "new");
    assert_int_equal(mode_of("old"), 0444);
}

static void a_foreign_file_in_a_sticky_folder_is_refused_at_once(void **state UNUSED)
{
    struct leat_endpoint_options options = {.size = sizeof(options)};
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir("shared", 0777), 0);
    assert_int_equal(chmod("shared", 01777), 0);
    unit_write("shared/theirs", "theirs", 6);
    assert_int_equal(chmod("shared/theirs", 0666), 0);
    assert_int_equal(symlink("nothing", "shared/link"), 0);
    assert_int_equal(chown("shared", 1, 1), 0);
    if (!become_nobody())
        skip();
    refused_with("shared/theirs", options, -EPERM, LEAT_ADVICE_IN_PLACE);
    refused_with("shared/link", options, -EACCES, LEAT_ADVICE_NONE);
    delivers("shared/theirs", IN_PLACE, &no_file, "x");
    assert_int_equal(seteuid(0), 0);
    unlink("shared/theirs");
    unlink("shared/link");
}

/* ---- names that change meanwhile ---- */

static void another_file_under_the_name_is_no_wait(void **state UNUSED)
{
    static const enum leat_direction directions[] = {LEAT_READ, LEAT_WRITE};
    for (int i = 0; i < 2; i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        unit_write("file", "text", 4);
        leat_endpoint *e = opened("file", directions[i], IN_PLACE);
        unlink("file");
        unit_fifo("file");
        int r = node_open(e, &no_file, &error);
        if (r != -ENOENT && r != -ESTALE && r != -ENXIO)
            fail_msg("a FIFO in its place: %d, %s", r, error.text);
        node_abort(e, 0);
        node_end(e);
        unlink("file");
    }
}

static void a_link_that_is_swapped_changes_nothing(void **state UNUSED)
{
    unit_write("first", "first", 5);
    unit_write("second", "second", 6);
    assert_int_equal(symlink("first", "link"), 0);
    leat_endpoint *e = opened("link", LEAT_WRITE, PUBLISH);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "new");
    unlink("link");
    assert_int_equal(symlink("second", "link"), 0);
    assert_int_equal(node_finish(e, 3, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds("first", "new");
    unit_holds("second", "second");
}

/* The folder was held: what has its name now does not matter. */
static void a_folder_that_is_swapped_changes_nothing(void **state UNUSED)
{
    assert_int_equal(mkdir("folder", 0755), 0);
    leat_endpoint *e = opened("folder/new", LEAT_WRITE, PUBLISH);
    assert_int_equal(rename("folder", "moved"), 0);
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    node_write(e, "new");
    assert_int_equal(node_finish(e, 3, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    unit_holds("moved/new", "new");
    assert_int_equal(access("folder/new", F_OK), -1);
    unlink("moved/new");
}

static bool look_at_names(void *user, struct op *op, ssize_t *ret_result UNUSED)
{
    char *longest = user;
    for (int i = 0; i < 2; i++)
        if (op->path[i] && strlen(op->path[i]) > strlen(longest) && strstr(op->path[i], ".leat-"))
            snprintf(longest, 300, "%s", op->path[i]);
    return true;
}

static void a_hidden_name_is_cut_between_letters(void **state UNUSED)
{
    char longest[300] = "";
    char name[256] = "x";
    for (int i = 0; i < 84; i++)
        memcpy(name + strlen(name), "\xE2\x82\xAC", 4); /* three bytes a letter */
    unit_write(name, "old", 3);
    op_interpose(look_at_names, longest);
    delivers(name, PUBLISH, &no_file, "new");
    op_interpose(NULL, NULL);
    unit_holds(name, "new");
    const char *end = strstr(longest, ".leat-");
    assert_non_null(end);
    assert_int_equal((end - longest - 2) % 3, 0);
}

/* ---- in place, appended ---- */

static void in_place_is_cut_to_what_was_delivered(void **state UNUSED)
{
    struct stat before, after;
    unit_write("old", "0123456789", 10);
    assert_int_equal(link("old", "other"), 0);
    assert_int_equal(stat("old", &before), 0);
    delivers("old", IN_PLACE, &no_file, "new");
    assert_int_equal(stat("old", &after), 0);
    assert_true(before.st_ino == after.st_ino);
    unit_holds("other", "new");
    delivers("fresh", IN_PLACE, &no_file, "x");
    unit_holds("fresh", "x");
}

static void appended_is_behind_what_is_there(void **state UNUSED)
{
    unit_write("log", "old", 3);
    delivers("log", APPEND, &no_file, "new");
    unit_holds("log", "oldnew");
    delivers("fresh", APPEND, &no_file, "x");
    unit_holds("fresh", "x");
    leat_endpoint *e = opened("log", LEAT_WRITE, APPEND);
    assert_true(e->node.append && !e->node.fresh);
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    assert_int_equal(e->node.position, -1);
    node_abort(e, 0);
    node_end(e);
    unit_holds("log", "oldnew");
}

static void a_file_that_may_only_be_written_is_opened_so(void **state UNUSED)
{
    unit_write("old", "0123", 4);
    assert_int_equal(chmod("old", 0222), 0);
    if (!become_nobody())
        skip();
    delivers("old", IN_PLACE, &no_file, "x");
    assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(chmod("old", 0644), 0);
    unit_holds("old", "x");
}

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sources_that_are_refused, unit_empty),
        cmocka_unit_test_teardown(sinks_that_are_refused, unit_empty),
        cmocka_unit_test_teardown(a_socket_s_path_is_refused, unit_empty),
        cmocka_unit_test_teardown(an_unreadable_folder_is_eacces, root_again),
        cmocka_unit_test_teardown(opening_an_endpoint_changes_nothing, unit_empty),
        cmocka_unit_test_teardown(what_a_source_is, unit_empty),
        cmocka_unit_test_teardown(a_source_is_looked_at_again_when_it_is_opened, unit_empty),
        cmocka_unit_test_teardown(a_fifo_waits_for_its_first_writer, unit_empty),
        cmocka_unit_test_teardown(a_link_to_a_descriptor_is_that_descriptor, unit_empty),
        cmocka_unit_test_teardown(two_spellings_are_the_same_endpoint, unit_empty),
        cmocka_unit_test_teardown(a_new_file_appears_at_commit, unit_empty),
        cmocka_unit_test_teardown(an_old_file_stays_until_commit_and_keeps_its_mode, unit_empty),
        cmocka_unit_test_teardown(an_old_file_keeps_its_owner, unit_empty),
        cmocka_unit_test_teardown(somebody_else_s_file_is_not_taken_over, root_again),
        cmocka_unit_test_teardown(a_new_file_has_the_source_s_mode_under_the_umask, root_again),
        cmocka_unit_test_teardown(times_and_the_mode_are_preserved, unit_empty),
        cmocka_unit_test_teardown(an_abort_leaves_no_trace, unit_empty),
        cmocka_unit_test_teardown(a_handle_that_is_dropped_leaves_no_trace, unit_empty),
        cmocka_unit_test_teardown(holes_at_the_end_are_part_of_the_file, unit_empty),
        cmocka_unit_test_teardown(links_are_followed_to_their_target, unit_empty),
        cmocka_unit_test_teardown(the_longest_name_can_be_published, unit_empty),
        cmocka_unit_test_teardown(a_failed_step_leaves_the_old_file, root_again),
        cmocka_unit_test_teardown(a_busy_target_has_a_hint, root_again),
        cmocka_unit_test_teardown(what_is_no_file_is_synced_too, root_again),
        cmocka_unit_test_teardown(an_unsynced_folder_is_told_from_a_lost_file, root_again),
        cmocka_unit_test_teardown(a_file_that_appears_meanwhile_is_left_alone, root_again),
        cmocka_unit_test_teardown(a_hidden_name_that_is_taken_is_changed, root_again),
        cmocka_unit_test_teardown(a_folder_that_takes_no_files_has_a_hint, root_again),
        cmocka_unit_test_teardown(a_refused_link_does_not_lose_the_copy, root_again),
        cmocka_unit_test_teardown(what_closing_says_is_told_before_anything_is_published, root_again),
        cmocka_unit_test_teardown(no_clobber_leaves_what_exists, unit_empty),
        cmocka_unit_test_teardown(a_protected_file_is_replaced_by_force_alone, root_again),
        cmocka_unit_test_teardown(a_foreign_file_in_a_sticky_folder_is_refused_at_once, root_again),
        cmocka_unit_test_teardown(another_file_under_the_name_is_no_wait, unit_empty),
        cmocka_unit_test_teardown(a_link_that_is_swapped_changes_nothing, unit_empty),
        cmocka_unit_test_teardown(a_folder_that_is_swapped_changes_nothing, unit_empty),
        cmocka_unit_test_teardown(a_hidden_name_is_cut_between_letters, root_again),
        cmocka_unit_test_teardown(in_place_is_cut_to_what_was_delivered, unit_empty),
        cmocka_unit_test_teardown(appended_is_behind_what_is_there, unit_empty),
        cmocka_unit_test_teardown(a_file_that_may_only_be_written_is_opened_so, root_again),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
