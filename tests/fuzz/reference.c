/* SPDX-License-Identifier: MIT */
/* Any bytes as a name in a registry, as a challenge and as a file of logins: a name that is taken has the parts that it
 * is written from, a digest is what a file may be called, and nothing is read behind the end. */
// instrumented: store/oci/reference store/oci/challenge store/oci/login store/base64
#include "store/oci/reference.h"
#include "store/oci/challenge.h"
#include "store/oci/login.h"
#include <stdio.h>

static void check_reference(const char *text)
{
    struct reference r;
    const char *why = NULL;
    char again[700];
    if (reference_parse(&r, text, &why) < 0) {
        if (!why)
            abort();
        return;
    }
    snprintf(again, sizeof(again), "%s/%s%s%s%s%s", r.host, r.name, r.tag ? ":" : "", r.tag ? r.tag : "",
             r.digest[0] ? "@" : "", r.digest);
    if (strcmp(again, text) != 0 || strstr(r.name, "..") || (r.digest[0] && strchr(r.digest, '/')))
        abort();
    reference_is_loopback(&r);
    reference_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct challenge challenge;
    struct login login = {0};
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    check_reference(text);
    challenge_parse(&challenge, text);
    login_read(&login, text, n, "h.org", "a/b");
    login_clear(&login);
    free(text);
    return 0;
}
