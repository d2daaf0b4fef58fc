/* SPDX-License-Identifier: MIT */
/* timeout: 600
 * engines: uring
 * Every route forced, every faster feature denied, every size: the same bytes, digests and counts. */
#include "unit/flow/scene.h"

static const size_t sizes[] = {
    0, 1, 4095, 4096, 4097, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, (1 << 20) - 1, (1 << 20) + 1, (8 << 20) + 7};

static const struct scene scenes[] = {
    {"file to new file", KIND_FILE, {KIND_FILE}, NULL},
    {"file to old file, digest", KIND_FILE, {KIND_OLD_FILE}, "sha256"},
    {"file in place", KIND_FILE, {KIND_IN_PLACE}, NULL},
    {"file appended", KIND_FILE, {KIND_APPEND}, "crc32c"},
    {"file to pipe", KIND_FILE, {KIND_PIPE}, NULL},
    {"file to pipe, digest", KIND_FILE, {KIND_PIPE}, "xxh3"},
    {"file to one-slot pipe", KIND_FILE, {KIND_SMALL_PIPE}, NULL},
    {"file to null", KIND_FILE, {KIND_NULL}, NULL},
    {"pipe to file", KIND_PIPE, {KIND_OLD_FILE}, NULL},
    {"pipe to pipe", KIND_PIPE, {KIND_PIPE}, NULL},
    {"one-slot pipe to one-slot pipe", KIND_SMALL_PIPE, {KIND_SMALL_PIPE}, NULL},
    {"memory to memory", KIND_MEMORY, {KIND_MEMORY}, "sha256"},
    {"memory to pipe", KIND_MEMORY, {KIND_PIPE}, NULL},
    {"file to file, pipe and null", KIND_FILE, {KIND_OLD_FILE, KIND_PIPE, KIND_NULL}, NULL},
    {"pipe to three", KIND_PIPE, {KIND_FILE, KIND_SMALL_PIPE, KIND_PIPE}, NULL},
    {"pipe to three, digest", KIND_PIPE, {KIND_FILE, KIND_SMALL_PIPE, KIND_MEMORY}, "sha256,md5"},
    {"file to tcp", KIND_FILE, {KIND_TCP}, NULL},
    {"file to tcp, digest", KIND_FILE, {KIND_TCP}, "xxh3"},
    {"file to unix socket", KIND_FILE, {KIND_UNIX}, NULL},
    {"file to shared socket", KIND_FILE, {KIND_SOCKET}, NULL},
    {"tcp to file", KIND_TCP, {KIND_OLD_FILE}, NULL},
    {"tcp to pipe", KIND_TCP, {KIND_PIPE}, NULL},
    {"one-slot pipe to tcp", KIND_SMALL_PIPE, {KIND_TCP}, NULL},
    {"unix socket to tcp", KIND_UNIX, {KIND_TCP}, NULL},
    {"unix socket to one-slot pipe", KIND_UNIX, {KIND_SMALL_PIPE}, NULL},
    {"shared socket to unix socket, digest", KIND_SOCKET, {KIND_UNIX}, "crc32c"},
    {"unix socket to three", KIND_UNIX, {KIND_TCP, KIND_FILE, KIND_PIPE}, NULL},
    {"only a digest", KIND_FILE, {KIND_NONE}, "sha256"},
};

static struct denial {
    const char *name;
    unsigned kinds;
    int code;
} denials[] = {
    {"nothing", 0, 0},
    {"clone", 1u << OP_CLONE, EOPNOTSUPP},
    {"splice", 1u << OP_SPLICE, EPERM},
    {"tee", 1u << OP_TEE, ENOSYS},
    {"copy_file_range and sendfile", 1u << OP_COPY_RANGE | 1u << OP_SENDFILE, ENOSYS},
    {"all of them", 1u << OP_CLONE | 1u << OP_SPLICE | 1u << OP_TEE | 1u << OP_COPY_RANGE | 1u << OP_SENDFILE, EINVAL},
};

/* OP_NOWAIT belongs to the denials too: an old kernel says EOPNOTSUPP. */
static bool deny(void *user, struct op *op, ssize_t *ret_result)
{
    const struct denial *denial = user;
    if (!(denial->kinds & 1u << op->kind))
        return true;
    *ret_result = -denial->code;
    return false;
}

static bool deny_nowait(void *user, struct op *op, ssize_t *ret_result)
{
    (void)user;
    if (!(op->flags & OP_NOWAIT) || (op->kind != OP_READ && op->kind != OP_WRITE))
        return true;
    *ret_result = -EOPNOTSUPP;
    return false;
}

static void run_once(const struct scene *scene, size_t n, const char *route, uint64_t memory)
{
    struct stage s;
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route, .memory_limit = memory};
    if (!has_route(route) || !can_play(scene))
        return;
    stage_open(&s, scene, n, &options);
    stage_run(&s);
    if (s.result != 0)
        print_message("%s, %zu bytes, route %s: %s\n", scene->name, n, route, leat_report_error(s.report)->text);
    assert_int_equal(s.result, 0);
    check_balance(&s);
    for (size_t i = 0; i < sinks_of(scene); i++)
        check_sink_whole(&s, i);
    if (sinks_of(scene))
        assert_int_equal(leat_report_bytes(s.report), n);
    if (s.digest) {
        char hex[LEAT_DIGEST_HEX_MAX], algorithm[32];
        snprintf(algorithm, sizeof(algorithm), "%.*s", (int)strcspn(s.digest, ","), s.digest);
        assert_int_equal(leat_report_digest(s.report, algorithm, hex, sizeof(hex)), 0);
        assert_string_equal(hex, hex_of_content(s.content, n, algorithm));
    }
    stage_close(&s);
}

static void every_route_with_every_denial(void **state)
{
    (void)state;
    size_t number = 0;
    static const char *const routes[] = {"auto",          "prefer:clone",  "prefer:offload",
                                         "prefer:splice", "prefer:direct", "chunk"};
    int before = open_descriptors();
    for (size_t d = 0; d < sizeof(denials) / sizeof(denials[0]); d++) {
        op_interpose(deny, &denials[d]);
        for (size_t c = 0; c < sizeof(scenes) / sizeof(scenes[0]); c++)
            for (size_t r = 0; r < sizeof(routes) / sizeof(routes[0]); r++)
                for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                    if (!passed_over(number++, 61))
                        run_once(&scenes[c], sizes[i], routes[r], 0);
    }
    op_interpose(NULL, NULL);
    check_no_leftovers();
    assert_int_equal(open_descriptors(), before);
}

/* Down to the least memory that a plan says it needs. */
static void every_memory_limit(void **state)
{
    (void)state;
    static const uint64_t limits[] = {4096, 8192, 12288, 16384, 65536, 1 << 20};
    static const char *const routes[] = {"auto", "prefer:splice", "prefer:direct"};
    size_t number = 0;
    for (size_t m = 0; m < sizeof(limits) / sizeof(limits[0]); m++)
        for (size_t c = 0; c < sizeof(scenes) / sizeof(scenes[0]); c++)
            for (size_t r = 0; r < sizeof(routes) / sizeof(routes[0]); r++)
                if (!passed_over(number++, 11))
                    run_once(&scenes[c], (64 << 10) + 1, routes[r], limits[m]);
}

/* The source anew, with holes that begin and end within blocks, and one at the end. */
static void make_holes(struct stage *s)
{
    size_t from = 5000, to = (2 << 20) + 5077, end = 4 << 20;
    int fd = open("source", O_WRONLY | O_CLOEXEC | O_TRUNC);
    assert_true(fd >= 0);
    memset(s->content + from, 0, to - from);
    memset(s->content + end, 0, s->n - end);
    assert_int_equal(pwrite(fd, s->content, from, 0), from);
    assert_int_equal(pwrite(fd, s->content + to, end - to, (off_t)to), end - to);
    assert_int_equal(ftruncate(fd, (off_t)s->n), 0);
    close(fd);
}

static void copy_part(const char *route, uint64_t offset, uint64_t length, bool holes)
{
    static const struct scene scene = {"part of a file", KIND_FILE, {KIND_FILE}, "crc32c"};
    struct stage s;
    if (!has_route(route))
        return;
    struct leat_pipeline_options options = {
        .size = sizeof(options), .route = route, .offset = offset, .length = length, .has_length = 1};
    char hex[LEAT_DIGEST_HEX_MAX];
    stage_open(&s, &scene, (7 << 20) + 3, &options);
    if (holes)
        make_holes(&s);
    stage_run(&s);
    assert_int_equal(s.result, 0);
    check_balance(&s);
    s.n = s.n - offset < length ? s.n - offset : length;
    memmove(s.content, s.content + offset, s.n);
    check_sink_whole(&s, 0);
    assert_int_equal(leat_report_digest(s.report, "crc32c", hex, sizeof(hex)), 0);
    assert_string_equal(hex, hex_of_content(s.content, s.n, "crc32c"));
    stage_close(&s);
}

/* Wherever the blocks of the source begin and end. */
static void every_part(void **state)
{
    (void)state;
    static const char *const routes[] = {"prefer:splice", "prefer:direct", "chunk"};
    static const uint64_t edges[] = {0, 1, 511, 4096, 4097, (1 << 20) + 1, 7 << 20};
    size_t count = sizeof(edges) / sizeof(edges[0]), number = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            for (size_t r = 0; r < sizeof(routes) / sizeof(routes[0]); r++) {
                if (passed_over(number++, 23))
                    continue;
                copy_part(routes[r], edges[i], edges[k], false);
                copy_part(routes[r], edges[i], edges[k], true);
            }
}

static void without_nowait(void **state)
{
    (void)state;
    op_interpose(deny_nowait, NULL);
    for (size_t c = 0; c < sizeof(scenes) / sizeof(scenes[0]); c++)
        run_once(&scenes[c], (256 << 10) + 5, "chunk", 0);
    op_interpose(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_with_every_denial),
        cmocka_unit_test(every_memory_limit),
        cmocka_unit_test(every_part),
        cmocka_unit_test(without_nowait),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
