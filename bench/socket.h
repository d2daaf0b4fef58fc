/* SPDX-License-Identifier: MIT */
/* Loopback addresses in the form of the benchmark: unix:PATH or tcp:127.0.0.1:PORT. */
#ifndef BENCH_SOCKET_H
#define BENCH_SOCKET_H

#include "tool.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct tool_address {
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in inet;
    } at;
    socklen_t size;
};

/* Parses the address and makes a socket of its kind. -1: the text is no address. */
static inline int tool_socket(const char *text, struct tool_address *ret)
{
    memset(ret, 0, sizeof(*ret));
    const char *port = strrchr(text, ':');
    if (strncmp(text, "unix:", 5) == 0) {
        ret->at.local.sun_family = AF_UNIX;
        snprintf(ret->at.local.sun_path, sizeof(ret->at.local.sun_path), "%s", text + 5);
        ret->size = sizeof(ret->at.local);
    } else if (strncmp(text, "tcp:", 4) == 0 && port) {
        ret->at.inet.sin_family = AF_INET;
        ret->at.inet.sin_port = htons((uint16_t)tool_number(port + 1));
        ret->at.inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ret->size = sizeof(ret->at.inet);
    } else
        return -1;
    int fd = socket(ret->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        tool_fail("socket");
    return fd;
}

#endif
