/* SPDX-License-Identifier: MIT */
/* A layout with one image, for tests: the folder "from", with a manifest and a configuration. */
#ifndef TESTS_LAYOUT_H
#define TESTS_LAYOUT_H

#include "unit/unit.h"
#include <sys/stat.h>

#define CONFIG   "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define MANIFEST "f20c43161d73848408ef247f0ec7111b19fe58ffebc0cbcaa0d2c8bda4967268"

static inline void layout_write(const char *path, const char *text)
{
    unit_write(path, text, strlen(text));
}

static inline void layout_make(void)
{
    assert_int_equal(mkdir("from", 0777) | mkdir("from/blobs", 0777) | mkdir("from/blobs/sha256", 0777), 0);
    layout_write("from/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    layout_write("from/blobs/sha256/" CONFIG, "{}");
    layout_write("from/blobs/sha256/" MANIFEST,
                 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                 "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
                 "\"digest\":\"sha256:" CONFIG "\",\"size\":2},\"layers\":[]}");
    layout_write("from/index.json",
                 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                 "\"digest\":\"sha256:" MANIFEST "\",\"size\":246}]}");
}

#endif
