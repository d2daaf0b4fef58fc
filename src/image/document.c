/* SPDX-License-Identifier: MIT */
#include "image/document.h"
#include "base/json.h"
#include "store/oci/reference.h"
#include <stdio.h>
#include <sys/utsname.h>

static const char index_type[] = "application/vnd.oci.image.index.v1+json";
static const char manifest_type[] = "application/vnd.oci.image.manifest.v1+json";

/* Is the text a media type? It becomes a part of a header and of JSON that is written. */
static int read_type(char ret[DOCUMENT_TYPE_MAX], const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+/";
    if (!text)
        text = "";
    if (strlen(text) >= DOCUMENT_TYPE_MAX || strspn(text, letters) != strlen(text))
        return -EBADMSG;
    strcpy(ret, text);
    return 0;
}

json_t *descriptor_json(const char *type, const char *digest, uint64_t size)
{
    json_t *json = json_object();
    json_set(&json, "mediaType", json_string(type));
    json_set(&json, "digest", json_string(digest));
    json_set(&json, "size", json_integer((json_int_t)size));
    return json;
}

int descriptor_read(struct descriptor *ret, json_t *json)
{
    const char *digest = json_string_value(json_object_get(json, "digest"));
    json_t *size = json_object_get(json, "size");
    if (!digest || !oci_digest_is_valid(digest) || !json_is_integer(size) || json_integer_value(size) < 0)
        return -EBADMSG;
    snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
    ret->size = (uint64_t)json_integer_value(size);
    return read_type(ret->type, json_string_value(json_object_get(json, "mediaType")));
}

int document_read(struct document *ret, char *bytes, size_t n, const struct descriptor *self, const char **ret_why)
{
    struct document d = {.bytes = bytes, .length = n, .self = *self};
    if (json_read(&d.json, bytes, n) == -ENOMEM) {
        document_clear(&d);
        *ret_why = "out of memory";
        return -ENOMEM;
    }
    d.is_index = json_is_array(json_object_get(d.json, "manifests"));
    bool is_manifest = json_is_array(json_object_get(d.json, "layers"));
    char type[DOCUMENT_TYPE_MAX];
    int r = read_type(type, json_string_value(json_object_get(d.json, "mediaType")));
    *ret_why = "it is neither a manifest nor an index";
    if (r < 0 || json_integer_value(json_object_get(d.json, "schemaVersion")) != 2 || d.is_index == is_manifest) {
        if (json_integer_value(json_object_get(d.json, "schemaVersion")) == 1)
            *ret_why = "it is a manifest of the old version 1";
        document_clear(&d);
        return -EBADMSG;
    }
    const char *known = type[0] ? type : d.is_index ? index_type : manifest_type;
    if (!d.self.type[0])
        snprintf(d.self.type, sizeof(d.self.type), "%s", known);
    *ret = d;
    return 0;
}

void document_clear(struct document *document)
{
    free(document->bytes);
    json_decref(document->json);
    *document = (struct document){0};
}

int document_part(const struct document *document, size_t index, struct descriptor *ret)
{
    json_t *json;
    if (document->is_index)
        json = json_array_get(json_object_get(document->json, "manifests"), index);
    else if (index == 0)
        json = json_object_get(document->json, "config");
    else
        json = json_array_get(json_object_get(document->json, "layers"), index - 1);
    if (json)
        return descriptor_read(ret, json);
    return index == 0 && !document->is_index ? -EBADMSG : -ENOENT; /* a manifest has a configuration */
}

/* ---- platforms ---- */

/* The names of machines: those of uname(2), and those of images. */
static const char *const machines[][3] = {
    {"x86_64", "amd64", ""},    {"i686", "386", ""},           {"i386", "386", ""},        {"aarch64", "arm64", ""},
    {"armv7l", "arm", "v7"},    {"armv6l", "arm", "v6"},       {"ppc64le", "ppc64le", ""}, {"s390x", "s390x", ""},
    {"riscv64", "riscv64", ""}, {"loongarch64", "loong64", ""}};

static void this_machine(struct platform_name *ret)
{
    struct utsname name;
    *ret = (struct platform_name){.os = "linux", .architecture = "amd64"};
    if (uname(&name) < 0)
        return;
    snprintf(ret->architecture, sizeof(ret->architecture), "%.63s", name.machine);
    for (size_t i = 0; i < COUNT(machines); i++)
        if (strcmp(machines[i][0], name.machine) == 0) {
            strcpy(ret->architecture, machines[i][1]);
            strcpy(ret->variant, machines[i][2]);
        }
}

/* Reads one word, up to a slash. */
static const char *read_word(const char *at, char ret[64])
{
    size_t n = strcspn(at, "/");
    if (n == 0 || n >= 64)
        return NULL;
    snprintf(ret, 64, "%.*s", (int)n, at);
    return at + n;
}

int platform_parse(struct platform_name *ret, const char *text)
{
    *ret = (struct platform_name){.os = ""};
    if (!text) {
        this_machine(ret);
        return 0;
    }
    const char *at = read_word(text, ret->os);
    at = at && *at == '/' ? read_word(at + 1, ret->architecture) : NULL;
    if (at && *at == '/')
        at = read_word(at + 1, ret->variant);
    return at && *at == '\0' ? 0 : -EINVAL;
}

static bool is_same(json_t *platform, const char *key, const char *wanted)
{
    const char *value = json_string_value(json_object_get(platform, key));
    return strcmp(value ? value : "", wanted) == 0;
}

int document_choose(const struct document *index, const struct platform_name *platform, struct descriptor *ret)
{
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(index->json, "manifests"), i, entry)
    {
        json_t *said = json_object_get(entry, "platform");
        if (is_same(said, "os", platform->os) && is_same(said, "architecture", platform->architecture) &&
            (!platform->variant[0] || is_same(said, "variant", platform->variant)))
            return descriptor_read(ret, entry);
    }
    return -ENOENT;
}
