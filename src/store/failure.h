/* SPDX-License-Identifier: MIT */
/* Translates a failure of libcurl into an errno, an advice and a sentence. */
#ifndef STORE_FAILURE_H
#define STORE_FAILURE_H

#include "store/curl.h"
#include <leat/base.h>

struct failure {
    int code; /* a negative errno */
    enum leat_advice advice;
    char sentence[CURL_ERROR_SIZE];
};

/* Fills in *ret. `url` is that of the request. `said` is what libcurl wrote into its error buffer, or "". */
void failure_read(struct failure *ret, CURL *easy, CURLcode result, const char *said, const char *url);

#endif
