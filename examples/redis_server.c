/* SPDX-License-Identifier: MIT */
/* A server that speaks enough of the Redis protocol for a benchmark: redis_server PORT (0: any free port, which the
 * server prints). It knows PING, ECHO, SET, GET, DEL and QUIT, as arrays of strings or as plain lines. */
#include "server.h"
#include <strings.h>

#define MEMORY    (256u << 20)
#define ARGUMENTS 8
#define BUCKETS   65536
#define VALUE_MAX (512u << 10)

/* ---- the store ---- */

struct entry {
    struct entry *next;
    size_t key_length, length;
    char *value; /* lies behind the key */
    char key[];
};

static struct entry *table[BUCKETS];

struct word {
    const char *text;
    size_t length;
};

static struct entry **place_of(struct word key)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < key.length; i++)
        hash = (hash ^ (unsigned char)key.text[i]) * 16777619u;
    struct entry **at = &table[hash % BUCKETS];
    while (*at && ((*at)->key_length != key.length || memcmp((*at)->key, key.text, key.length) != 0))
        at = &(*at)->next;
    return at;
}

static int forget(struct word key)
{
    struct entry **at = place_of(key), *entry = *at;
    if (!entry)
        return 0;
    *at = entry->next;
    free(entry);
    return 1;
}

static int remember(struct word key, struct word value)
{
    struct entry *entry = malloc(sizeof(*entry) + key.length + value.length);
    if (!entry)
        return -ENOMEM;
    forget(key);
    struct entry **at = place_of(key);
    entry->next = *at;
    entry->key_length = key.length;
    entry->length = value.length;
    entry->value = entry->key + key.length;
    memcpy(entry->key, key.text, key.length);
    memcpy(entry->value, value.text, value.length);
    *at = entry;
    return 0;
}

/* ---- commands ---- */

struct command {
    size_t count;
    struct word word[ARGUMENTS];
};

/* Parses "$5\r\n": a number behind the character `sign`. Returns how many bytes that takes; 0: more bytes have to come.
 */
static ssize_t read_number(const char *at, size_t n, char sign, size_t most, size_t *ret)
{
    size_t i = 1;
    *ret = 0;
    if (n && at[0] != sign)
        return -EPROTO;
    for (; i < n && at[i] >= '0' && at[i] <= '9'; i++)
        if ((*ret = *ret * 10 + (size_t)(at[i] - '0')) > most)
            return -EMSGSIZE;
    if (n < i + 2)
        return i < n && at[i] != '\r' ? -EPROTO : 0;
    return i > 1 && at[i] == '\r' && at[i + 1] == '\n' ? (ssize_t)i + 2 : -EPROTO;
}

static ssize_t read_array(const char *at, size_t n, struct command *command)
{
    ssize_t used = read_number(at, n, '*', ARGUMENTS, &command->count);
    for (size_t i = 0; used > 0 && i < command->count; i++) {
        struct word *word = &command->word[i];
        ssize_t header = read_number(at + used, n - (size_t)used, '$', VALUE_MAX, &word->length);
        if (header <= 0)
            return header;
        if (n - (size_t)used - (size_t)header < word->length + 2)
            return 0;
        word->text = at + used + header;
        used += header + (ssize_t)word->length + 2;
    }
    return used;
}

static ssize_t read_line(const char *at, size_t n, struct command *command)
{
    const char *end = memchr(at, '\n', n);
    size_t length = end ? (size_t)(end - at) : 0;
    command->count = 0;
    for (size_t i = 0; i < length && command->count < ARGUMENTS;) {
        size_t word = 0;
        while (i + word < length && at[i + word] != ' ' && at[i + word] != '\r')
            word++;
        if (word)
            command->word[command->count++] = (struct word){at + i, word};
        i += word + 1;
    }
    return end ? (ssize_t)length + 1 : 0;
}

static ssize_t read_command(const struct leat_view *view, struct command *command)
{
    const char *at = view->data;
    return *at == '*' ? read_array(at, view->length, command) : read_line(at, view->length, command);
}

/* ---- answers ---- */

static int say(leat_stream *out, const char *text)
{
    return leat_stream_append(out, text, strlen(text));
}

static struct iovec piece(const char *bytes, size_t n)
{
    struct iovec iov = {.iov_len = n};
    memcpy(&iov.iov_base, &bytes, sizeof(bytes)); /* struct iovec has no const, but nothing is written there */
    return iov;
}

/* Appends the whole answer by one call, because the output might become full between two calls. */
static int say_bulk(leat_stream *out, struct word word)
{
    char header[32];
    int n = snprintf(header, sizeof(header), "$%zu\r\n", word.length);
    const struct iovec pieces[] = {piece(header, (size_t)n), piece(word.text, word.length), piece("\r\n", 2)};
    return leat_stream_append_iov(out, pieces, 3);
}

static int is(const struct command *command, const char *name, size_t count)
{
    return command->count == count && strlen(name) == command->word[0].length &&
           strncasecmp(command->word[0].text, name, command->word[0].length) == 0;
}

/* Executes a command. Returns 0 to go on, or 1 if the client ended the connection. */
static int obey(const struct command *command, leat_stream *out)
{
    const struct word *word = command->word;
    if (command->count == 0)
        return 0;
    if (is(command, "PING", 1))
        return say(out, "+PONG\r\n");
    if (is(command, "ECHO", 2) || is(command, "PING", 2))
        return say_bulk(out, word[1]);
    if (is(command, "SET", 3)) {
        int r = remember(word[1], word[2]);
        return r < 0 ? r : say(out, "+OK\r\n");
    }
    if (is(command, "GET", 2)) {
        const struct entry *entry = *place_of(word[1]);
        return entry ? say_bulk(out, (struct word){entry->value, entry->length}) : say(out, "$-1\r\n");
    }
    if (is(command, "DEL", 2))
        return say(out, forget(word[1]) ? ":1\r\n" : ":0\r\n");
    if (is(command, "QUIT", 1)) {
        int r = say(out, "+OK\r\n");
        return r < 0 ? r : 1;
    }
    return say(out, "-ERR unknown command, or a wrong number of arguments\r\n");
}

/* Parses a command. Most commands lie in one chunk and are read in place. One that spans chunks is joined first. */
static int answer(leat_stream *in, leat_stream *out)
{
    struct command command;
    struct leat_view view;
    while (!leat_stream_paused(out)) {
        int r = leat_stream_peek_piece(in, &view);
        if (r < 0 || !view.data)
            return r;
        ssize_t used = read_command(&view, &command);
        size_t all = leat_stream_length(in);
        struct leat_view joined = {NULL, 0, NULL};
        if (used == 0 && all > view.length) {
            r = leat_stream_peek(in, all, &joined);
            if (r == 0)
                r = leat_view_join(&joined);
            used = r < 0 ? r : read_command(&joined, &command);
        }
        r = used > 0 ? obey(&command, out) : (int)used;
        leat_view_release(&joined);
        if (used == 0)
            return leat_stream_peek(in, all + 1, &joined); /* tells the stream that more bytes are needed */
        if (r != 0)
            return r < 0 ? -ECANCELED : 0;
        leat_stream_skip(in, (size_t)used);
    }
    return -EAGAIN;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: redis_server PORT\n");
        return 2;
    }
    int r = server_run(argv[1], MEMORY, answer);
    for (size_t i = 0; i < BUCKETS; i++)
        while (table[i]) {
            struct entry *entry = table[i];
            table[i] = entry->next;
            free(entry);
        }
    return r;
}
