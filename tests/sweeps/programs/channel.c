/* SPDX-License-Identifier: MIT */
/* leat/channel.h and the sources and sinks of leat/record.h that are channels. With the argument "hold": a channel with
 * a message in it is there until standard input ends; its process and descriptor are printed. */
#include "../swept.h"
#include <sys/socket.h>
#include <unistd.h>

static int hold(void)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    leat_channel *channel;
    int ended;
    options.message_size = 8;
    options.count = 4;
    if (leat_channel_open(&channel, &options, NULL) < 0 || leat_channel_send(channel, "message", 8, 0) < 0)
        return 1;
    printf("%ld %d\n", (long)getpid(), leat_channel_memory_fd(channel));
    fflush(stdout);
    ended = getchar();
    leat_channel_close(channel);
    return ended == EOF ? 0 : 1;
}

static void use(const struct leat_channel_options *options)
{
    static char bytes[8192];
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    struct leat_channel_options own = LEAT_INIT(struct leat_channel_options);
    struct leat_message message = {0};
    leat_channel *sender = NULL, *receiver = NULL, *passed = NULL;
    int fds[LEAT_CHANNEL_FDS], ends[2] = {-1, -1}, fd;
    size_t n = 0, got, peers = 0;
    void *room, *record = NULL;
    TRY(leat_channel_open(&sender, options, NULL));
    got = LEAT_CHANNEL_FDS;
    TRY(leat_channel_export(sender, fds, &got));
    n = got;
    TRY(leat_channel_attach(&receiver, fds, n));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        swept_failed("socketpair", -errno);
        goto done;
    }
    TRY(leat_channel_pass(sender, LEAT_CHANNEL_RECEIVER, ends[0], -1));
    TRY(leat_channel_attach_passed(&passed, ends[1], -1));
    TRY(leat_channel_send(sender, "one", 4, 1000));
    TRY(leat_channel_reserve(sender, 4, &room, 1000));
    memcpy(room, "two", 4);
    TRY(leat_channel_publish(sender, 4));
    TRY(leat_channel_receive(receiver, bytes, sizeof(bytes), &got, 1000));
    EXPECT(memcmp(bytes, "one", 4) == 0);
    TRY(leat_channel_poll_fd(receiver, LEAT_READ, &fd));
    TRY(leat_channel_poll_fd(sender, LEAT_WRITE, &fd));
    TRY(leat_channel_acquire(passed, &message, 1000));
    EXPECT(memcmp(message.data, "two", 4) == 0);
    TRY(leat_channel_release(passed, &message));
    TRY(leat_channel_inspect(leat_channel_memory_fd(sender), &info, NULL, &peers));
    TRY(leat_channel_describe(receiver, &own));
    EXPECT(own.end == LEAT_CHANNEL_RECEIVER);
    TRY(leat_channel_send(sender, "six", 4, 1000));
    TRY(leat_record_next_message(receiver, &record));
    TRY(leat_record_emit_message(sender, record));
    record = NULL;
    TRY(leat_channel_receive(receiver, bytes, sizeof(bytes), &got, 1000));
    EXPECT(memcmp(bytes, "six", 4) == 0);
done:
    leat_record_free(record);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    for (int i = 0; i < 2 && ends[i] >= 0; i++)
        close(ends[i]);
    leat_channel_close(passed);
    leat_channel_close(receiver);
    leat_channel_close(sender);
}

int main(int argc, char **argv)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    if (argc > 1 && strcmp(argv[1], "hold") == 0)
        return hold();
    options.message_size = 4; /* which each message has */
    options.count = 8;
    use(&options);
    options.message_size = 0;
    options.count = 0;
    options.ring_bytes = 65536;
    if (swept_result == 0)
        use(&options);
    return swept_result;
}
