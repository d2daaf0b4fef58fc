/* SPDX-License-Identifier: MIT */
/* The name of an object is taken literally: the key is everything after BUCKET/, without decoding. Only
 * "?versionId=..." at its end is not part of the key. */
#include "store/s3/s3.h"
#include "base/quote.h"
#include "store/s3/object.h"
#include "store/s3/sign.h"
#include <errno.h>
#include <strings.h>

int s3_request(const struct s3_object *o, const char *method, const char *query, const char *payload,
               struct http_request *ret)
{
    int r = s3_extra_add(&o->extra, false, ret);
    return r < 0 ? r : s3_place_request(&o->place, method, o->path, query, payload, ret);
}

static int s3_read(const struct object *object, struct http_request *ret)
{
    const struct s3_object *o = (const struct s3_object *)object;
    int r = request_header(ret, "x-amz-checksum-mode: ENABLED");
    return r < 0 ? r : s3_request(o, "GET", o->query, SIGN_EMPTY, ret);
}

static void s3_explain(const struct object *object, const char *body, size_t n, char *ret, size_t capacity)
{
    s3_place_explain(&((const struct s3_object *)object)->place, body, n, ret, capacity);
}

static bool s3_is_passing(const struct object *object, int status, int64_t date_s, const char *body, size_t n)
{
    return s3_place_is_passing(&((const struct s3_object *)object)->place, status, date_s, body, n);
}

static void s3_free(struct object *object)
{
    struct s3_object *o = (struct s3_object *)object;
    if (!o->is_of_bucket)
        s3_place_clear(&o->place);
    s3_extra_clear(&o->extra);
    free(o->path);
    free(o->query);
    free(o);
}

static const struct store s3_store = {
    .name = "s3",
    .etag_is_md5 = true,
    .read = s3_read,
    .explain = s3_explain,
    .free = s3_free,
    .head = s3_head,
    .put = s3_put,
    .is_passing = s3_is_passing,
    .multipart = &s3_multipart,
};

/* The checksum that the store keeps with an object, by its name in the options. */
static int choose_checksum(const struct crc_kind **ret, const char *name, struct leat_error *error)
{
    static const char *const names[] = {"crc32", "crc32c", "crc64nvme"};
    if (!name || strcasecmp(name, "sha256") == 0)
        return 0;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0) {
            *ret = crc_find(names[i]);
            return 0;
        }
    return error_set(error, -EINVAL, "There is no checksum '%s' of objects: known are sha256, crc32, crc32c, crc64nvme",
                     name);
}

static int complete(struct s3_object *o, const char *spec, enum leat_direction direction,
                    const struct leat_endpoint_options *options, struct leat_error *error)
{
    int r = o->path && o->query ? 0 : error_set(error, -ENOMEM, "out of memory");
    if (r == 0)
        r = s3_extra_read(&o->extra, options, error);
    if (r == 0)
        r = choose_checksum(&o->object.crc_kind, options->checksum, error);
    if (r == 0)
        r = s3_place_check_key(&o->place, &o->extra, error);
    if (r == 0 && direction == LEAT_WRITE && o->query[0])
        r = error_set(error, -EINVAL, "'%s' names a version, which the store chooses itself", spec);
    return r;
}

struct s3_object *s3_object_new(const struct s3_place *place)
{
    struct s3_object *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->object.store = &s3_store;
    if (place) {
        o->place = *place;
        o->place.extra.count = 0; /* the object has them itself */
        o->is_of_bucket = true;
        o->object.settings = http_settings_ref(place->settings);
    }
    return o;
}

int s3_object_endpoint(struct s3_object *o, const char *spec, enum leat_direction direction,
                       const struct leat_endpoint_options *options, leat_endpoint **ret, struct leat_error *error)
{
    int r = complete(o, spec, direction, options, error);
    if (r < 0) {
        object_free(&o->object);
        return r;
    }
    return direction == LEAT_WRITE ? store_sink(ret, spec, &o->object, options, error)
                                   : store_source(ret, spec, &o->object, options, error);
}

int s3_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct s3_name name;
    struct s3_object *o = s3_object_new(NULL);
    if (!o)
        return error_set(error, -ENOMEM, "out of memory");
    int r = 0;
    if (s3_name_split(&name, rest) < 0 || !name.key_length)
        r = error_set(error, -EINVAL, "'%s' names no object: write s3://BUCKET/KEY", quote_without_login(spec));
    if (r == 0)
        r = s3_place_find(&o->place, &name, error);
    if (r < 0) {
        object_free(&o->object);
        return r;
    }
    o->path = s3_place_path(&o->place, name.key, name.key_length);
    o->query = s3_name_query(&name);
    return s3_object_endpoint(o, spec, direction, options, ret, error);
}
