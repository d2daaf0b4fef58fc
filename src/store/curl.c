/* SPDX-License-Identifier: MIT */
#include "store/curl.h"
#include "base/fd.h"
#include "base/library.h"
#include "base/loader.h"
#include <errno.h>

struct curl_library curl;

static const struct loader_symbol symbols[] = {
    {"curl_global_init", &curl.global_init},
    {"curl_version", &curl.version},
    {"curl_easy_init", &curl.easy_init},
    {"curl_easy_cleanup", &curl.easy_cleanup},
    {"curl_easy_setopt", &curl.easy_setopt},
    {"curl_easy_getinfo", &curl.easy_getinfo},
    {"curl_easy_pause", &curl.easy_pause},
    {"curl_easy_strerror", &curl.easy_strerror},
    {"curl_multi_init", &curl.multi_init},
    {"curl_multi_cleanup", &curl.multi_cleanup},
    {"curl_multi_setopt", &curl.multi_setopt},
    {"curl_multi_add_handle", &curl.multi_add_handle},
    {"curl_multi_remove_handle", &curl.multi_remove_handle},
    {"curl_multi_perform", &curl.multi_perform},
    {"curl_multi_poll", &curl.multi_poll},
    {"curl_multi_wakeup", &curl.multi_wakeup},
    {"curl_multi_info_read", &curl.multi_info_read},
    {"curl_slist_append", &curl.slist_append},
    {"curl_slist_free_all", &curl.slist_free_all},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool initialised; /* under the lock */

static int initialise(const char **ret_why)
{
    pthread_mutex_lock(&lock);
    initialised = initialised || curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    int r = initialised ? 0 : -ENOMEM;
    pthread_mutex_unlock(&lock);
    if (r < 0)
        *ret_why = "libcurl can't be initialised";
    return r;
}

static curl_socket_t open_socket(void *user UNUSED, curlsocktype purpose UNUSED, struct curl_sockaddr *address)
{
    int fd = fd_socket(address->family, address->socktype, address->protocol);
    if (fd < 0)
        errno = -fd;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

bool curl_own_sockets(CURL *easy)
{
    return curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
}

int curl_need(const char **ret_why)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", NULL};
    static struct loader loader = {
        .names = names,
        .symbols = symbols,
        .count = COUNT(symbols),
        .missing = "libcurl.so.4 is not there (package libcurl4, libcurl or the like)",
        .other = "libcurl is older than 7.68",
        .poor = "libcurl can't be loaded, for want of memory or descriptors",
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    int r = loader_need(&loader, ret_why);
    return r < 0 ? r : initialise(ret_why);
}

static const char *version(void)
{
    return LIBCURL_VERSION;
}

const struct library library_curl = {"libcurl", "Stores, by http:, s3: and oci:", version, true};
