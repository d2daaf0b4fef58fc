/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * labels: glibc
 * What comes over a socket where descriptors of a channel are expected: any number of them, with anything beside them.
 * What is wanted is attached to; everything else is refused, and nothing of it stays open. */
#include "channel/channel.h"
#include "channels.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MOST 253 /* what one message may carry */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* Sends `n` descriptors in one message of `bytes` bytes. */
static void pass_raw(int socket, const int *fds, size_t n, size_t bytes)
{
    static union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
    } control;
    char data[2] = {0};
    struct iovec iov = {data, bytes};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    memset(&control, 0, sizeof(control));
    if (n) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
    }
    assert_int_equal(sendmsg(socket, &m, MSG_NOSIGNAL), bytes);
}

/* Each number of descriptors from none to the most, the first of which are a channel's. */
static void test_counts(void **state UNUSED)
{
    int fds[MOST], sockets[2];
    leat_channel *c = channel_make(4, 8, 0), *d;
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
    unit_socketpair(sockets);
    int before = unit_descriptors();
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = i < s.n ? s.fd[i] : s.fd[0];
    for (size_t n = 0; n <= COUNT(fds); n += n < 10 ? 1 : 27) {
        pass_raw(sockets[0], fds, n, 1);
        d = NULL;
        int r = leat_channel_attach_passed(&d, sockets[1], -1);
        assert_int_equal(r, n == s.n ? 0 : -EPROTO);
        assert_true((r == 0) == (d != NULL));
        leat_channel_close(d);
        assert_int_equal(unit_descriptors(), before);
    }
    set_close(&s);
    close(sockets[0]);
    assert_int_equal(leat_channel_attach_passed(&d, sockets[1], -1), -ENODATA);
    close(sockets[1]);
    leat_channel_close(c);
}

/* Options of a socket put other control messages before and behind the one with the descriptors. */
static void test_beside(void **state UNUSED)
{
    static const int options[] = {SO_PASSCRED, SO_TIMESTAMP, SO_PASSSEC, SO_PASSPIDFD};
    leat_channel *c = channel_make(4, 8, 0), *d;
    for (unsigned mask = 0; mask < 1u << COUNT(options); mask++) {
        int sockets[2];
        unit_socketpair(sockets);
        for (size_t i = 0; i < COUNT(options); i++)
            if (mask & 1u << i)
                setsockopt(sockets[1], SOL_SOCKET, options[i], &(int){1}, sizeof(int)); /* one may be unknown here */
        int before = unit_descriptors();
        assert_int_equal(leat_channel_pass(c, LEAT_CHANNEL_RECEIVER, sockets[0], -1), 0);
        assert_int_equal(leat_channel_attach_passed(&d, sockets[1], -1), 0);
        leat_channel_close(d);
        assert_int_equal(unit_descriptors(), before);
        pass_raw(sockets[0], NULL, 0, 1); /* and none with one */
        assert_int_equal(leat_channel_attach_passed(&d, sockets[1], -1), -EPROTO);
        assert_int_equal(unit_descriptors(), before);
        close(sockets[0]);
        close(sockets[1]);
    }
    leat_channel_close(c);
}

/* Descriptors of all kinds in each place of a set. */
static void test_odd(void **state UNUSED)
{
    int sockets[2], pipe_ends[2];
    leat_channel *c = channel_make(4, 8, 0), *d;
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
    unit_socketpair(sockets);
    assert_int_equal(pipe(pipe_ends), 0);
    int folder = open("/", O_RDONLY | O_DIRECTORY), path = open("/dev/null", O_PATH), plain = memfd_create("plain", 0);
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(sealed, 1 << 20), 0);
    assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    const int odd[] = {sockets[0], pipe_ends[0], pipe_ends[1], folder, path, plain, sealed, leat_channel_memory_fd(c)};
    int before = unit_descriptors();
    for (size_t i = 0; i < COUNT(odd); i++)
        for (size_t place = 0; place < s.n; place++) {
            int fds[LEAT_CHANNEL_FDS];
            memcpy(fds, s.fd, s.n * sizeof(int));
            fds[place] = odd[i];
            pass_raw(sockets[0], fds, s.n, 1);
            assert_true(leat_channel_attach_passed(&d, sockets[1], -1) < 0);
            assert_int_equal(unit_descriptors(), before);
        }
    for (size_t i = 0; i < COUNT(odd) - 1; i++)
        close(odd[i]);
    close(sockets[1]);
    set_close(&s);
    leat_channel_close(c);
}

/* It waits no longer than it may, whether or not the socket blocks, and nothing is lost by that. */
static void test_limits(void **state UNUSED)
{
    static const int limits[] = {0, 10};
    for (int blocking = 0; blocking < 2; blocking++) {
        leat_channel *c = channel_make(4, 8, 0), *d;
        int sockets[2], sent = 0;
        unit_socketpair(sockets);
        for (int i = 0; i < 2; i++)
            fcntl(sockets[i], F_SETFL, blocking ? 0 : O_NONBLOCK);
        for (size_t i = 0; i < COUNT(limits); i++)
            assert_int_equal(leat_channel_attach_passed(&d, sockets[1], limits[i]), limits[i] ? -ETIMEDOUT : -EAGAIN);
        int before = unit_descriptors(), r;
        while ((r = leat_channel_pass(c, LEAT_CHANNEL_RECEIVER, sockets[0], 0)) == 0 && sent < 10)
            sent++;
        while (r == 0 && send(sockets[0], "much", 4, MSG_DONTWAIT) > 0)
            ; /* each of them may hold a place, so others fill the socket */
        for (size_t i = 0; i < COUNT(limits); i++)
            assert_int_equal(leat_channel_pass(c, LEAT_CHANNEL_RECEIVER, sockets[0], limits[i]),
                             limits[i] ? -ETIMEDOUT : -EAGAIN);
        assert_int_equal(unit_descriptors(), before);
        for (int i = 0; i < sent; i++) {
            assert_int_equal(leat_channel_attach_passed(&d, sockets[1], 10000), 0);
            leat_channel_close(d);
        }
        close(sockets[0]);
        close(sockets[1]);
        leat_channel_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_odd),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
