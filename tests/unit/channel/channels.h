/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of channels: messages that can be checked, processes, and a record of the receiver of each
 * message. */
#ifndef TESTS_CHANNELS_H
#define TESTS_CHANNELS_H

#include "base/platform.h"
#include "unit/unit.h"
#include <leat/channel.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

/* Each test program of channels calls this first. It ends with 77 in a build without shared memory between processes. A
 * build that has it and can't make a channel fails. */
static inline bool channels_missing(void)
{
    if (!platform.sharing)
        printf("this build has no channels: POSIX alone can't share memory so\n");
    return !platform.sharing;
}

static inline leat_channel *channel_make(uint64_t message_size, uint64_t count, uint64_t ring_bytes)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *c = NULL;
    o.message_size = message_size;
    o.count = count;
    o.ring_bytes = ring_bytes;
    assert_int_equal(leat_channel_open(&c, &o, NULL), 0);
    return c;
}

/* The exported descriptors of an end. */
struct set {
    int fd[LEAT_CHANNEL_FDS];
    size_t n;
};

static inline struct set set_of(leat_channel *c, enum leat_channel_end end)
{
    struct set s = {.n = LEAT_CHANNEL_FDS};
    assert_int_equal(leat_channel_export_end(c, end, s.fd, &s.n), 0);
    return s;
}

static inline void set_close(struct set *s)
{
    for (size_t i = 0; i < s->n; i++)
        close(s->fd[i]);
    s->n = 0;
}

static inline leat_channel *set_attach(const struct set *s)
{
    leat_channel *c = NULL;
    return leat_channel_attach(&c, s->fd, s->n) == 0 ? c : NULL;
}

static inline leat_channel *other_end(leat_channel *c)
{
    leat_channel *other = NULL;
    struct set s = {.n = LEAT_CHANNEL_FDS};
    assert_int_equal(leat_channel_export(c, s.fd, &s.n), 0);
    assert_int_equal(leat_channel_attach(&other, s.fd, s.n), 0);
    set_close(&s);
    return other;
}

static inline struct leat_channel_info info_of(leat_channel *c)
{
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    assert_int_equal(leat_channel_inspect(leat_channel_memory_fd(c), &info, NULL, NULL), 0);
    return info;
}

/* A message has its sender, its number, and bytes that both determine. */
#define MESSAGE_HEAD 8u
struct message_head {
    uint32_t sender, number;
};

static inline uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t x = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;
    x ^= x >> 15;
    return x * 0x2c1b3c6du;
}

static inline void message_fill(uint8_t *bytes, size_t n, uint32_t sender, uint32_t number)
{
    struct message_head h = {sender, number};
    memcpy(bytes, &h, sizeof(h));
    uint32_t x = mix(sender, number) | 1;
    for (size_t i = MESSAGE_HEAD; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static inline bool message_holds(const uint8_t *bytes, size_t n, struct message_head *ret)
{
    if (n < MESSAGE_HEAD)
        return false;
    memcpy(ret, bytes, MESSAGE_HEAD);
    uint32_t x = mix(ret->sender, ret->number) | 1;
    for (size_t i = MESSAGE_HEAD; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        if (bytes[i] != (uint8_t)(x >> 24))
            return false;
    }
    return true;
}

static inline void nothing(int number UNUSED)
{
}

/* Sends a signal to some thread of this process a thousand times a second. No call may show that it was interrupted. */
static inline void tick(void)
{
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval t = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &t, NULL);
}

static inline void tick_no_more(void)
{
    struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
}

/* Maps memory that all children of a test share. */
static inline void *shared_memory(size_t n)
{
    void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

/* Runs `f` in a child, which exits with the value that `f` returns: a failed assertion must not leave the child. */
static inline pid_t in_child(int (*f)(void *), void *user)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(f(user));
    return child;
}

static inline int status_of(pid_t child)
{
    int status = 0;
    pid_t r;
    while ((r = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ;
    assert_int_equal(r, child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif
