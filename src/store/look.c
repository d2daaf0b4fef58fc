/* What a store says of an object that a sink writes: whether it is there, and whether it is what was sent. */
#include "store/sink.h"
#include <errno.h>
#include <stdio.h>

/* An ETag without its quotes. */
static void strip(const char *etag, char ret[ETAG_MAX])
{
    size_t n = strlen(etag);
    bool quoted = n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
    snprintf(ret, ETAG_MAX, "%.*s", (int)(quoted ? n - 2 : n), quoted ? etag + 1 : etag);
}

static bool is_md5(const char *text)
{
    return strspn(text, "0123456789abcdef") == 32 && (text[32] == '\0' || text[32] == '-');
}

/* A store that says the SHA-256 has compared it. */
static const char *check_sha256(const struct part *part, const struct sent_digest *sent)
{
    char hex[2 * DIGEST_BYTES_MAX + 1] = "";
    for (size_t i = 0; i < sent->n; i++)
        snprintf(hex + 2 * i, 3, "%02x", sent->bytes[i]);
    return strcmp(hex, part->sha256) == 0 ? NULL : "the store has other bytes than were sent, by their SHA-256";
}

bool sink_wants_md5(const struct answer *answer)
{
    char etag[ETAG_MAX];
    strip(answer->etag, etag);
    return !digests_find(&answer->digests, "x-amz-checksum-sha256") && !answer->digests.is_encrypted && is_md5(etag) &&
           etag[32] == '\0';
}

const char *sink_check_part(struct part *part, const struct answer *answer)
{
    char etag[ETAG_MAX];
    const struct sent_digest *sent = digests_find(&answer->digests, "x-amz-checksum-sha256");
    if (sent)
        return check_sha256(part, sent);
    int r = sink_wants_md5(answer) ? part_md5(part) : 0;
    if (r < 0)
        return "the bytes that were sent can't be read again, to compare their MD5";
    strip(answer->etag, etag);
    return r == 1 && strcmp(etag, part->md5) != 0 ? "the store has other bytes than were sent, by their MD5" : NULL;
}

static int make_head(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return s->object->store->head(s->object, ret);
}

/* Without the right to list, S3 says 403 of an object that does not exist. */
void look_take(struct sink *s)
{
    const struct exchange *x = &s->control;
    if (exchange_has_succeeded(x)) {
        error_advise(&s->failure, LEAT_ADVICE_REPLACE);
        sink_fail(s, -EEXIST, "HEAD", "The object exists already");
    } else if (x->code < 0 || (x->answer.status != 404 && x->answer.status != 410 && x->answer.status != 403))
        sink_fail_by(s, x, "HEAD");
    sink_end(s, &s->control);
    s->control_step = CONTROL_NONE;
}

void look_start(struct sink *s)
{
    s->control_step = CONTROL_LOOKING;
    sink_start(s, &s->control, make_head, s);
}

void verify_ask(struct sink *s)
{
    sink_start(s, &s->control, make_head, s);
}

int verify_object(struct sink *s, const char *etag)
{
    char found[ETAG_MAX];
    const struct answer answer = s->control.answer;
    int code = s->control.code;
    bool succeeded = exchange_has_succeeded(&s->control);
    sink_end(s, &s->control);
    if (!succeeded)
        return code < 0 ? -EIO : answer.status == 404 ? -ENOENT : -EACCES;
    strip(answer.etag, found);
    if (answer.has_length && answer.length != s->total)
        return -EBADMSG;
    if (!etag[0] || !is_md5(found) || answer.digests.is_encrypted)
        return s->is_made ? 0 : -ENODATA;
    return strcmp(found, etag) == 0 ? 0 : -EBADMSG;
}
