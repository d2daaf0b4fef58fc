/* SPDX-License-Identifier: MIT */
#include "store/client.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/keep.h"
#include "base/origin.h"
#include "store/transfer.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

int client_join(struct client *client, struct node *node, const char **ret_why)
{
    int r = transfers_get(ret_why);
    client->open = r == 0;
    client->origin = origin_here();
    if (r == 0) {
        keep_add(node->keep, transfers_get, transfers_put);
        port_attach(&node->port, node->waker);
    }
    return r;
}

int client_open(struct client *client, struct node *node, const char **ret_why)
{
    int r = client_join(client, node, ret_why);
    if (r == 0)
        r = fd_pipe(client->notice);
    if (r == 0)
        port_init(&node->port, client->notice[0], POLLIN);
    return r;
}

bool client_is_here(const struct client *client)
{
    return client->open && origin_is_here(client->origin);
}

void client_close(struct client *client, struct port *port)
{
    if (client_is_here(client))
        transfers_put();
    client->open = false;
    for (size_t i = 0; i < 2; i++)
        client->notice[i] = fd_close(client->notice[i]);
    port->fd = -1;
    port_attach(port, NULL); /* the loop may end before the node is freed */
}

void client_notify(const struct client *client)
{
    fd_wake(client->notice[1]);
}

void client_drop_notices(const struct client *client)
{
    char bytes[64];
    while (read(client->notice[0], bytes, sizeof(bytes)) == sizeof(bytes))
        ;
}

bool client_wait(const struct client *client, int64_t end_ns)
{
    int64_t left = end_ns - clock_ns();
    if (left <= 0)
        return false;
    struct pollfd fd = {.fd = client->notice[0], .events = POLLIN};
    poll(&fd, 1, (int)MIN(left / 1000000 + 1, 1000000));
    return true;
}

int client_wait_later(struct node *node, struct leat_error *failure, const char *operation)
{
    int64_t now = clock_ns();
    if (node->idle_ns && !node->deadline_ns)
        node->deadline_ns = now + node->idle_ns;
    if (node->deadline_ns && now >= node->deadline_ns) {
        error_advise(failure, LEAT_ADVICE_IDLE_TIMEOUT);
        error_at(failure, -ETIMEDOUT, LEAT_SIDE_SINK, node->name, operation, "no answer in the time that is allowed");
        return 0;
    }
    node->port.blocked = true;
    return -EAGAIN;
}
