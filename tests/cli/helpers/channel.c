/* SPDX-License-Identifier: MIT */
/* A channel to look at: three messages of 32 bytes in a ring for eight, the first of which is held by a receiver that
 * was killed; a sender that is alive, one that is to come. Prints the number of this process, that of the memory's
 * descriptor, and that of the sender's process; ends with its standard input. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <leat/channel.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int code)
{
    if (code == 0)
        return;
    fprintf(stderr, "helper: %s\n", strerror(-code));
    _exit(1);
}

/* In a child, which says so in the pipe when it is there. */
static pid_t begin(leat_channel *creator, enum leat_channel_end end, int said)
{
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    must(leat_channel_export_end(creator, end, fds, &n));
    pid_t child = fork();
    if (child == 0) {
        leat_channel *channel;
        struct leat_message message;
        leat_channel_close(creator);
        must(leat_channel_attach(&channel, fds, n));
        for (size_t i = 0; i < n; i++)
            close(fds[i]);
        if (end == LEAT_CHANNEL_RECEIVER)
            must(leat_channel_acquire(channel, &message, -1));
        must(write(said, "", 1) == 1 ? 0 : -errno);
        for (;;)
            pause();
    }
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    return child;
}

int main(void)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    leat_channel *creator;
    int fds[LEAT_CHANNEL_FDS], said[2];
    size_t n = LEAT_CHANNEL_FDS;
    char byte, bytes[32] = {0};
    options.message_size = sizeof(bytes);
    options.count = 8;
    must(leat_channel_open(&creator, &options, NULL));
    must(pipe(said) < 0 ? -errno : 0);
    pid_t sender = begin(creator, LEAT_CHANNEL_SENDER, said[1]);
    pid_t receiver = begin(creator, LEAT_CHANNEL_RECEIVER, said[1]);
    for (int i = 0; i < 3; i++)
        must(leat_channel_send(creator, bytes, sizeof(bytes), -1));
    must(leat_channel_export_end(creator, LEAT_CHANNEL_SENDER, fds, &n));
    for (int i = 0; i < 2; i++)
        must(read(said[0], &byte, 1) == 1 ? 0 : -errno);
    kill(receiver, SIGKILL);
    waitpid(receiver, NULL, 0);
    printf("%d %d %d\n", (int)getpid(), leat_channel_memory_fd(creator), (int)sender);
    fflush(stdout);
    must(read(STDIN_FILENO, &byte, 1) == 0 ? 0 : -EIO);
    kill(sender, SIGKILL);
    waitpid(sender, NULL, 0);
    return 0;
}
