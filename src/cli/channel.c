/* SPDX-License-Identifier: MIT */
/* leat channel inspect: shows the state of a shared-memory channel and its peers. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] = "usage: leat channel inspect [--json] PID FD\n"
                                "\n"
                                "Prints the state of a channel, without taking part in it: its\n"
                                "geometry, the messages that lie in it, those that were lost with a receiver\n"
                                "that died, the peers alive and dead. FD is the descriptor of the channel's\n"
                                "memory in process PID; `ls -l /proc/PID/fd` shows it as /memfd:leat-channel. A\n"
                                "channel that is at work is seen in passing, so numbers need not fit each other.\n"
                                "\n"
                                "  --json   one object on one line, for programs\n"
                                "  --help   this\n"
                                "\n"
                                "Examples:\n"
                                "  leat channel inspect 4711 5\n"
                                "  leat channel inspect --json 4711 5 | jq .lost\n"
                                "\n"
                                "Exit codes: 0 shown, 1 it could not be (no such descriptor, no channel, no\n"
                                "permission), 2 usage.\n";

static const char *const end_names[] = {"sender", "receiver"};

struct sight {
    struct leat_channel_info info;
    struct leat_channel_peer *peers;
    size_t count;
};

static const char *life(const struct leat_channel_peer *p)
{
    if (p->attached)
        return p->alive ? "alive" : "dead";
    return p->alive ? "to come" : "closed";
}

static void print_lane(const struct leat_channel_info *info, uint32_t index)
{
    const struct leat_channel_lane *l = &info->lane[index];
    if (info->lanes > 1)
        printf("%s\n", index == 0 ? "from the sender's end" : "from the receiver's end");
    printf("  messages   %" PRIu64 " in %" PRIu64 " of %" PRIu64 " bytes", l->messages, l->bytes, info->ring_bytes);
    printf(", %" PRIu64 " held, %" PRIu64 " again\n", l->held, l->again);
    printf("  sent       %" PRIu64 "\n", l->sent);
    printf("  ends       %u senders, %u receivers; %u senders died\n", l->senders, l->receivers, l->deaths);
}

static void print_text(const struct sight *s)
{
    const struct leat_channel_info *info = &s->info;
    if (info->message_size)
        printf("%s channel of %" PRIu64 " messages of %" PRIu64 " bytes\n", info->lanes > 1 ? "duplex" : "simplex",
               info->count, info->message_size);
    else
        printf("%s channel for messages of any length up to %" PRIu64 "\n", info->lanes > 1 ? "duplex" : "simplex",
               info->message_limit);
    for (uint32_t i = 0; i < info->lanes; i++)
        print_lane(info, i);
    printf("  lost       %" PRIu64 " with receivers that died\n", info->lost);
    printf("peers, %zu of %u places\n", s->count, info->peers);
    for (size_t i = 0; i < s->count; i++)
        printf("  %-4u %-8s  %-7s  pid %" PRId64 "\n", s->peers[i].place, end_names[s->peers[i].end != 0],
               life(&s->peers[i]), s->peers[i].pid);
}

static json_t *lane_object(const struct leat_channel_lane *l)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i}", "messages", (json_int_t)l->messages, "bytes",
                     (json_int_t)l->bytes, "sent", (json_int_t)l->sent, "held", (json_int_t)l->held, "again",
                     (json_int_t)l->again, "senders", (int)l->senders, "receivers", (int)l->receivers, "deaths",
                     (int)l->deaths);
}

static json_t *peer_object(const struct leat_channel_peer *p)
{
    return json_pack("{s:i, s:s, s:s, s:I}", "place", (int)p->place, "end", end_names[p->end != 0], "state", life(p),
                     "pid", (json_int_t)p->pid);
}

static int print_json(const struct sight *s)
{
    const struct leat_channel_info *info = &s->info;
    json_t *lanes = json_array(), *peers = json_array();
    bool whole = true;
    for (uint32_t i = 0; i < info->lanes; i++)
        whole &= json_array_append_new(lanes, lane_object(&info->lane[i])) == 0;
    for (size_t i = 0; i < s->count; i++)
        whole &= json_array_append_new(peers, peer_object(&s->peers[i])) == 0;
    json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:o, s:o}", "type", "channel", "message_size",
                               (json_int_t)info->message_size, "count", (json_int_t)info->count, "ring_bytes",
                               (json_int_t)info->ring_bytes, "message_limit", (json_int_t)info->message_limit, "places",
                               (int)info->peers, "lost", (json_int_t)info->lost, "lanes", lanes, "peers", peers);
    if (!whole) {
        json_decref(object);
        object = NULL;
    }
    return cli_print_json(object);
}

/* Opens a descriptor of another process anew through /proc and inspects the channel behind it. */
static int look(const char *pid, const char *number, struct sight *s)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    s->info = LEAT_INIT(struct leat_channel_info);
    int r = leat_channel_inspect(fd, &s->info, NULL, NULL);
    if (r == 0) {
        size_t room = s->count = s->info.peers;
        s->peers = calloc(room, sizeof(*s->peers));
        r = s->peers ? leat_channel_inspect(fd, &s->info, s->peers, &s->count) : -ENOMEM;
        if (r == 0 && s->count > room) /* a peer may have changed the geometry between the two calls */
            r = -EPROTO;
    }
    close(fd);
    return r;
}

static bool is_number(const char *text)
{
    return text[0] && strspn(text, "0123456789") == strlen(text) && strlen(text) < 12;
}

static int inspect(const char *pid, const char *number, bool json)
{
    struct sight sight = {0};
    int r = look(pid, number, &sight);
    if (r < 0) {
        cli_warn("channel inspect: descriptor %s of process %s: %s", number, pid,
                 r == -EPROTO ? "it is no channel" : strerror(-r));
        free(sight.peers);
        return EXIT_FAILED;
    }
    if (json)
        r = print_json(&sight);
    else
        print_text(&sight);
    free(sight.peers);
    return cli_said("channel inspect", r);
}

int cli_channel(int argc, char **argv)
{
    bool json;
    int code = cli_json_option("channel", help_text, argc, argv, &json);
    if (code >= 0)
        return code;
    argv += optind;
    argc -= optind;
    if (argc < 1 || strcmp(argv[0], "inspect") != 0)
        return cli_usage("channel", "say what to do: inspect PID FD");
    if (argc != 3 || !is_number(argv[1]) || !is_number(argv[2]))
        return cli_usage("channel", "inspect takes the number of a process and that of its descriptor");
    return inspect(argv[1], argv[2], json);
}
