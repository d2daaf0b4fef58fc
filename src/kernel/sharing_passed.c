/* SPDX-License-Identifier: MIT */
/* Descriptors that come from another process. */
#include "base/fd.h"
#include "kernel/sharing.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* the most descriptors that the kernel sends with one message (SCM_MAX_FD) */
#define PASSED_MAX 253
/* Room for other control messages, which the options of a socket may add: credentials, a label, time stamps, a pidfd.
 * With it nothing is cut off, so a peer can't choose what is cut off. */
#define OTHERS_MAX 4096
/* Newer than the headers of some systems. */
#define PASSED_PIDFD 4

union passed_control {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int)) + OTHERS_MAX];
};

/* Takes the descriptors of one control message: keeps as many as there is room for, and closes the others. Returns how
 * many there were. */
static size_t take_fds(const struct cmsghdr *head, int *fds, size_t room)
{
    size_t n = head->cmsg_len < CMSG_LEN(0) ? 0 : (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(head) + i * sizeof(fd), sizeof(fd));
        if (i < room)
            fds[i] = fd;
        else
            fd_close(fd);
    }
    return n;
}

static size_t take_all(struct msghdr *message, int *fds, size_t room)
{
    size_t n = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET)
            continue;
        if (head->cmsg_type == SCM_RIGHTS)
            n += take_fds(head, fds + MIN(n, room), room - MIN(n, room));
        else if (head->cmsg_type == PASSED_PIDFD)
            take_fds(head, NULL, 0);
    }
    return n;
}

int sharing_receive(int socket, int *fds, size_t *n)
{
    union passed_control control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = sizeof(control);
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    size_t passed = take_all(&message, fds, *n);
    if (passed <= *n && !(message.msg_flags & MSG_CTRUNC) && (got > 0 || passed > 0)) {
        *n = passed;
        return 0;
    }
    for (size_t i = 0; i < MIN(passed, *n); i++)
        fd_close(fds[i]);
    if (message.msg_flags & MSG_CTRUNC)
        return -EMFILE; /* the buffer has room for all, so this process had no free descriptor numbers */
    return got == 0 && passed == 0 ? -ENODATA : -EPROTO;
}

/* lseek(2) would wait for any thread or process that is in a read of the same open file, so the position is read from
 * procfs. */
int64_t sharing_position(int fd)
{
    char path[64], text[64];
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    CLEANUP_FD int info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return -errno;
    ssize_t n = read(info, text, sizeof(text) - 1);
    if (n < 5 || memcmp(text, "pos:\t", 5) != 0)
        return -EPROTO;
    text[n] = 0;
    return strtoll(text + 5, NULL, 10);
}
