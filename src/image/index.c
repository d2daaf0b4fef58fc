/* SPDX-License-Identifier: MIT */
#include "image/index.h"
#include "base/error.h"
#include "base/json.h"
#include <errno.h>
#include <stdio.h>

#define TAG_KEY "org.opencontainers.image.ref.name"

int index_read(const char *bytes, size_t n, const char *where, json_t **ret, struct leat_error *error)
{
    json_t *json = NULL;
    if (json_read(&json, bytes, n) == -ENOMEM)
        return error_set(error, -ENOMEM, "out of memory");
    if (!json_is_array(json_object_get(json, "manifests"))) {
        json_decref(json);
        return error_set(error, -EBADMSG, "%.100s/index.json is no index of images", where);
    }
    *ret = json;
    return 0;
}

const char *index_tag(json_t *entry)
{
    return json_string_value(json_object_get(json_object_get(entry, "annotations"), TAG_KEY));
}

int index_find(json_t *index, const char *tag, const char *where, const char *form, struct descriptor *ret_self,
               struct leat_error *error)
{
    json_t *entry, *found = NULL;
    size_t i, matches = 0;
    json_array_foreach(json_object_get(index, "manifests"), i, entry)
    {
        const char *had = index_tag(entry);
        if (tag && (!had || strcmp(had, tag) != 0))
            continue;
        matches++;
        found = entry;
    }
    if (matches == 0)
        return error_set(error, -ENOENT, "%.60s has no image%s%.80s", where, tag ? " named " : "", tag ? tag : "");
    if (matches > 1)
        return error_set(error, -EINVAL, "%.60s has %zu images%s: say which, %s", where, matches,
                         tag ? " of this name" : "", form);
    if (descriptor_read(ret_self, found) < 0)
        return error_set(error, -EBADMSG, "%.100s/index.json names an image without a digest and a size", where);
    return 0;
}

static json_t *new_entry(const struct descriptor *top, const char *tag)
{
    json_t *entry = json_object();
    json_set(&entry, "mediaType", json_string(top->type));
    json_set(&entry, "digest", json_string(top->digest));
    json_set(&entry, "size", json_integer((json_int_t)top->size));
    if (tag) {
        json_t *annotations = json_object();
        json_set(&annotations, TAG_KEY, json_string(tag));
        json_set(&entry, "annotations", annotations);
    }
    return entry;
}

/* A new entry replaces the entry with its tag. If it has no tag, it replaces the entry of the same image without a
 * tag. */
static bool is_replaced(json_t *entry, const struct descriptor *top, const char *tag)
{
    const char *had = index_tag(entry), *digest = json_string_value(json_object_get(entry, "digest"));
    if (tag)
        return had && strcmp(had, tag) == 0;
    return !had && digest && strcmp(digest, top->digest) == 0;
}

json_t *index_with(json_t *old, const struct descriptor *top, const char *tag)
{
    json_t *index = old ? json_copy(old) : json_object(), *list = json_array(), *entry;
    size_t i;
    json_array_foreach(json_object_get(old, "manifests"), i, entry) if (!is_replaced(entry, top, tag))
        json_append(&list, json_incref(entry));
    json_append(&list, new_entry(top, tag));
    if (!old) {
        json_set(&index, "schemaVersion", json_integer(2));
        json_set(&index, "mediaType", json_string("application/vnd.oci.image.index.v1+json"));
    }
    json_set(&index, "manifests", list);
    return index;
}

int index_split(const char *text, char **ret_name, char **ret_tag)
{
    size_t n = strcspn(text, ":");
    if (n == 0 || (text[n] && !text[n + 1]))
        return -EINVAL;
    char *name = strndup(text, n), *tag = text[n] ? strdup(text + n + 1) : NULL;
    if (!name || (text[n] && !tag)) {
        free(name);
        free(tag);
        return -ENOMEM;
    }
    *ret_name = name;
    *ret_tag = tag;
    return 0;
}
