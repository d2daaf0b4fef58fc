/* SPDX-License-Identifier: MIT */
/* libcurl. It is loaded when the first endpoint of a store is opened: loading takes 5 to 9 ms and 11 MB, which a copy
 * between files should not pay. Only the types come from its header. */
#ifndef STORE_CURL_H
#define STORE_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

/* The functions, named as in their manual pages but without "curl_". Valid after curl_need has returned 0. */
struct curl_library {
    CURLcode (*global_init)(long flags);
    char *(*version)(void);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    CURLcode (*easy_pause)(CURL *, int);
    const char *(*easy_strerror)(CURLcode);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *);
    CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
    CURLMcode (*multi_add_handle)(CURLM *, CURL *);
    CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
    CURLMcode (*multi_wakeup)(CURLM *);
    CURLMsg *(*multi_info_read)(CURLM *, int *);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

extern struct curl_library curl;

/* Loads and initialises libcurl. Returns what loader_need returns; -ENOMEM also means that libcurl failed to
 * initialise. */
int curl_need(const char **ret_why);

/* Makes the connections of a handle use sockets of fd_socket. libcurl's own are not close-on-exec, so a child would get
 * them, and may have the number of a standard descriptor. False: there is no memory. */
bool curl_own_sockets(CURL *easy);

#endif
