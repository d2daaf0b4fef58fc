/* SPDX-License-Identifier: MIT */
/* Addresses: names that are looked up, or one path. */
#include "net/socket.h"
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>

static int errno_of(int code)
{
    switch (code) {
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno && errno != EAGAIN ? -errno : -EIO;
    case EAI_SERVICE:
        return -EINVAL;
    default:
        return -EHOSTUNREACH;
    }
}

int addresses_find(struct addresses *addresses, struct node *node, const char *host, const char *port,
                   struct leat_error *error)
{
    struct addrinfo hints = {.ai_family = host ? AF_UNSPEC : AF_INET, .ai_socktype = SOCK_STREAM};
    if (isdigit((unsigned char)port[0]))
        hints.ai_flags |= AI_NUMERICSERV;
    errno = 0;
    int code = getaddrinfo(host ? host : "127.0.0.1", port, &hints, &addresses->first);
    if (code == 0)
        return 0;
    addresses->first = NULL;
    enum leat_side side = node->direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
    if (code == EAI_SERVICE)
        return error_at(error, -EINVAL, side, node->name, "getaddrinfo", "There is no port '%s'", port);
    return error_at(error, errno_of(code), side, node->name, "getaddrinfo", "The host '%s' can't be found: %s", host,
                    gai_strerror(code));
}

void addresses_path(struct addresses *addresses, const char *path)
{
    addresses->path.sun_family = AF_UNIX;
    strcpy(addresses->path.sun_path, path); /* parse_path has checked its length. */
    addresses->local = (struct addrinfo){.ai_family = AF_UNIX,
                                         .ai_socktype = SOCK_STREAM,
                                         .ai_addr = (struct sockaddr *)&addresses->path,
                                         .ai_addrlen = sizeof(addresses->path)};
    addresses->first = &addresses->local;
}

void addresses_free(struct addresses *addresses)
{
    if (addresses->first && addresses->first != &addresses->local)
        freeaddrinfo(addresses->first);
    addresses->first = NULL;
}
