/* SPDX-License-Identifier: MIT */
/* Any bytes as a manifest or an index: it is refused with a sentence, or each of its parts has a digest that a file may
 * be called, and the platform that is chosen is one of them. */
// instrumented: image/document store/oci/reference
#include "image/document.h"
#include "store/oci/reference.h"

static void check_parts(const struct document *document)
{
    struct platform_name platform;
    struct descriptor part;
    int r = 0;
    for (size_t i = 0; (r = document_part(document, i, &part)) != -ENOENT && i < 10000; i++)
        if (r == 0 && (!oci_digest_is_valid(part.digest) || part.size > INT64_MAX || strpbrk(part.type, " \r\n\"")))
            abort();
    if (platform_parse(&platform, "linux/amd64") < 0)
        abort();
    if (document_choose(document, &platform, &part) == 0 && !oci_digest_is_valid(part.digest))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct document document;
    struct descriptor self = {.size = n};
    struct platform_name platform;
    const char *why = NULL;
    char *copy = malloc(n + 1);
    if (!copy)
        return 0;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    if (strlen(copy) < 300)
        platform_parse(&platform, copy);
    if (document_read(&document, copy, n, &self, &why) < 0) {
        if (!why)
            abort();
        return 0;
    }
    check_parts(&document);
    document_clear(&document);
    return 0;
}
