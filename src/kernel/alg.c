/* SPDX-License-Identifier: MIT */
/* Digests in the kernel, through AF_ALG sockets. accept(2) on a socket that is bound to an algorithm returns an
 * operation socket. The kernel hashes bytes that are sent or spliced into it with MORE. accept(2) on the operation
 * socket returns a clone of the running state; recv(2) on the clone returns the digest so far, and the operation goes
 * on.
 *
 * More and more systems restrict these sockets, and some kernels gave wrong digests. So the first digest of a process
 * runs a self-test. If it fails, the reason is kept, and the other providers compute the digests. If memory or
 * descriptors ran out in the self-test, only this digest is left to the other providers, and the next one runs it
 * again. */
#include "base/digest_provider.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <linux/if_alg.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_ALG
#define AF_ALG 38
#endif

/* crc32c is not in the list, because the kernel returns it in the other byte order, and saves hardly any time beside
 * the cost of its system calls. */
static const struct alg_algorithm {
    const char *name, *kernel_name;
    size_t size;
} algorithms[] = {
    {"md5", "md5", 16},
    {"sha1", "sha1", 20},
    {"sha224", "sha224", 28},
    {"sha256", "sha256", 32},
    {"sha384", "sha384", 48},
    {"sha512", "sha512", 64},
    {"sha3-224", "sha3-224", 28},
    {"sha3-256", "sha3-256", 32},
    {"sha3-384", "sha3-384", 48},
    {"sha3-512", "sha3-512", 64},
    {"blake2b-512", "blake2b-512", 64},
    {"blake2s-256", "blake2s-256", 32},
    {"ripemd160", "rmd160", 20},
    {"sm3", "sm3", 32},
};

struct alg {
    const struct alg_algorithm *algorithm;
    int fd; /* the operation socket */
};

#define NO_DESCRIPTOR "no descriptor is left for an AF_ALG socket "
#define NO_MEMORY     "the kernel has no memory for an AF_ALG socket"

struct reason {
    int code;
    const char *why;
};

static const struct reason no_socket[] = {
    {EAFNOSUPPORT, "the kernel has no AF_ALG sockets (EAFNOSUPPORT)"},
    {EPERM, "AF_ALG sockets are forbidden here, perhaps by a container's seccomp profile (EPERM)"},
    {EACCES, "AF_ALG sockets are forbidden here, perhaps by a security module (EACCES)"},
    {ENOSYS, "AF_ALG sockets are forbidden here, perhaps by a container's seccomp profile (ENOSYS)"},
    {EMFILE, NO_DESCRIPTOR "(EMFILE)"},
    {ENFILE, NO_DESCRIPTOR "(ENFILE)"},
    {ENOMEM, NO_MEMORY},
    {ENOBUFS, NO_MEMORY},
    {0, "an AF_ALG socket could not be made"},
};

static const struct reason no_algorithm[] = {
    {ENOENT, "the kernel has no such algorithm or restricts it (ENOENT)"},
    {EPERM, "the kernel restricts its algorithms to privileged programs (EPERM)"},
    {EACCES, "the kernel restricts its algorithms to privileged programs (EACCES)"},
    {EMFILE, NO_DESCRIPTOR "(EMFILE)"},
    {ENFILE, NO_DESCRIPTOR "(ENFILE)"},
    {ENOMEM, NO_MEMORY},
    {ENOBUFS, NO_MEMORY},
    {0, "the kernel did not begin the digest"},
};

/* Sets *ret_why to the sentence for `code`, a negative errno; the last row of the list is for every other code. Returns
 * `code`. */
static int step_aside(const struct reason *list, int code, const char **ret_why)
{
    while (list->code != 0 && list->code != -code)
        list++;
    *ret_why = list->why;
    return code;
}

static const struct alg_algorithm *find(const char *name)
{
    for (size_t i = 0; i < COUNT(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static int accept_fd(int fd)
{
    int r;
    do
        r = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : fd_above_standard(r);
}

/* Opens an operation socket, and gives it. It keeps the bound socket alive, whose descriptor is closed. */
static int operation_open(const struct alg_algorithm *a, const char **ret_why)
{
    struct sockaddr_alg address = {.salg_family = AF_ALG, .salg_type = "hash"};
    strncpy((char *)address.salg_name, a->kernel_name, sizeof(address.salg_name) - 1);
    CLEANUP_FD int bound = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bound < 0)
        return step_aside(no_socket, -errno, ret_why);
    if (bind(bound, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return step_aside(no_algorithm, -errno, ret_why);
    int fd = accept_fd(bound);
    return fd < 0 ? step_aside(no_algorithm, fd, ret_why) : fd;
}

/* After an error it is unknown how many of the bytes the kernel hashed, so the digest is lost. */
static int alg_update(void *state, const void *bytes, size_t n)
{
    const struct alg *alg = state;
    const uint8_t *p = bytes;
    while (n > 0) {
        ssize_t sent = send(alg->fd, p, n, MSG_MORE | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return sent < 0 ? -errno : -EIO;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int alg_value(void *state, uint8_t *ret)
{
    const struct alg *alg = state;
    uint8_t bytes[DIGEST_BYTES_MAX];
    CLEANUP_FD int clone = accept_fd(alg->fd);
    if (clone < 0)
        return clone;
    ssize_t n;
    do
        n = recv(clone, bytes, alg->algorithm->size, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if ((size_t)n != alg->algorithm->size)
        return -EIO;
    memcpy(ret, bytes, (size_t)n);
    return 0;
}

/* Known digests: of no bytes, of "abc", and of PATTERN_BYTES bytes of pattern(), which are spliced. */
#define PATTERN_BYTES (192u * 1024 + 100)
#define PIPE_BYTES    (256u * 1024)

static const uint8_t sha256_of_nothing[32] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};
static const uint8_t sha256_of_abc[32] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};
static const uint8_t sha256_of_pattern[32] = {
    0xd9, 0xb1, 0x24, 0xc1, 0xf2, 0x62, 0x78, 0x65, 0xc6, 0x0c, 0x17, 0xbc, 0x15, 0x41, 0xa8, 0x96,
    0x1f, 0x70, 0x1b, 0xc5, 0x24, 0x22, 0x12, 0xfa, 0xb8, 0x4f, 0xf0, 0x3b, 0xf2, 0x49, 0x6f, 0x16,
};

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8));
}

/* Returns 0; -EBADMSG if the digest is another one; or the error of its calls. */
static int check(struct alg *alg, const uint8_t *expected)
{
    uint8_t bytes[DIGEST_BYTES_MAX];
    int r = alg_value(alg, bytes);
    if (r < 0)
        return r;
    return memcmp(bytes, expected, alg->algorithm->size) == 0 ? 0 : -EBADMSG;
}

/* Writes the bytes of the pattern from `start` on, as many as the pipe takes. Returns their number. */
static size_t fill_pipe(int fd, size_t start)
{
    uint8_t block[PAGE];
    size_t at = start;
    while (at < PATTERN_BYTES) {
        size_t n = MIN(sizeof(block), PATTERN_BYTES - at);
        for (size_t i = 0; i < n; i++)
            block[i] = pattern(at + i);
        ssize_t written = write(fd, block, n);
        if (written <= 0)
            break;
        at += (size_t)written;
    }
    return at - start;
}

/* Each splice has the flag MORE: some kernels give wrong digests if they are told of the end in the middle of a pipe's
 * pages. */
static int splice_pattern(const struct alg *alg, const int pipe_fd[2])
{
    size_t at = 0, in_pipe = 0;
    while (at < PATTERN_BYTES) {
        in_pipe += fill_pipe(pipe_fd[1], at + in_pipe);
        struct op op = {
            .kind = OP_SPLICE, .fd = {pipe_fd[0], alg->fd}, .offset = {-1, -1}, .length = in_pipe, .flags = OP_MORE};
        ssize_t n = in_pipe ? op_execute(&op) : -EIO;
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        at += (size_t)n;
        in_pipe -= (size_t)n;
    }
    return 0;
}

static int test_spliced(struct alg *alg)
{
    int pipe_fd[2];
    size_t size;
    int r = fd_pipe_of_size(pipe_fd, PIPE_BYTES, &size);
    if (r < 0)
        return r;
    r = splice_pattern(alg, pipe_fd);
    if (r == 0)
        r = check(alg, sha256_of_pattern);
    fd_close(pipe_fd[0]);
    fd_close(pipe_fd[1]);
    return r;
}

static int test_sent(struct alg *alg)
{
    int r = check(alg, sha256_of_nothing);
    if (r == 0)
        r = alg_update(alg, "abc", 3);
    return r < 0 ? r : check(alg, sha256_of_abc);
}

static int begin(struct alg *alg, const char *name, const char **ret_why)
{
    alg->algorithm = find(name);
    if (!alg->algorithm) {
        *ret_why = "AF_ALG is not asked for this algorithm";
        return -ENOENT;
    }
    alg->fd = operation_open(alg->algorithm, ret_why);
    return MIN(alg->fd, 0);
}

/* Does the code say that memory or descriptors ran out, which tells nothing of the kernel's digests? */
static bool is_shortage(int code)
{
    return code == -EMFILE || code == -ENFILE || code == -ENOMEM || code == -ENOBUFS;
}

static int run_test(int (*test)(struct alg *alg), const char *failure, const char **ret_why)
{
    struct alg alg;
    int r = begin(&alg, "sha256", ret_why);
    if (r < 0)
        return r;
    r = test(&alg);
    fd_close(alg.fd);
    if (r == 0)
        return 0;
    *ret_why = is_shortage(r) ? "memory or descriptors ran out in the self-test of the kernel's digests" : failure;
    return is_shortage(r) ? r : -EIO;
}

static int self_test(const char **ret_why)
{
    int r = run_test(test_sent, "the kernel's sha256 failed its self-test", ret_why);
    if (r == 0)
        r = run_test(test_spliced, "the kernel's sha256 of spliced bytes failed its self-test", ret_why);
    return r;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool done;
    int code; /* 0: the self-test passed */
    const char *why;
} tested; /* under the lock */

static int need_right_digests(const char **ret_why)
{
    pthread_mutex_lock(&lock);
    if (!tested.done) {
        tested.code = self_test(&tested.why);
        tested.done = !is_shortage(tested.code);
    }
    int code = tested.code;
    if (code < 0)
        *ret_why = tested.why;
    pthread_mutex_unlock(&lock);
    return code;
}

static int alg_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    int r = need_right_digests(ret_why);
    if (r < 0)
        return r;
    struct alg *alg = malloc(sizeof(*alg));
    if (!alg) {
        *ret_why = "no memory for the digest";
        return -ENOMEM;
    }
    r = begin(alg, algorithm, ret_why);
    if (r < 0) {
        free(alg);
        return r;
    }
    *ret = alg;
    *ret_size = alg->algorithm->size;
    return 0;
}

static int alg_splice_fd(void *state)
{
    const struct alg *alg = state;
    return alg->fd;
}

static void alg_close(void *state)
{
    struct alg *alg = state;
    if (alg) {
        fd_close(alg->fd);
        free(alg);
    }
}

const struct digest_provider provider_kernel = {
    .name = "kernel",
    .kernel = true,
    .open = alg_open,
    .update = alg_update,
    .value = alg_value,
    .splice_fd = alg_splice_fd,
    .close = alg_close,
};
