/* SPDX-License-Identifier: MIT */
#include "servers.h"

#define HEADERS_MAX 64

/* Adds a header. The option may be given several times, once for each header. */
static int add_header(struct leat_endpoint_options *options, const char *command, const char *text)
{
    static const char *headers[HEADERS_MAX + 1];
    size_t n = 0;
    while (headers[n])
        n++;
    if (n == HEADERS_MAX)
        return cli_usage(command, "--header: there may be %d, not more", HEADERS_MAX);
    headers[n] = text;
    options->headers = headers;
    return 0;
}

int servers_set(struct leat_endpoint_options *options, const char *command, int option, const char *value)
{
    switch (option) {
    case OPTION_CACERT:
        options->cacert = value;
        return 0;
    case OPTION_CERT:
        options->cert = value;
        return 0;
    case OPTION_KEY:
        options->key = value;
        return 0;
    case OPTION_HEADER:
        return add_header(options, command, value);
    case OPTION_NETRC:
        options->netrc = 1;
        return 0;
    case OPTION_NETRC_FILE:
        options->netrc_file = value;
        return 0;
    default:
        return -1;
    }
}
