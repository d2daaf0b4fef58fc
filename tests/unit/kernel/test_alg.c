/* SPDX-License-Identifier: MIT */
/* Digests in the kernel against libcrypto: sent, spliced, read in the middle. 77 where the kernel has none. */
#include "base/digest_provider.h"
#include "base/fd.h"
#include "base/platform.h"
#include "node/filter.h"
#include "unit/unit.h"
#include <pthread.h>
#include <sys/wait.h>

#define BIG (1024u * 1024 + 1)

static uint8_t big[BIG];

static void *open_kernel(const char *algorithm, size_t *ret_size)
{
    void *state = NULL;
    const char *why = NULL;
    int r = provider_kernel.open(&state, algorithm, ret_size, &why);
    if (r < 0)
        print_message("%s: %s\n", algorithm, why);
    return r < 0 ? NULL : state;
}

static void expect(void *state, size_t size, const char *algorithm, const void *bytes, size_t n)
{
    void *other;
    size_t other_size = 0;
    const char *why;
    uint8_t value[DIGEST_BYTES_MAX], expected[DIGEST_BYTES_MAX];
    assert_int_equal(provider_libcrypto.open(&other, algorithm, &other_size, &why), 0);
    assert_int_equal(size, other_size);
    assert_int_equal(provider_libcrypto.update(other, bytes, n), 0);
    assert_int_equal(provider_libcrypto.value(other, expected), 0);
    provider_libcrypto.close(other);
    assert_int_equal(provider_kernel.value(state, value), 0);
    assert_memory_equal(value, expected, size);
}

/* Which of them a kernel has is its own affair; those it has are right, at every step. */
static void test_sent(void **state UNUSED)
{
    static const char *const names[] = {"md5",         "sha1",        "sha224",    "sha256",   "sha384",
                                        "sha512",      "sha3-224",    "sha3-256",  "sha3-384", "sha3-512",
                                        "blake2b-512", "blake2s-256", "ripemd160", "sm3"};
    static const size_t pieces[] = {0, 1, 2, 4096, 65535, 65536, 65537, 200000};
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t size = 0, at = 0;
        void *alg = open_kernel(names[i], &size);
        if (!alg)
            continue;
        expect(alg, size, names[i], "", 0);
        for (size_t k = 0; k < COUNT(pieces); at += pieces[k++]) {
            assert_int_equal(provider_kernel.update(alg, big + at, pieces[k]), 0);
            expect(alg, size, names[i], big, at + pieces[k]);
        }
        assert_int_equal(provider_kernel.update(alg, big + at, BIG - at), 0);
        expect(alg, size, names[i], big, BIG);
        expect(alg, size, names[i], big, BIG);
        provider_kernel.close(alg);
    }
}

struct parallel {
    pthread_t thread;
    const char *algorithm;
    size_t n, piece;
    size_t size; /* 0: the kernel does not have the algorithm */
    uint8_t value[DIGEST_BYTES_MAX];
};

/* Asks for the value in between, too, because that clones the running state. */
static void *digest_in_pieces(void *user)
{
    struct parallel *p = user;
    const char *why;
    void *alg = NULL;
    int r = provider_kernel.open(&alg, p->algorithm, &p->size, &why);
    for (size_t at = 0; r == 0 && at < p->n; at += p->piece) {
        r = provider_kernel.update(alg, big + at, MIN(p->piece, p->n - at));
        if (r == 0)
            r = provider_kernel.value(alg, p->value);
    }
    if (alg && provider_kernel.value(alg, p->value) < 0)
        memset(p->value, 0, sizeof(p->value));
    provider_kernel.close(alg);
    return NULL;
}

/* Each has its own state in the kernel, also where many have the same algorithm. */
static void test_parallel(void **state UNUSED)
{
    static const char *const names[] = {"sha256", "sha1", "md5", "sha512", "sha3-256", "sm3"};
    static const size_t pieces[] = {4096, 33333, 65536, 100001};
    struct parallel p[24];
    for (size_t i = 0; i < COUNT(p); i++) {
        p[i] = (struct parallel){
            .algorithm = names[i / 2 % COUNT(names)], .n = 150000 + 4321 * i, .piece = pieces[i % COUNT(pieces)]};
        assert_int_equal(pthread_create(&p[i].thread, NULL, digest_in_pieces, &p[i]), 0);
    }
    for (size_t i = 0; i < COUNT(p); i++)
        pthread_join(p[i].thread, NULL);
    for (size_t i = 0; i < COUNT(p); i++) {
        size_t size = 0;
        uint8_t alone[DIGEST_BYTES_MAX];
        void *alg = p[i].size ? open_kernel(p[i].algorithm, &size) : NULL;
        if (!alg)
            continue;
        assert_int_equal(provider_kernel.update(alg, big, p[i].n), 0);
        expect(alg, size, p[i].algorithm, big, p[i].n);
        assert_int_equal(provider_kernel.value(alg, alone), 0);
        assert_memory_equal(alone, p[i].value, size);
        provider_kernel.close(alg);
    }
    assert_int_equal(p[0].size, 32);
}

/* A digest has one descriptor, a program that is executed does not inherit it, and nothing stays. */
static void test_descriptors(void **state UNUSED)
{
    void *alg[10];
    size_t size;
    int before = unit_descriptors();
    for (size_t i = 0; i < COUNT(alg); i++) {
        alg[i] = open_kernel("sha256", &size);
        assert_non_null(alg[i]);
        assert_true(fcntl(provider_kernel.splice_fd(alg[i]), F_GETFD) & FD_CLOEXEC);
        assert_int_equal(provider_kernel.update(alg[i], big, 100000), 0);
    }
    assert_int_equal(unit_descriptors(), before + (int)COUNT(alg));
    for (size_t i = 0; i < COUNT(alg); i++) {
        expect(alg[i], size, "sha256", big, 100000);
        provider_kernel.close(alg[i]);
    }
    assert_int_equal(unit_descriptors(), before);
}

static void test_unknown(void **state UNUSED)
{
    void *alg = NULL;
    size_t size = 7;
    const char *why = NULL;
    assert_int_equal(provider_kernel.open(&alg, "sha257", &size, &why), -ENOENT);
    assert_non_null(why);
    assert_null(alg);
    assert_int_equal(size, 7);
    provider_kernel.close(NULL);
}

static void move(int from, int to, size_t n, unsigned flags)
{
    while (n > 0) {
        struct op op = {.kind = OP_SPLICE, .fd = {from, to}, .offset = {-1, -1}, .length = n, .flags = flags};
        ssize_t moved = op_execute(&op);
        if (moved <= 0)
            fail_msg("splice: %s", strerror((int)-moved));
        n -= (size_t)moved;
    }
}

static FILE *big_file(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(big, 1, BIG, file), BIG);
    rewind(file);
    return file;
}

/* File, pipe, socket, as a route does it; the pieces are not of pages. Then some bytes are sent. */
static void test_spliced(void **state UNUSED)
{
    static const size_t pieces[] = {1, 4096, 100, 60000, 65536, 4095, 30000};
    size_t size = 0, pipe_size, at = 0;
    int pipe_fd[2];
    FILE *file = big_file();
    void *alg = open_kernel("sha256", &size);
    int fd = provider_kernel.splice_fd(alg);
    assert_true(fd >= 0);
    assert_int_equal(platform.pipe_make(pipe_fd, 1 << 17, &pipe_size), 0);
    for (size_t i = 0, n; at < BIG - 5000; i++, at += n) {
        n = MIN(MIN(pieces[i % COUNT(pieces)], BIG - 5000 - at), pipe_size - 2 * PAGE);
        move(fileno(file), pipe_fd[1], n, 0);
        move(pipe_fd[0], fd, n, OP_MORE);
        if (i % 5 == 0)
            expect(alg, size, "sha256", big, at + n);
    }
    expect(alg, size, "sha256", big, at);
    assert_int_equal(provider_kernel.update(alg, big + at, BIG - at), 0);
    expect(alg, size, "sha256", big, BIG);
    provider_kernel.close(alg);
    fd_close(pipe_fd[0]);
    fd_close(pipe_fd[1]);
    fclose(file);
}

/* The filter hands the socket out, and the value comes through it. */
static void test_filter(void **state UNUSED)
{
    leat_filter *filter = NULL;
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    const char *algorithm, *provider, *why;
    char hex[LEAT_DIGEST_HEX_MAX], expected[LEAT_DIGEST_HEX_MAX];
    int pipe_fd[2];
    size_t pipe_size;
    o.provider = LEAT_DIGEST_KERNEL;
    assert_int_equal(leat_filter_digest(&filter, "sha256", &o, NULL), 0);
    assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
    assert_int_equal(platform.pipe_make(pipe_fd, 1 << 16, &pipe_size), 0);
    assert_int_equal(write(pipe_fd[1], "abc", 3), 3);
    move(pipe_fd[0], filter->ops->splice_fd(filter), 3, OP_MORE);
    filter_count(filter, 3);
    assert_int_equal(filter->ops->finish(filter, 0, NULL), 0);
    assert_int_equal(filter->ops->result(filter, 0, &algorithm, hex, sizeof(hex), &provider, &why), 0);
    strcpy(expected, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hex, expected);
    assert_string_equal(provider, "kernel");
    assert_null(why);
    assert_int_equal(leat_filter_digest_reset(filter), 0);
    assert_int_equal(leat_filter_digest_hex(filter, "sha256", hex, sizeof(hex)), 0);
    assert_memory_equal(hex, "e3b0c442", 8);
    leat_filter_free(filter);
    fd_close(pipe_fd[0]);
    fd_close(pipe_fd[1]);
}

static bool splice_fails(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    *ret_result = -EIO;
    return op->kind != OP_SPLICE;
}

/* A kernel that hashes a byte less than it says. */
static bool splice_loses(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    char byte;
    if (op->kind != OP_SPLICE || read(op->fd[0], &byte, 1) != 1)
        return true;
    *ret_result = 1;
    return false;
}

/* In a child, since the test is done once in a program. 0: it stepped aside with the right sentence. */
static int self_test_in_child(op_interposer interposer)
{
    pid_t child = fork();
    if (child == 0) {
        void *alg;
        size_t size;
        const char *why = "";
        op_interpose(interposer, NULL);
        int r = provider_kernel.open(&alg, "sha256", &size, &why);
        _exit(r == -EIO && strcmp(why, "the kernel's sha256 of spliced bytes failed its self-test") == 0 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static int broken[2];

static void test_self_test(void **state UNUSED)
{
    assert_int_equal(broken[0], 0);
    assert_int_equal(broken[1], 0);
}

int main(void)
{
    void *alg;
    size_t size;
    const char *why;
    broken[0] = self_test_in_child(splice_fails); /* before this program has tested itself */
    broken[1] = self_test_in_child(splice_loses);
    int r = provider_kernel.open(&alg, "sha256", &size, &why);
    if (r < 0) {
        printf("skipped: %s\n", why);
        return 77;
    }
    provider_kernel.close(alg);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 17 + (i >> 9));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sent),        cmocka_unit_test(test_unknown),   cmocka_unit_test(test_spliced),
        cmocka_unit_test(test_filter),      cmocka_unit_test(test_self_test), cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
