/* SPDX-License-Identifier: MIT */
/* labels: fork glibc
 * Digests in the kernel where a call fails. The program has AF_ALG sockets of its own, so it needs no kernel that has
 * them: an operation socket is a file in memory that holds the bytes so far, and a splice adds to it as to any file.
 * The self-test is done once in a process, so each case has a child. */
#include "base/digest_provider.h"
#include "base/fd.h"
#include "base/platform.h"
#include "node/filter.h"
#include "unit/unit.h"
#include <linux/if_alg.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <openssl/evp.h>

#ifndef AF_ALG
#define AF_ALG 38
#endif
#define SHORTAGE "memory or descriptors ran out in the self-test of the kernel's digests"
#define WRONG    "the kernel's sha256 failed its self-test"
#define ABC      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

enum call {
    SOCKET,
    BIND,
    ACCEPT,
    SEND,
    RECV,
    PIPE,
    CALLS
};
enum {
    SHORT = -1,
    OTHER = -2
}; /* instead of an errno: takes or gives only half; answers with other bytes */

/* ---- the sockets ---- */

static struct {
    enum call call;
    int number; /* which one of these calls fails; 0: none */
    int code;   /* how */
} plan;
static atomic_int made[CALLS];
static atomic_int bare; /* descriptors that were not close-on-exec from the start */

/* Returns what the plan says of this call, or 0. */
static int planned(enum call call)
{
    int number = atomic_fetch_add(&made[call], 1) + 1;
    return plan.call == call && plan.number == number ? plan.code : 0;
}

static int refuse(int code)
{
    errno = code;
    return -1;
}

static bool is_operation(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int socket(int family, int type, int protocol)
{
    if (family != AF_ALG)
        return (int)syscall(SYS_socket, family, type, protocol);
    atomic_fetch_add(&bare, !(type & SOCK_CLOEXEC));
    int code = planned(SOCKET);
    return code ? refuse(code) : (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    if (address->sa_family != AF_ALG)
        return (int)syscall(SYS_bind, fd, address, length);
    int code = planned(BIND);
    if (code == 0 && strcmp((const char *)((const struct sockaddr_alg *)address)->salg_name, "sha256") != 0)
        code = ENOENT;
    return code ? refuse(code) : 0;
}

int accept4(int fd, struct sockaddr *address UNUSED, socklen_t *length UNUSED, int flags)
{
    static char bytes[1 << 20];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    atomic_fetch_add(&bare, !(flags & SOCK_CLOEXEC));
    int code = planned(ACCEPT);
    if (code)
        return refuse(code);
    int clone = memfd_create("operation", MFD_CLOEXEC);
    pthread_mutex_lock(&lock);
    ssize_t n = is_operation(fd) ? pread(fd, bytes, sizeof(bytes), 0) : 0;
    if (clone >= 0 && write(clone, bytes, (size_t)n) != n)
        abort();
    pthread_mutex_unlock(&lock);
    return clone;
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    if (!is_operation(fd))
        return syscall(SYS_sendto, fd, bytes, n, flags, NULL, 0);
    int code = planned(SEND);
    if (code > 0)
        return refuse(code);
    return write(fd, bytes, code == SHORT ? (n + 1) / 2 : n);
}

ssize_t recv(int fd, void *ret, size_t size, int flags)
{
    if (!is_operation(fd))
        return syscall(SYS_recvfrom, fd, ret, size, flags, NULL, NULL);
    int code = planned(RECV);
    if (code > 0)
        return refuse(code);
    struct stat st;
    unsigned n = 32;
    fstat(fd, &st);
    void *bytes = malloc((size_t)st.st_size + 1), *state;
    size_t digest_size;
    const char *why;
    if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size ||
        provider_libcrypto.open(&state, "sha256", &digest_size, &why) < 0 ||
        provider_libcrypto.update(state, bytes, (size_t)st.st_size) < 0 || provider_libcrypto.value(state, ret) < 0)
        abort();
    provider_libcrypto.close(state);
    free(bytes);
    ((uint8_t *)ret)[5] ^= code == OTHER;
    return code == SHORT ? n / 2 : n;
}

int pipe2(int fd[2], int flags)
{
    atomic_fetch_add(&bare, !(flags & O_CLOEXEC));
    int code = planned(PIPE);
    return code ? refuse(code) : (int)syscall(SYS_pipe2, fd, flags);
}

/* ---- children ---- */

static void fail_at(enum call call, int number, int code)
{
    for (int i = 0; i < CALLS; i++)
        atomic_store(&made[i], 0);
    plan.call = call;
    plan.number = number;
    plan.code = code;
}

static unsigned calls_made(void)
{
    unsigned n = 0;
    for (int i = 0; i < CALLS; i++)
        n += (unsigned)atomic_load(&made[i]);
    return n;
}

/* What a child finds wrong ends it, with the number of the line. */
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            _exit(__LINE__ % 250 + 1);                                                                                 \
    } while (0)

static void in_child(void (*run)(const void *), const void *argument, const char *what)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run(argument);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0)
        fail_msg("%s: status %#x, line %d modulo 250", what, (unsigned)status, WEXITSTATUS(status) - 1);
}

/* A digest that the kernel is asked for: its value is right, whoever computes it. */
static void digest(const char *provider, const char *reason)
{
    leat_filter *filter = NULL;
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    const char *algorithm, *by = "", *why = NULL;
    char hex[LEAT_DIGEST_HEX_MAX];
    o.provider = LEAT_DIGEST_KERNEL;
    EXPECT(leat_filter_digest(&filter, "sha256", &o, NULL) == 0);
    EXPECT(filter->ops->result(filter, 0, &algorithm, hex, sizeof(hex), &by, &why) == 0);
    EXPECT(strcmp(by, provider) == 0);
    EXPECT(strncmp(hex, "e3b0c44298fc1c14", 16) == 0);
    EXPECT(reason ? why && strcmp(why, reason) == 0 : !why);
    leat_filter_free(filter);
}

static void *open_kernel(void)
{
    void *state = NULL;
    size_t size = 0;
    const char *why = NULL;
    EXPECT(provider_kernel.open(&state, "sha256", &size, &why) == 0);
    EXPECT(size == 32 && !why);
    return state;
}

static char letters[3000]; /* x; main fills it */

/* Is this the digest of so many letters? */
static bool is_of_letters(const uint8_t *value, size_t n)
{
    uint8_t expected[DIGEST_BYTES_MAX];
    void *state;
    size_t size;
    const char *why;
    EXPECT(n <= sizeof(letters));
    EXPECT(provider_libcrypto.open(&state, "sha256", &size, &why) == 0);
    EXPECT(provider_libcrypto.update(state, letters, n) == 0 && provider_libcrypto.value(state, expected) == 0);
    provider_libcrypto.close(state);
    return memcmp(value, expected, size) == 0;
}

/* ---- a self-test that fails ---- */

struct refusal {
    const char *why;
    enum call call;
    int number, code;
    bool passes; /* the next digest is the kernel's */
};

static void refuse_once(const void *argument)
{
    const struct refusal *r = argument;
    int before = unit_descriptors();
    fail_at(r->call, r->number, r->code);
    digest("libcrypto", r->why);
    EXPECT(atomic_load(&made[r->call]) >= r->number);
    fail_at(CALLS, 0, 0);
    digest(r->passes ? "kernel" : "libcrypto", r->passes ? NULL : r->why);
    EXPECT(r->passes || calls_made() == 0); /* the reason is kept */
    EXPECT(before < 0 || unit_descriptors() == before);
    EXPECT(atomic_load(&bare) == 0);
}

/* A self-test has two sockets and two binds, accept(2) for the two operations and for three clones, one send, three
 * digests to receive, and one pipe. */
static void test_each_call_of_the_self_test(void **state UNUSED)
{
    static const struct refusal refusals[] = {
        {"the kernel has no AF_ALG sockets (EAFNOSUPPORT)", SOCKET, 1, EAFNOSUPPORT, false},
        {"AF_ALG sockets are forbidden here, perhaps by a container's seccomp profile (EPERM)", SOCKET, 1, EPERM,
         false},
        {"AF_ALG sockets are forbidden here, perhaps by a security module (EACCES)", SOCKET, 2, EACCES, false},
        {"no descriptor is left for an AF_ALG socket (EMFILE)", SOCKET, 1, EMFILE, true},
        {"no descriptor is left for an AF_ALG socket (ENFILE)", SOCKET, 2, ENFILE, true},
        {"the kernel has no memory for an AF_ALG socket", SOCKET, 2, ENOBUFS, true},
        {"an AF_ALG socket could not be made", SOCKET, 1, EINVAL, false},
        {"the kernel has no such algorithm or restricts it (ENOENT)", BIND, 1, ENOENT, false},
        {"the kernel restricts its algorithms to privileged programs (EPERM)", BIND, 2, EPERM, false},
        {"the kernel has no memory for an AF_ALG socket", BIND, 1, ENOMEM, true},
        {"the kernel did not begin the digest", BIND, 1, EINVAL, false},
        {"no descriptor is left for an AF_ALG socket (EMFILE)", ACCEPT, 1, EMFILE, true},
        {"the kernel did not begin the digest", ACCEPT, 1, ENOKEY, false},
        {SHORTAGE, ACCEPT, 2, EMFILE, true},
        {SHORTAGE, ACCEPT, 3, ENOBUFS, true},
        {WRONG, ACCEPT, 3, EINVAL, false},
        {SHORTAGE, ACCEPT, 5, ENFILE, true},
        {SHORTAGE, SEND, 1, ENOMEM, true},
        {WRONG, SEND, 1, EIO, false},
        {WRONG, RECV, 1, OTHER, false},
        {WRONG, RECV, 2, OTHER, false},
        {WRONG, RECV, 2, SHORT, false},
        {WRONG, RECV, 2, EIO, false},
        {"the kernel's sha256 of spliced bytes failed its self-test", RECV, 3, OTHER, false},
        {SHORTAGE, RECV, 3, ENOMEM, true},
        {SHORTAGE, PIPE, 1, EMFILE, true},
        {SHORTAGE, PIPE, 1, ENFILE, true},
    };
    for (size_t i = 0; i < COUNT(refusals); i++) {
        char what[60];
        snprintf(what, sizeof(what), "row %zu: call %d number %d", i, refusals[i].call, refusals[i].number);
        in_child(refuse_once, &refusals[i], what);
    }
}

/* ---- a digest that goes on ---- */

/* The digest was right at each moment, and is so after what was interrupted, came short, or found no descriptor. */
static void interrupt_calls(const void *argument UNUSED)
{
    void *alg = open_kernel();
    uint8_t value[DIGEST_BYTES_MAX];
    fail_at(SEND, 1, EINTR);
    EXPECT(provider_kernel.update(alg, letters, 1000) == 0 && atomic_load(&made[SEND]) == 2);
    fail_at(SEND, 1, SHORT);
    EXPECT(provider_kernel.update(alg, letters, 1000) == 0 && atomic_load(&made[SEND]) == 2);
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, 2000));
    fail_at(ACCEPT, 1, EINTR);
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, 2000));
    fail_at(RECV, 1, EINTR);
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, 2000));
    memset(value, 7, sizeof(value));
    fail_at(ACCEPT, 1, EMFILE);
    EXPECT(provider_kernel.value(alg, value) == -EMFILE && value[0] == 7);
    fail_at(RECV, 1, SHORT);
    EXPECT(provider_kernel.value(alg, value) == -EIO && value[0] == 7);
    fail_at(RECV, 1, ENOMEM);
    EXPECT(provider_kernel.value(alg, value) == -ENOMEM && value[0] == 7);
    EXPECT(provider_kernel.update(alg, letters, 1000) == 0);
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, 3000));
    fail_at(SEND, 1, EIO);
    EXPECT(provider_kernel.update(alg, letters, 1) == -EIO);
    provider_kernel.close(alg);
}

static void test_calls_of_a_digest(void **state UNUSED)
{
    in_child(interrupt_calls, NULL, "a digest");
}

/* ---- descriptors ---- */

/* The digest's socket does not become what the program prints to. */
static void close_standard(const void *argument UNUSED)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    void *alg = open_kernel();
    EXPECT(provider_kernel.splice_fd(alg) > 2);
    EXPECT(write(1, "text", 4) < 0 && errno == EBADF);
    uint8_t value[DIGEST_BYTES_MAX];
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, 0));
    provider_kernel.close(alg);
}

static void open_many(const void *argument UNUSED)
{
    void *alg[20];
    uint8_t value[DIGEST_BYTES_MAX];
    provider_kernel.close(open_kernel()); /* after the self-test, and with libcrypto loaded */
    int before = unit_descriptors();
    for (size_t i = 0; i < COUNT(alg); i++)
        alg[i] = open_kernel();
    EXPECT(before < 0 || unit_descriptors() == before + (int)COUNT(alg));
    for (size_t i = 0; i < COUNT(alg); i++) {
        EXPECT(fcntl(provider_kernel.splice_fd(alg[i]), F_GETFD) & FD_CLOEXEC);
        EXPECT(provider_kernel.value(alg[i], value) == 0);
        provider_kernel.close(alg[i]);
    }
    EXPECT(before < 0 || unit_descriptors() == before);
    EXPECT(atomic_load(&bare) == 0);
}

static void test_descriptors(void **state UNUSED)
{
    in_child(close_standard, NULL, "no standard descriptors");
    in_child(open_many, NULL, "one descriptor for each digest");
}

/* ---- threads ---- */

static void *digest_alone(void *user)
{
    size_t n = *(const size_t *)user;
    uint8_t value[DIGEST_BYTES_MAX];
    void *alg = open_kernel();
    for (size_t i = 0; i < n; i++)
        EXPECT(provider_kernel.update(alg, "x", 1) == 0);
    EXPECT(provider_kernel.value(alg, value) == 0 && is_of_letters(value, n));
    provider_kernel.close(alg);
    return NULL;
}

/* Many begin at once; one of them runs the self-test. */
static void digest_in_threads(const void *argument UNUSED)
{
    pthread_t thread[8];
    size_t n[COUNT(thread)];
    for (size_t i = 0; i < COUNT(thread); i++) {
        n[i] = i * 17;
        EXPECT(pthread_create(&thread[i], NULL, digest_alone, &n[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(thread); i++)
        pthread_join(thread[i], NULL);
    EXPECT(atomic_load(&made[PIPE]) <= 4);
}

static void test_threads(void **state UNUSED)
{
    in_child(digest_in_threads, NULL, "threads");
}

int main(void)
{
    memset(letters, 'x', sizeof(letters));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_of_the_self_test),
        cmocka_unit_test(test_calls_of_a_digest),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
