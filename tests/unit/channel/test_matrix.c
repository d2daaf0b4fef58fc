/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * One and many senders and receivers, in threads, in children and in programs that were executed anew; rings of one
 * message and of 5 bytes; messages from nothing to 8 MiB; with signals a thousand times a second. Every message comes
 * once, whole, and in its sender's order. */
/* timeout: 120
 * labels: limits native */
#include "channels.h"
#include <pthread.h>

#define ENDS_MAX 4

enum how {
    THREADS,
    CHILDREN,
    EXECUTED,
};

struct work {
    struct set set, other;
    uint32_t id, messages;
    int r;
    uint64_t message_size, longest;
    uint32_t (*seen)[ENDS_MAX]; /* by each receiver, of each sender */
};

static const char *program;

static size_t length_of(const struct work *w, uint32_t sender, uint32_t number)
{
    if (w->message_size)
        return w->message_size;
    return MESSAGE_HEAD + (number % 7 == 0 ? mix(number, sender) % w->longest : mix(number, sender) % 64);
}

static int send_them(struct work *w)
{
    leat_channel *c = set_attach(&w->set);
    uint8_t *bytes = malloc(MESSAGE_HEAD + w->longest);
    int r = c && bytes ? 0 : 1;
    for (uint32_t i = 1; r == 0 && i <= w->messages; i++) {
        size_t n = length_of(w, w->id, i);
        message_fill(bytes, n, w->id, i);
        r = leat_channel_send(c, bytes, n, 60000) < 0 ? 2 : 0;
    }
    leat_channel_close(c);
    free(bytes);
    return r;
}

static int receive_them(struct work *w)
{
    leat_channel *c = set_attach(&w->set);
    uint8_t *bytes = malloc(MESSAGE_HEAD + w->longest);
    uint32_t last[ENDS_MAX] = {0};
    struct message_head h;
    size_t n = 0;
    int r = c && bytes ? 0 : 1;
    while (r == 0 && (r = leat_channel_receive(c, bytes, MESSAGE_HEAD + w->longest, &n, 60000)) == 0) {
        if (!message_holds(bytes, n, &h) || h.sender >= ENDS_MAX || n != length_of(w, h.sender, h.number))
            r = 3;
        else if (h.number <= last[h.sender])
            r = 4;
        else {
            last[h.sender] = h.number;
            w->seen[w->id][h.sender]++;
        }
    }
    leat_channel_close(c);
    free(bytes);
    return r == -ENODATA ? 0 : r < 0 ? 5 : r;
}

static void *thread_sends(void *user)
{
    struct work *w = user;
    w->r = send_them(w);
    return NULL;
}

static void *thread_receives(void *user)
{
    struct work *w = user;
    w->r = receive_them(w);
    return NULL;
}

static int child_sends(void *user)
{
    tick();
    return send_them(user);
}

static int child_receives(void *user)
{
    struct work *w = user;
    tick();
    set_close(&w->other); /* as long as we have them, a sender might come */
    return receive_them(w);
}

/* The sender as a program that knows nothing but the numbers of its descriptors. */
static int execute(void *user)
{
    struct work *w = user;
    char text[5][24];
    const uint64_t numbers[5] = {(uint64_t)w->set.fd[0], (uint64_t)w->set.fd[1], w->id, w->messages, w->longest};
    for (int i = 0; i < 5; i++)
        snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)numbers[i]);
    for (int i = 0; i < 2; i++)
        fcntl(w->set.fd[i], F_SETFD, 0);
    execl(program, program, "send", text[0], text[1], text[2], text[3], text[4], (char *)NULL);
    return 9;
}

static int executed(char **argv)
{
    struct work w = {.set = {.n = 2}};
    for (int i = 0; i < 2; i++)
        w.set.fd[i] = atoi(argv[i]);
    w.id = (uint32_t)atoi(argv[2]);
    w.messages = (uint32_t)atoi(argv[3]);
    w.longest = (uint64_t)atoll(argv[4]);
    /* The copies of the descriptors are an end, too, until they are closed. */
    int r = send_them(&w);
    set_close(&w.set);
    return r;
}

static void run(enum how how, unsigned senders, unsigned receivers, leat_channel *c, struct work *like)
{
    struct work w[2 * ENDS_MAX];
    pthread_t thread[2 * ENDS_MAX];
    pid_t child[2 * ENDS_MAX];
    struct set set[2] = {set_of(c, LEAT_CHANNEL_SENDER), set_of(c, LEAT_CHANNEL_RECEIVER)};
    unsigned all = senders + receivers;
    uint32_t(*seen)[ENDS_MAX] = shared_memory(sizeof(uint32_t[ENDS_MAX][ENDS_MAX]));
    leat_channel_close(c); /* before anybody has come */
    for (unsigned i = 0; i < all; i++) {
        bool sends = i < senders;
        w[i] = *like;
        w[i].id = sends ? i : i - senders;
        w[i].set = set[sends ? 0 : 1];
        w[i].other = set[sends ? 1 : 0];
        w[i].seen = seen;
    }
    for (unsigned i = 0; i < all; i++) {
        bool sends = i < senders;
        if (how == THREADS)
            assert_int_equal(pthread_create(&thread[i], NULL, sends ? thread_sends : thread_receives, &w[i]), 0);
        else if (how == EXECUTED && sends)
            child[i] = in_child(execute, &w[i]);
        else
            child[i] = in_child(sends ? child_sends : child_receives, &w[i]);
    }
    if (how == THREADS)
        tick();
    for (unsigned i = 0; i < all; i++) {
        if (i == senders)
            set_close(&set[0]);
        if (how == THREADS) {
            pthread_join(thread[i], NULL);
            assert_int_equal(w[i].r, 0);
        } else
            assert_int_equal(status_of(child[i]), 0);
    }
    tick_no_more();
    for (unsigned s = 0; s < senders; s++) {
        unsigned sum = 0;
        for (unsigned i = 0; i < receivers; i++)
            sum += seen[i][s];
        assert_int_equal(sum, like->messages);
    }
    set_close(&set[1]);
    munmap(seen, sizeof(uint32_t[ENDS_MAX][ENDS_MAX]));
}

static void test_matrix(void **state UNUSED)
{
    static const struct {
        uint64_t message_size, count, ring_bytes, longest;
        uint32_t messages;
    } rings[] = {
        {16, 64, 0, 16, 20000},    {64, 1, 0, 64, 1000},     {0, 0, 5, 300, 200},
        {0, 0, 65536, 4000, 5000}, {0, 0, 4096, 65536, 300}, {0, 0, 1 << 20, 8 << 20, 15},
    };
    static const struct {
        unsigned senders, receivers;
    } ends[] = {{1, 1}, {3, 1}, {1, 3}, {3, 4}};
    /* In a soak a million messages and more; those that fill the memory are enough as they are. */
    unsigned divisor = getenv("LEAT_TEST_QUICK") ? 10 : 1, factor = getenv("LEAT_SOAK_SECONDS") ? 5 : 1;
    int before = unit_descriptors();
    for (size_t r = 0; r < COUNT(rings); r++)
        for (size_t e = 0; e < COUNT(ends); e++)
            for (int how = THREADS; how <= EXECUTED; how++) {
                if (how == EXECUTED && rings[r].message_size)
                    continue;
                struct work like = {.messages = MAX(rings[r].messages * factor / divisor, 2),
                                    .message_size = rings[r].message_size,
                                    .longest = rings[r].longest};
                run((enum how)how, ends[e].senders, ends[e].receivers,
                    channel_make(rings[r].message_size, rings[r].count, rings[r].ring_bytes), &like);
            }
    assert_int_equal(unit_descriptors(), before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matrix)};
    program = "/proc/self/exe";
    if (argc == 7 && strcmp(argv[1], "send") == 0)
        return executed(argv + 2);
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
