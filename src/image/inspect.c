/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "image/image.h"
#include "image/tree.h"
#include <errno.h>

static json_t *tell_part(const struct descriptor *part)
{
    json_t *json = json_object();
    json_set(&json, "digest", json_string(part->digest));
    json_set(&json, "media_type", json_string(part->type));
    json_set(&json, "size", json_integer((json_int_t)part->size));
    return json;
}

static void set_text(json_t **json, const char *key, json_t *from, const char *name)
{
    json_t *value = json_object_get(from, name);
    json_set(json, key, json_is_string(value) ? json_incref(value) : json_null());
}

/* For a manifest in an index: its platform. */
static json_t *tell_platform(json_t *entry)
{
    json_t *platform = json_object_get(entry, "platform"), *json = json_object();
    set_text(&json, "os", platform, "os");
    set_text(&json, "architecture", platform, "architecture");
    set_text(&json, "variant", platform, "variant");
    return json;
}

static int tell_parts(const struct document *document, json_t **ret, struct leat_error *error)
{
    json_t *list = json_array(), *entries = json_object_get(document->json, "manifests");
    struct descriptor part;
    int r;
    for (size_t i = 0; (r = document_part(document, i, &part)) == 0; i++) {
        if (!document->is_index && i == 0)
            continue; /* the configuration is shown separately */
        json_t *json = tell_part(&part);
        if (document->is_index)
            json_set(&json, "platform", tell_platform(json_array_get(entries, i)));
        json_append(&list, json);
    }
    *ret = list;
    return r == -ENOENT ? 0 : error_set(error, r, "A part has no digest and size that can be taken");
}

static int tell(const struct document *document, char **ret, struct leat_error *error)
{
    json_t *parts, *json = json_object();
    struct descriptor config;
    int r = tell_parts(document, &parts, error);
    json_set(&json, "type", json_string("image"));
    json_set(&json, "digest", json_string(document->self.digest));
    json_set(&json, "media_type", json_string(document->self.type));
    json_set(&json, "size", json_integer((json_int_t)document->self.size));
    if (!document->is_index && document_part(document, 0, &config) == 0)
        json_set(&json, "config", tell_part(&config));
    json_set(&json, document->is_index ? "manifests" : "layers", parts);
    if (r < 0) {
        json_decref(json);
        return r;
    }
    *ret = json_line(json, JSON_COMPACT);
    return *ret ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int leat_image_inspect(const char *source, const struct leat_image_options *options, char **ret_json,
                       struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_image_options own;
    struct leat_endpoint_options endpoint;
    struct image_watch watch;
    struct image_place *place = NULL;
    struct document document;
    char *text = NULL;
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = image_options(&own, &endpoint, options, NULL, &error);
    watch_begin(&watch, &own);
    if (r == 0)
        r = place_open(&place, source, &watch, false, &error);
    if (r == 0)
        r = tree_top(place, &document, &error);
    if (r == 0) {
        r = tell(&document, &text, &error);
        document_clear(&document);
    }
    if (r == 0)
        *ret_json = text;
    place_free(place);
    if (error.code && error.side != LEAT_SIDE_NONE)
        error_node(&error, source);
    return error_return(ret_error, &error, r);
}
