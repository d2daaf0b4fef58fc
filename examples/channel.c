/* SPDX-License-Identifier: MIT */
/* Distributes work to two children. The parent sends numbers; each child acquires a number, squares it in place and
 * releases it. One child is killed while it holds a number. The other child gets that number too, and the call says so.
 */
#include <errno.h>
#include <leat/leat.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBERS 20

static int work(leat_channel *channel, int dies)
{
    struct leat_message message;
    unsigned sum = 0, again = 0;
    int r;
    while ((r = leat_channel_acquire(channel, &message, -1)) == 0) {
        unsigned number;
        memcpy(&number, message.data, sizeof(number));
        if (dies)
            raise(SIGKILL);
        sum += number * number;
        again += (message.flags & LEAT_MESSAGE_AGAIN) != 0;
        leat_channel_release(channel, &message);
    }
    leat_channel_close(channel);
    if (r != -ENODATA)
        return 1;
    printf("the squares make %u, %u of them in the second try\n", sum, again);
    return fflush(stdout) == 0 ? 0 : 1;
}

static pid_t begin_work(leat_channel *sender, const int *fds, size_t n, int dies)
{
    leat_channel *receiver;
    pid_t child = fork();
    if (child != 0)
        return child;
    leat_channel_close(sender); /* as with a pipe, a child closes the end that it does not need */
    int r = leat_channel_attach(&receiver, fds, n);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    _exit(r < 0 ? 1 : work(receiver, dies));
}

int main(void)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    int fds[LEAT_CHANNEL_FDS] = {0}, status = 1;
    size_t n = LEAT_CHANNEL_FDS;
    leat_channel *sender;
    options.message_size = sizeof(unsigned);
    options.count = NUMBERS;
    int r = leat_channel_open(&sender, &options, NULL);
    if (r == 0)
        r = leat_channel_export(sender, fds, &n);
    if (r < 0) {
        fprintf(stderr, "channel: %s\n", strerror(-r));
        return 1;
    }
    pid_t killed = begin_work(sender, fds, n, 1);
    for (unsigned i = 1; i <= NUMBERS && r == 0; i++)
        r = leat_channel_send(sender, &i, sizeof(i), -1);
    waitpid(killed, &status, 0);
    pid_t other = begin_work(sender, fds, n, 0);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    leat_channel_close(sender); /* the other child reads the end after the last number */
    waitpid(other, &status, 0);
    return r == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
