/* SPDX-License-Identifier: MIT */
/* Options for connections to the servers of stores. All commands that use stores share them. */
#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include "cli.h"

enum {
    OPTION_CACERT = 2000,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_HEADER,
    OPTION_NETRC,
    OPTION_NETRC_FILE,
};

/* Rows for getopt_long. SERVER_CERTIFICATES has the options of certificates alone, SERVER_OPTIONS has all. */
/* clang-format off */
#define SERVER_CERTIFICATES                                                                                            \
    {"cacert", required_argument, NULL, OPTION_CACERT},                                                                \
    {"cert", required_argument, NULL, OPTION_CERT},                                                                    \
    {"key", required_argument, NULL, OPTION_KEY}
#define SERVER_OPTIONS                                                                                                 \
    SERVER_CERTIFICATES,                                                                                               \
    {"header", required_argument, NULL, OPTION_HEADER},                                                                \
    {"netrc", no_argument, NULL, OPTION_NETRC},                                                                        \
    {"netrc-file", required_argument, NULL, OPTION_NETRC_FILE}
/* clang-format on */

/* The parts of a help text that describe them. Lines have at most 80 columns. */
#define SERVER_CERTIFICATES_HELP                                                                                       \
    "  --cacert FILE          certificates of the authorities that are trusted\n"                                      \
    "                         (default: the system's)\n"                                                               \
    "  --cert FILE            the client's certificate\n"                                                              \
    "  --key FILE             its private key, if it is in another file\n"
#define SERVER_LOGINS_HELP                                                                                             \
    "  --header 'NAME: VALUE' a header of each request; may be given several times\n"                                  \
    "  --netrc                users and passwords of hosts are in ~/.netrc\n"                                          \
    "  --netrc-file FILE      they are in FILE\n"

#define SERVER_OPTIONS_HELP SERVER_LOGINS_HELP SERVER_CERTIFICATES_HELP

/* Sets one of these options. Returns 0, an exit code after a message, or -1 if `option` is none of them. Call it from
 * the main thread only. */
int servers_set(struct leat_endpoint_options *options, const char *command, int option, const char *value);

#endif
