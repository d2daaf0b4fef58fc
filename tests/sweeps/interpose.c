/* SPDX-License-Identifier: MIT */
/* To be preloaded: counts the calls of a program that take a resource, and lets one of them fail, or all from one on.
 *
 *   SWEEP_KIND     memory        malloc and its kin, mmap: NULL, ENOMEM
 *                  task          pthread_create, posix_spawn, fork: EAGAIN
 *                  descriptor    whatever makes a descriptor: EMFILE; passed ones are lost (MSG_CTRUNC)
 *   SWEEP_AT       which call of that kind fails, from 1; 0: none, they are only counted
 *   SWEEP_ON       set: so do all that follow
 *   SWEEP_ERRNO    another number than the usual one
 *   SWEEP_OUT      a file, for what there is to say at the end
 *
 * At the end of the process that file has a line each for
 *
 *   calls N                     of that kind
 *   failed N                    of them
 *   frame MODULE OFFSET         where the first of these was, from the inside out
 *   live MODULE OFFSET BYTES    memory that is still there, and the call that took it; not in a build with ASan, whose
 *                               LeakSanitizer tells it
 *   open FD NAME                descriptors that were not there at the beginning
 *
 * and if it crashes, one for each frame of where it does:
 *
 *   crash MODULE OFFSET
 *
 * The memory that libc and other libraries take is counted as well. Children that are executed are left alone; a forked
 * one fails as its parent would, but tells nothing. What a static liburing asks of the kernel does not come through
 * here. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The macros make functions of names, types and lists of arguments, and mmap gives an address as a number.
 * NOLINTBEGIN(bugprone-macro-parentheses,performance-no-int-to-ptr) */

#define FRAMES      32
#define LEDGER      (1u << 16) /* blocks at one time */
#define OUTER       __builtin_return_address(0)
#define NEXT(name)  ((__typeof__(&name))next(#name, &name##_next))
#define TAKES(name) static void *name##_next

enum kind {
    KIND_NONE,
    KIND_MEMORY,
    KIND_TASK,
    KIND_DESCRIPTOR
};

static struct {
    enum kind kind;
    long at;
    bool persistent, ledger;
    int error;
    char out[512];
    pid_t pid;
    bool began;               /* nothing is counted before the constructor, nor after the destructor has begun */
    uint64_t descriptors[16]; /* open at the beginning */
} sweep;
static atomic_long calls, failures;
static void *frames[FRAMES];
static int frames_n;
static __thread int inside __attribute__((tls_model("initial-exec"))); /* what the interposer does itself */

static void *next(const char *name, void **cache)
{
    void *found = __atomic_load_n(cache, __ATOMIC_RELAXED);

    if (!found) {
        inside++;
        found = dlsym(RTLD_NEXT, name);
        inside--;
        __atomic_store_n(cache, found, __ATOMIC_RELAXED);
    }
    return found;
}

/* Counts a call. True: it has to fail, and errno says how. */
static bool fails(enum kind kind, int usual)
{
    if (!sweep.began || inside || kind != sweep.kind)
        return false;
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (sweep.at == 0 || n < sweep.at || (n > sweep.at && !sweep.persistent))
        return false;
    if (atomic_fetch_add(&failures, 1) == 0) {
        inside++;
        frames_n = backtrace(frames, FRAMES);
        inside--;
    }
    errno = sweep.error ? sweep.error : usual;
    return true;
}

/* ---- The ledger of memory: open addressing, since it can't take memory itself. */

struct block {
    void *at, *by;
    size_t size;
};
static struct block *blocks;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t home(const void *at)
{
    return (size_t)(((uintptr_t)at >> 4) * 0x9e3779b97f4a7c15u >> 48) % LEDGER;
}

static void enter(void *at, size_t size, void *by)
{
    if (!at || !blocks || !sweep.began || inside)
        return;
    pthread_mutex_lock(&blocks_lock);
    size_t i = home(at), tries = 0;
    for (; blocks[i].at; i = (i + 1) % LEDGER)
        if (++tries == LEDGER)
            abort();
    blocks[i] = (struct block){at, by, size};
    pthread_mutex_unlock(&blocks_lock);
}

static void leave(const void *at)
{
    if (!at || !blocks)
        return;
    pthread_mutex_lock(&blocks_lock);
    size_t i = home(at);
    while (blocks[i].at && blocks[i].at != at)
        i = (i + 1) % LEDGER;
    if (blocks[i].at) {
        /* What was put behind it for want of its place moves up. */
        for (size_t j = (i + 1) % LEDGER; blocks[j].at; j = (j + 1) % LEDGER) {
            size_t h = home(blocks[j].at);
            if ((j - h) % LEDGER >= (j - i) % LEDGER) {
                blocks[i] = blocks[j];
                i = j;
            }
        }
        blocks[i].at = NULL;
    }
    pthread_mutex_unlock(&blocks_lock);
}

/* ---- Memory. Before dlsym has found the real ones it is served from here. */

static _Alignas(64) char early[1 << 16];
static size_t early_used;
static bool resolving;

static bool is_early(const void *at)
{
    return (const char *)at >= early && (const char *)at < early + sizeof(early);
}

static void *early_take(size_t size)
{
    void *at = early + early_used;

    early_used += (size + 63) & ~(size_t)63;
    if (early_used > sizeof(early))
        abort();
    return at;
}

TAKES(malloc);
TAKES(calloc);
TAKES(realloc);
TAKES(free);
TAKES(posix_memalign);
TAKES(aligned_alloc);
TAKES(mmap);
TAKES(munmap);

static bool resolve(void)
{
    if (resolving)
        return false;
    if (!free_next) {
        resolving = true;
        NEXT(malloc);
        NEXT(calloc);
        NEXT(realloc);
        NEXT(free);
        resolving = false;
    }
    return true;
}

void *malloc(size_t size)
{
    if (!resolve())
        return early_take(size);
    if (fails(KIND_MEMORY, ENOMEM))
        return NULL;
    void *at = NEXT(malloc)(size);
    enter(at, size, OUTER);
    return at;
}

void *calloc(size_t n, size_t size)
{
    if (!resolve())
        return early_take(n * size);
    if (fails(KIND_MEMORY, ENOMEM))
        return NULL;
    void *at = NEXT(calloc)(n, size);
    enter(at, n * size, OUTER);
    return at;
}

void *realloc(void *old, size_t size)
{
    if (!resolve())
        return memcpy(early_take(size), old ? old : early, old ? size : 0);
    if (size > 0 && fails(KIND_MEMORY, ENOMEM))
        return NULL;
    if (is_early(old))
        return memcpy(malloc(size ? size : 1), old, size);
    leave(old);
    void *at = NEXT(realloc)(old, size);
    enter(at, size, OUTER);
    return at;
}

void free(void *at)
{
    if (is_early(at) || !resolve())
        return;
    leave(at);
    NEXT(free)(at);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    int saved = errno;

    if (fails(KIND_MEMORY, ENOMEM)) {
        errno = saved; /* which it leaves alone */
        return ENOMEM;
    }
    int r = NEXT(posix_memalign)(ret, alignment, size);
    if (r == 0)
        enter(*ret, size, OUTER);
    return r;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (fails(KIND_MEMORY, ENOMEM))
        return NULL;
    void *at = NEXT(aligned_alloc)(alignment, size);
    enter(at, size, OUTER);
    return at;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (!resolve() || fails(KIND_MEMORY, ENOMEM)) {
        if (resolving)
            return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
        return MAP_FAILED;
    }
    void *got = NEXT(mmap)(at, size, protection, flags, fd, offset);
    if (got != MAP_FAILED && !(flags & MAP_FIXED))
        enter(got, size, OUTER);
    return got;
}

int munmap(void *at, size_t size)
{
    leave(at);
    return NEXT(munmap)(at, size);
}

/* ---- Threads and processes. */

TAKES(pthread_create);
TAKES(posix_spawn);
TAKES(posix_spawnp);
TAKES(fork);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    int saved = errno;

    if (fails(KIND_TASK, EAGAIN)) {
        errno = saved;
        return sweep.error ? sweep.error : EAGAIN;
    }
    return NEXT(pthread_create)(thread, attributes, run, argument);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    if (fails(KIND_TASK, EAGAIN))
        return errno;
    return NEXT(posix_spawn)(pid, path, actions, attributes, arguments, environment);
}

int posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    if (fails(KIND_TASK, EAGAIN))
        return errno;
    return NEXT(posix_spawnp)(pid, path, actions, attributes, arguments, environment);
}

pid_t fork(void)
{
    return fails(KIND_TASK, EAGAIN) ? -1 : NEXT(fork)();
}

/* ---- Descriptors. */

#define MAKES(name, parameters, arguments)                                                                             \
    TAKES(name);                                                                                                       \
    int name parameters                                                                                                \
    {                                                                                                                  \
        return fails(KIND_DESCRIPTOR, EMFILE) ? -1 : NEXT(name) arguments;                                             \
    }

MAKES(socket, (int domain, int type, int protocol), (domain, type, protocol))
MAKES(socketpair, (int domain, int type, int protocol, int fd[2]), (domain, type, protocol, fd))
MAKES(accept, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
MAKES(accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags))
MAKES(pipe, (int fd[2]), (fd))
MAKES(pipe2, (int fd[2], int flags), (fd, flags))
MAKES(dup, (int fd), (fd))
MAKES(memfd_create, (const char *name, unsigned flags), (name, flags))
MAKES(eventfd, (unsigned value, int flags), (value, flags))
MAKES(epoll_create1, (int flags), (flags))
MAKES(timerfd_create, (int clock, int flags), (clock, flags))
MAKES(posix_openpt, (int flags), (flags))

#define OPENS(name)                                                                                                    \
    TAKES(name);                                                                                                       \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                      \
        va_end(rest);                                                                                                  \
        return fails(KIND_DESCRIPTOR, EMFILE) ? -1 : NEXT(name)(path, flags, mode);                                    \
    }
#define OPENS_AT(name)                                                                                                 \
    TAKES(name);                                                                                                       \
    int name(int at, const char *path, int flags, ...)                                                                 \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                      \
        va_end(rest);                                                                                                  \
        return fails(KIND_DESCRIPTOR, EMFILE) ? -1 : NEXT(name)(at, path, flags, mode);                                \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

#define CONTROLS(name)                                                                                                 \
    TAKES(name);                                                                                                       \
    int name(int fd, int command, ...)                                                                                 \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, command);                                                                                       \
        void *argument = va_arg(rest, void *);                                                                         \
        va_end(rest);                                                                                                  \
        if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(KIND_DESCRIPTOR, EMFILE))                      \
            return -1;                                                                                                 \
        return NEXT(name)(fd, command, argument);                                                                      \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

TAKES(syscall);
long syscall(long number, ...)
{
    va_list rest;
    long a[6];

    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    switch (number) {
    case SYS_pidfd_open:
    case SYS_io_uring_setup:
    case SYS_openat2:
    case SYS_memfd_create:
        if (fails(KIND_DESCRIPTOR, EMFILE))
            return -1;
        break;
    default:
        break;
    }
    return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* What libc opens inside its functions finds a real limit. */
static bool starve(struct rlimit *was)
{
    if (!fails(KIND_DESCRIPTOR, EMFILE))
        return false;
    getrlimit(RLIMIT_NOFILE, was);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, was->rlim_max});
    return true;
}

#define WITHIN(type, name, parameters, arguments)                                                                      \
    TAKES(name);                                                                                                       \
    type name parameters                                                                                               \
    {                                                                                                                  \
        struct rlimit was;                                                                                             \
        bool starved = starve(&was);                                                                                   \
        type got = NEXT(name) arguments;                                                                               \
        int saved = errno;                                                                                             \
        if (starved)                                                                                                   \
            setrlimit(RLIMIT_NOFILE, &was);                                                                            \
        errno = saved;                                                                                                 \
        return got;                                                                                                    \
    }

WITHIN(FILE *, fopen, (const char *path, const char *mode), (path, mode))
WITHIN(DIR *, opendir, (const char *path), (path))
WITHIN(void *, dlopen, (const char *path, int flags), (path, flags))
WITHIN(int, mkstemp, (char *path), (path))
WITHIN(int, getaddrinfo, (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret),
       (node, service, hints, ret))

/* A receiver without room for passed descriptors gets the message without them. */
TAKES(recvmsg);
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t got = NEXT(recvmsg)(fd, message, flags);

    for (struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || !fails(KIND_DESCRIPTOR, EMFILE))
            continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int passed;
            memcpy(&passed, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            close(passed);
        }
        message->msg_controllen = 0;
        message->msg_flags |= MSG_CTRUNC;
        break;
    }
    return got;
}

/* ---- Beginning and end. */

static bool is_open(int fd)
{
    return syscall(SYS_fcntl, fd, F_GETFD) >= 0;
}

static void tell_place(FILE *out, const char *what, void *at, size_t bytes)
{
    Dl_info found = {0};

    dladdr(at, &found);
    fprintf(out, "%s %s %#lx %zu\n", what, found.dli_fname ? found.dli_fname : "?",
            (unsigned long)((char *)at - (char *)found.dli_fbase), bytes);
}

/* A handler may not do this, but the program is lost anyway, and nobody waits for a lock that it holds. */
static void crashed(int signal)
{
    void *where[FRAMES];

    inside++;
    alarm(10);
    int n = backtrace(where, FRAMES);
    FILE *out = fopen(sweep.out, "we");
    for (int i = 0; out && i < n; i++)
        tell_place(out, "crash", where[i], 0);
    if (out)
        fclose(out);
    raise(signal); /* SA_RESETHAND */
}

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    static const char *const names[] = {"", "memory", "task", "descriptor"};
    const char *kind = getenv("SWEEP_KIND"), *out = getenv("SWEEP_OUT");

    resolve();
    inside++;
    for (unsigned i = 1; kind && i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(kind, names[i]) == 0)
            sweep.kind = (enum kind)i;
    sweep.at = number_of("SWEEP_AT");
    sweep.error = (int)number_of("SWEEP_ERRNO");
    sweep.persistent = getenv("SWEEP_ON") != NULL;
    sweep.ledger = dlsym(RTLD_DEFAULT, "__asan_init") == NULL;
    snprintf(sweep.out, sizeof(sweep.out), "%s", out ? out : "");
    sweep.pid = getpid();
    for (int fd = 0; fd < 1024; fd++)
        if (is_open(fd))
            sweep.descriptors[fd / 64] |= UINT64_C(1) << fd % 64;
    if (sweep.ledger)
        blocks = NEXT(mmap)(NULL, LEDGER * sizeof(*blocks), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    unsetenv("LD_PRELOAD");
    if (sweep.ledger && sweep.out[0]) {
        struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_RESETHAND | SA_NODEFER};
        sigaction(SIGSEGV, &action, NULL);
        sigaction(SIGABRT, &action, NULL);
        sigaction(SIGBUS, &action, NULL);
    }
    frames_n = backtrace(frames, FRAMES); /* which loads what it needs */
    frames_n = 0;
    inside--;
    sweep.began = true;
}

__attribute__((destructor)) static void end(void)
{
    inside++;
    sweep.began = false;
    if (!sweep.out[0] || getpid() != sweep.pid)
        return;
    uint64_t now[16] = {0};
    for (int fd = 0; fd < 1024; fd++)
        if (is_open(fd))
            now[fd / 64] |= UINT64_C(1) << fd % 64;
    FILE *out = fopen(sweep.out, "we");
    if (!out)
        return;
    fprintf(out, "calls %ld\nfailed %ld\n", atomic_load(&calls), atomic_load(&failures));
    for (int i = 0; i < frames_n; i++)
        tell_place(out, "frame", frames[i], 0);
    for (size_t i = 0; blocks && i < LEDGER; i++)
        if (blocks[i].at)
            tell_place(out, "live", blocks[i].by, blocks[i].size);
    for (int fd = 0; fd < 1024; fd++) {
        if (!(now[fd / 64] >> fd % 64 & 1) || sweep.descriptors[fd / 64] >> fd % 64 & 1)
            continue;
        char link[64], name[256];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof(name));
        fprintf(out, "open %d %.*s\n", fd, (int)(n < 0 ? 0 : n), name);
    }
    fclose(out);
}

/* NOLINTEND(bugprone-macro-parentheses,performance-no-int-to-ptr) */
