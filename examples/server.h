/* SPDX-License-Identifier: MIT */
/* The common part of the example servers: one thread, epoll, a connection for each client. The memory of all
 * connections comes from one pool, whose limit is the limit of the server. If a client does not read, the server does
 * not read from it. If a client leaves, the server drops it. SIGTERM ends the server, which then prints the most memory
 * that it used. */
#ifndef EXAMPLES_SERVER_H
#define EXAMPLES_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <leat/leat.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Processes the bytes of `in` and appends answers to `out`. Returns -EAGAIN if it needs more bytes or more room, and 0
 * if the client said goodbye or everything was read. After any other result the server drops the client. */
typedef int (*server_answer)(leat_stream *in, leat_stream *out);

struct client {
    leat_connection *connection;
    short events;
    struct client *next, **self; /* in the list of all clients */
};

struct server {
    int listener, epoll;
    leat_pool *pool;
    server_answer answer;
    struct client *first;
    unsigned long clients; /* number of clients so far */
};

static volatile sig_atomic_t server_stopped;

static void server_stop(int signal_number)
{
    server_stopped = signal_number;
}

static int server_listen(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return -errno;
    printf("listening on port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void client_close(struct client *client)
{
    leat_connection_close(client->connection);
    *client->self = client->next;
    if (client->next)
        client->next->self = client->self;
    free(client);
}

/* Tells epoll which events the connection waits for now. */
static int client_watch(struct server *server, struct client *client, int operation)
{
    struct epoll_event event = {.data.ptr = client};
    short events;
    int fd;
    leat_connection_events(client->connection, &fd, &events);
    if (operation == EPOLL_CTL_MOD && events == client->events)
        return 0;
    client->events = events;
    event.events = (uint32_t)events; /* POLLIN and POLLOUT have the same numbers */
    return epoll_ctl(server->epoll, operation, fd, &event) < 0 ? -errno : 0;
}

/* Serves a client. Returns 0 as long as there is something to wait for. */
static int client_serve(struct server *server, struct client *client)
{
    leat_stream *in = leat_connection_input(client->connection), *out = leat_connection_output(client->connection);
    int r, full, flushed;
    if (leat_connection_fill(client->connection, NULL) == -ENOMEM)
        return -ECANCELED; /* the stream tells any other failure */
    do {
        r = server->answer(in, out);
        full = leat_stream_paused(out);
        if (r == 0 && !leat_stream_ended(out))
            leat_stream_finish(out, 0);
        flushed = leat_connection_flush(client->connection);
    } while (r == -EAGAIN && full && flushed == 0); /* then there is room again */
    if ((r < 0 && r != -EAGAIN) || (flushed < 0 && flushed != -EAGAIN) || (r == 0 && flushed == 0))
        return -ECANCELED;
    return client_watch(server, client, EPOLL_CTL_MOD);
}

static void server_accept(struct server *server)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    int fd = accept(server->listener, NULL, NULL);
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof(*client));
    if (!client) {
        if (fd >= 0)
            close(fd);
        return;
    }
    options.pool = server->pool;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (leat_connection_from_fd(&client->connection, fd, LEAT_TAKE, &options, NULL) < 0) {
        free(client);
        return;
    }
    client->next = server->first;
    client->self = &server->first;
    if (client->next)
        client->next->self = &client->next;
    server->first = client;
    server->clients++;
    if (client_watch(server, client, EPOLL_CTL_ADD) < 0)
        client_close(client);
}

static void server_loop(struct server *server)
{
    struct epoll_event event[64];
    while (!server_stopped) {
        int n = epoll_wait(server->epoll, event, 64, -1);
        for (int i = 0; i < n; i++)
            if (!event[i].data.ptr)
                server_accept(server);
            else if (client_serve(server, event[i].data.ptr) < 0)
                client_close(event[i].data.ptr);
    }
}

static int server_run(const char *port, uint64_t memory, server_answer answer)
{
    struct server server = {.answer = answer, .epoll = epoll_create1(0)};
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    struct leat_pool_usage stats = LEAT_INIT(struct leat_pool_usage);
    struct epoll_event event = {.events = EPOLLIN};
    struct sigaction action = {.sa_handler = server_stop};
    sigaction(SIGTERM, &action, NULL);
    options.memory_limit = memory;
    int r = leat_pool_new(&server.pool, &options, NULL);
    if (r == 0)
        r = server.listener = server_listen(port);
    if (r < 0 || epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event) < 0) {
        fprintf(stderr, "port %s: %s\n", port, strerror(r < 0 ? -r : errno));
        return 1;
    }
    server_loop(&server);
    for (struct client *client = server.first, *next; client; client = next) {
        next = client->next;
        leat_connection_close(client->connection);
        free(client);
    }
    leat_pool_stats(server.pool, &stats);
    printf("%lu clients, at most %llu bytes\n", server.clients, (unsigned long long)stats.most);
    leat_pool_free(server.pool);
    close(server.listener);
    close(server.epoll);
    return 0;
}

#endif
