/* leat/endpoint.h: where bytes come from and where they go.
 *
 * Opening an endpoint only resolves it: it looks at what is there and what that may allow. Nothing is created,
 * truncated or connected before a pipeline runs. A path may be held meanwhile by up to two descriptors, which have no
 * effect on what it leads to (O_PATH). An endpoint serves one pipeline, once.
 *
 * A spec is a path, or a scheme and what belongs to it. `[a-z][a-z0-9+-]*:` at the start is always a scheme and an
 * unknown one is an error; write `./odd:name` for such a path.
 *
 *   PATH, file:PATH   a file, FIFO, terminal or device. /dev/stdin, /dev/stdout, /dev/stderr, /dev/fd/N and
 *                     /proc/self/fd/N mean the descriptor itself, as fd:N.
 *   -                 standard input of a source, standard output of a sink
 *   fd:N              descriptor N of this process, borrowed. A regular file is used from its current offset,
 *                     and that offset is left where the delivered bytes end.
 *   null:             nothing to read, or everything swallowed
 *   zero:             zero bytes without end (give a length)
 *   tcp:HOST:PORT     connects; HOST is a name or an address, an IPv6 address in brackets: tcp:[::1]:9000
 *   tcp-listen:[HOST:]PORT   takes one peer, on 127.0.0.1 where no host is named (0.0.0.0 or [::]: on every address)
 *   unix:PATH         connects to the stream socket at PATH
 *   unix-listen:PATH  takes one peer there. A socket at PATH that nobody listens on is replaced, anything else is left
 *                     alone (-EADDRINUSE). PATH is removed when the peer has come, or when none does.
 *   channel:N         an end of a leat/channel.h whose exported descriptors are N and those that follow it; where they
 *                     do not follow each other, channel:N,M,... names each. A source yields the bytes of the messages;
 *                     a sink makes messages of the stream. A sink that fails leaves as if it had died, so that its
 *                     receivers are not told of an end.
 *   exec:COMMAND      a child process, /bin/sh -c COMMAND: its standard output is a source, its standard input a sink
 *   http://HOST/PATH, https://HOST/PATH   what a GET of this URL gives; a sink is put there. Redirects are followed.
 *   s3://BUCKET/KEY[?versionId=VERSION]   an object in S3, or in a store that speaks its protocol. The key is taken as
 *                     it is, without decoding.
 *   oci://HOST/NAME@DIGEST   a blob in a registry of images, by its digest (sha256: or sha512:). Of a source the
 *                     pipeline expects that digest, as by `expect` of its options, so it takes no offset and no length
 *                     (-EINVAL); of a sink the registry compares it when the run commits (-EBADMSG).
 *
 * A sink that names a regular file, or nothing yet, is *published*: written without a name in the same directory,
 * and put in the place of the old file when everything, digests included, was right. Until then, and for good after
 * any failure, the old file is untouched. Symbolic links are followed to their target. A new file has the source's
 * mode under the umask. An existing target keeps its mode, owner, access control list, extended attributes, security
 * label, capabilities and flags of chattr(1); what a new file can't have is refused before a byte moves (error->text
 * names it), unless `drop_attributes` is set. Set-user-ID and set-group-ID are not kept. A target without write
 * permission is refused unless `force` is set (-EACCES). A name that is taken by another file while the pipeline runs
 * is left to that file (-EEXIST). What is no plain name is written in place, and so is a file of procfs, sysfs and the
 * like. A target with several hard links, or that is a mount point, can't be replaced and is refused; `in_place` writes
 * through it. Closing is part of it: what close(2) would say of a regular file or device is known before it is
 * published. So a pipeline closes a duplicate of a descriptor that it writes to, if that is on a network file system,
 * FUSE or overlayfs, and the process loses its fcntl(2) locks of that file.
 *
 * A socket is connected when the pipeline runs, the source first. Looking a name up may block, nothing else does. When
 * all was delivered and verified the writing direction is shut down, so that the peer reads the end; "done" means that
 * the kernel has taken every byte and the end, not that the peer has read them: only the peer can tell that. A pipeline
 * that fails or is cancelled *resets* its TCP connections, so that a peer never takes what it got for the whole. Where
 * that can't be done the peer sees an ordinary end: on a Unix socket, which has no reset; on a borrowed descriptor; and
 * on TCP when the whole process is killed, because then the kernel closes. Verify a digest where that matters.
 *
 * Objects of http:, https:, s3: and oci: are read by libcurl, which is loaded when the pipeline runs (-ELIBACC without
 * it), on a thread of its own. What waits for the pipeline counts towards its memory limit, of which it takes up to
 * three quarters; when that is used the transfer pauses. libcurl has up to 512 KiB for each connection beside that.
 * With `streams` several connections read parts of the object, which go into the pipeline in order: the server has to
 * say the size, a strong ETag and, where the number is found by measurement, that it has ranges; else there is one. A
 * connection that gives no byte for 30 s, or for half of `idle_timeout_ms`, is replaced, once the object was answered.
 * Digests of the whole object that the server sends (Repr-Digest, Content-Digest, Content-MD5, x-amz-checksum-sha256,
 * -sha1, -crc32, -crc32c, -crc64nvme, and of s3: an ETag that is an MD5, if there is no other) are compared when the
 * object was read to its end; a difference is -EBADMSG, operation "verify", and nothing is published. A connection that
 * breaks is made again from the byte where it broke, of the same version of the object: the server has to give it a
 * strong ETag and to answer ranges, else the run fails. An object that was replaced meanwhile is -ESTALE. A request
 * that failed is repeated after 0.1 s, then after twice as long each time, up to 20 s, with a random part, or after
 * what Retry-After says if that is more; after so many repetitions without a byte as `retries` says, or if the server
 * asks for more than two minutes, the run fails. A server that has never answered is not asked again if it can't be
 * reached, and connecting takes 30 s at most. Proxies are those of http_proxy, https_proxy, all_proxy and no_proxy, as
 * libcurl reads them; one that refuses a login or a tunnel is -EACCES. A failure of TLS is final (-EPROTO). A server
 * with TLS has to have a certificate for its name by an authority that is trusted: those of `cacert`, else those of the
 * file that CURL_CA_BUNDLE names, else those of SSL_CERT_FILE and SSL_CERT_DIR, else the system's. A body without a
 * length is whole if the server says that the connection ends (close_notify); if it does not, the connection was cut
 * (-ECONNRESET). The error's operation is "GET"; 401 and 403 are -EACCES, 404 and 410 are -ENOENT, 412 is -ESTALE, 408
 * and 504 are -ETIMEDOUT, 429 and 503 are -EBUSY, other statuses -EPROTO. An s3: request is signed (AWS Signature
 * Version 4) with the keys of the first source that has some, all of which are asked when the endpoint is opened, which
 * may block: the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN); the profile AWS_PROFILE
 * (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and of AWS_CONFIG_FILE (~/.aws/config); its
 * credential_process, which has 60 s; the endpoint of containers (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI),
 * and that of instances, which has a second for each of three answers and is not asked where AWS_EC2_METADATA_DISABLED
 * is "true". Keys of the last three are had anew 5 minutes before their end, or once the store says that they have
 * expired; those of a profile once it says so, or does not know them. If the store says that this machine's clock is
 * wrong, requests are signed by the store's time. A source that is configured and fails is an error that names all that
 * were asked; without keys the request is not signed. AWS_REGION or AWS_DEFAULT_REGION (us-east-1), AWS_ENDPOINT_URL_S3
 * or AWS_ENDPOINT_URL go before the region and the endpoint_url of the profile. A store that such a URL names has the
 * bucket in the path, Amazon's has it in the host name, unless AWS_S3_ADDRESSING_STYLE, or that of the profile, is
 * "virtual" or "path".
 *
 * An object that is a sink appears whole at the commit, or not at all. What fits into one part is put by one request,
 * whose last byte is withheld until the commit. More goes to s3: in parts, of which 4 are kept at once: in memory
 * (beside the memory limit) if they have at most 8 MiB, else in a file without a name in TMPDIR or /var/tmp, as what is
 * more than 8 MiB for http:. Of a source that is a regular file, behind no filter that makes other bytes, nothing is
 * kept: what is sent is read there again, and compared with what was read first (-ESTALE). Each s3: request says the
 * SHA-256 of its body; ETags are compared with MD5 values, and after several parts the object's size is. Bytes that
 * differ are -EBADMSG. A failed upload is aborted, within 10 s, else the error says that one may be left. `no_clobber`
 * asks first (-EEXIST) and makes the request conditional. The commit waits until the store has answered: for
 * idle_timeout_ms, or 10 minutes; a cancel ends it, and then the object may be there, as the error says. Sinks that
 * were committed before stay. A registry of oci: is spoken to with TLS, except on loopback (localhost, 127.0.0.0/8,
 * [::1]), where TLS is used only if the registry answers a request without it by 400. If the registry wants a password
 * or a token, the login is read when the endpoint is opened: from the file that REGISTRY_AUTH_FILE names, or else from
 * containers/auth.json of XDG_RUNTIME_DIR, of XDG_CONFIG_HOME
 * (~/.config), or config.json of DOCKER_CONFIG (~/.docker). If the file names a helper for the
 * host, the program docker-credential-HELPER is run then, and waited for, 30 seconds at most. A token that has expired
 * is replaced. A blob is sent in pieces of 4 MiB, of which two are kept beside the memory limit, each behind what the
 * registry says that it has.
 *
 * A user and a password in the URL of http: and https: (http://USER:PASSWORD@HOST/, special characters as %XX), or of
 * `netrc_file` or `netrc`, are sent by the scheme Basic; they are no part of the endpoint's name, and nothing tells
 * them. `headers` are sent as they are; those that leat has to set itself are refused (-EINVAL), such as Range,
 * If-Match and Host. s3: takes from them, at most 12, those that begin with x-amz- (metadata, tags, storage class,
 * encryption, ...) and Content-Type, -Language, -Disposition, -Encoding, Cache-Control and Expires: a sink sends them
 * with the request that makes the object, so an upload that is resumed keeps those that it was begun with.
 * x-amz-request-payer, x-amz-expected-bucket-owner and x-amz-server-side-encryption-customer-* are part of each
 * request; the latter go by https: alone, or to this machine (-EINVAL). Of the headers only Accept,
 * Accept-Encoding, Accept-Language and User-Agent are sent to other servers.
 *
 * Redirects (301, 302, 303, 307, 308) of http:, https: and oci: are followed, at most 10 in a row (-ELOOP); those of a
 * request that sends a body only if they keep it (307, 308). One that leads from https: to http:, or to what is no URL
 * of either, is -EPROTO. Passwords, tokens and the certificate of the client are sent to the server that the endpoint
 * names, and to no other host, port or scheme. Later requests of the same source go to the place that was found; if
 * that has gone (400, 401, 403, 404, 410, as of a signed URL), the endpoint's URL is asked again.
 *
 * A child process is started when the pipeline runs, with the program's environment and LEAT_EXEC, an empty signal mask
 * and SIGPIPE as it usually is. A source reads /dev/null; a sink has the program's standard output. Other descriptors
 * it has only if they are not close-on-exec. "done" means that it has exited with status 0: that is waited for before
 * anything is published, and a sink is told the end only when all in front of it was right. Else the error has -EIO and
 * says how it ended, with the last lines that it wrote to standard error; -EPIPE: a sink that ended well, but before it
 * had taken everything, and the bytes that it left in its pipe do not count as delivered. A pipeline that fails or is
 * cancelled stops its children, by SIGTERM and a second later by SIGKILL, and waits until they are gone. The same
 * happens to all processes that a child has started, and to what these have started, also when their parents have
 * ended; but not to a daemon, which has a session of its own and no parent left. On Linux they are found through /proc,
 * the orphans by the variable LEAT_EXEC, which each child has in its environment; one that runs as another user is left
 * alone. A child stays in the program's process group, so that it may use the terminal. If there is neither /proc nor a
 * terminal, it has a group of its own and its whole group is signalled; if there is a terminal and no /proc, the child
 * alone is. A program that ignores SIGCHLD, or waits for any child at all, takes that knowledge away.
 */
#ifndef LEAT_ENDPOINT_H
#define LEAT_ENDPOINT_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_endpoint leat_endpoint;

enum leat_direction {
    LEAT_READ = 0,  /* a source */
    LEAT_WRITE = 1, /* a sink */
};

enum leat_ownership {
    LEAT_BORROW = 0, /* the caller keeps the descriptor and closes it, after the pipeline has ended */
    LEAT_TAKE = 1,   /* leat closes it, on failure too */
};

/* How a sink treats a regular file. */
enum leat_write_mode {
    LEAT_WRITE_PUBLISH = 0,  /* all or nothing, see above */
    LEAT_WRITE_IN_PLACE = 1, /* written over from the start, then cut to length; a failure leaves what was written */
    LEAT_WRITE_APPEND = 2,   /* behind what is there; a failure leaves what was written */
};

struct leat_endpoint_options {
    size_t size;
    int32_t write_mode; /* enum leat_write_mode; sinks only */
    int32_t sync;       /* not 0: fsync before it is published, and its directory after; sinks only */
    int32_t preserve;   /* not 0: the source's times, and its mode but for set-user-ID and set-group-ID; sinks only */
    /* tcp and unix: how long connecting may take, all addresses of the host together (0: 30 seconds); for those that
     * listen, how long the peer may take to come (0: as long as it likes). -1: no limit. */
    int32_t connect_timeout_ms;
    /* Anything that may have to be waited for, sockets, pipes and terminals: how long it may keep the transfer waiting
     * without being ready for a single byte. A child of leat_filter_exec has the longest such time of the pipeline's
     * endpoints: to take something, and, once it was told the end, to put something out. 0 or -1: no limit. */
    int32_t idle_timeout_ms;
    /* A sink that is a regular file, not 0: */
    int32_t no_clobber;      /* a file that exists is refused (-EEXIST), also one that is made while the copy runs */
    int32_t force;           /* a file without write permission may be replaced, a device in use written to */
    int32_t drop_attributes; /* what a new file can't take over from the one that it replaces may be lost */
    /* Objects in stores: how often a request that failed for now is repeated without progress (0: 8 times). -1: never.
     */
    int32_t retries;
    /* Of an object in a store: how many connections read its parts at the same time, at most LEAT_STREAMS_MAX. 0: one,
     * and more as long as measurement shows that the bytes come faster for it, up to 8. */
    int32_t streams;
    int32_t total_timeout_ms; /* how long an object may take in all, from its opening on. 0 or -1: no limit */
    /* A sink that is an object of s3: how many bytes are sent by one request, if there are more of them (0: 8 MiB).
     * Every 1,000 parts it is doubled. What is no multiple of a MiB is allowed; S3 wants at least 5 MiB. */
    uint64_t part_size;
    /* Objects in stores: how servers with TLS are verified, and what they are shown. Names of files in PEM; borrowed
     * until the endpoint is open. */
    const char *cacert; /* certificates of authorities that are trusted, and no others; NULL: the system's */
    const char *cert;   /* the client's certificate; NULL: none */
    const char *key;    /* its private key, without a password; NULL: it is in the same file */
    /* http: and https:. Borrowed until the endpoint is open. */
    const char *const *headers; /* that each request has: "NAME: VALUE", and NULL behind the last one; NULL: none */
    const char *netrc_file;     /* where users and passwords of hosts are, as curl(1) has it; NULL: nowhere */
    int32_t netrc;              /* not 0: they are in ~/.netrc, if netrc_file is NULL */
    /* A sink that is an object of s3: the path of a journal, in which stands which parts the store has; NULL: there is
     * none. The string is copied. If the file is there, its upload goes on: a part that the store has, by its size and
     * ETag, and whose bytes are those that come again, by their SHA-256, is not sent again. A run that fails or is
     * cancelled leaves the upload and the journal, unless the failure is one of the bytes (-EBADMSG, -ESTALE) or of the
     * object (-EEXIST). When the object is made the file is removed. One process at a time may use it (-EBUSY); a file
     * that is something else, or the journal of another object, is -EINVAL. */
    const char *resume;
    /* A sink that is an object of s3: the checksum that the store compares and keeps with it: "sha256" (NULL), "crc32",
     * "crc32c" or "crc64nvme", in any case of letters. A CRC is that of the whole object, however many parts it came
     * in. Others are -EINVAL. Whatever it is, each request is signed with the SHA-256 of its body. Borrowed until the
     * endpoint is open. */
    const char *checksum;
};

enum {
    LEAT_STREAMS_MAX = 64
};

/* Resolves `spec`. On failure *ret_error (may be NULL) says what was wrong with it; its `node` is `spec`.
 * Does not block except on path look-ups. Any thread. -EINVAL for a bad spec, or what stat(2) says. */
LEAT_API int leat_endpoint_open(leat_endpoint **ret_endpoint, const char *spec, enum leat_direction direction,
                                const struct leat_endpoint_options *options, struct leat_error *ret_error);

/* An endpoint on a descriptor; its direction is given by its use. */
LEAT_API int leat_endpoint_from_fd(leat_endpoint **ret_endpoint, int fd, enum leat_ownership ownership);

/* The two directions of a stream socket, as a source and a sink that share it; for two pipelines, which may run at the
 * same time. A successful end of the sink shuts the writing direction down, a failed one resets the connection if it is
 * TCP. The descriptor's flags stay as they are; one that is taken and is non-blocking can be spliced. With LEAT_TAKE it
 * is closed when both endpoints are gone, or have been through a pipeline. -ENOTSOCK; -EPROTOTYPE: no stream socket. */
LEAT_API int leat_endpoint_duplex(leat_endpoint **ret_read, leat_endpoint **ret_write, int fd,
                                  enum leat_ownership ownership);

/* A source that yields `size` bytes. They are borrowed and must stay unchanged until the pipeline has ended. */
LEAT_API int leat_endpoint_from_memory(leat_endpoint **ret_endpoint, const void *bytes, size_t size);

/* A sink of `capacity` borrowed bytes. More than that fails with -ENOSPC. *ret_size (may be NULL) is set when the
 * pipeline commits, and is untouched if it fails. */
LEAT_API int leat_endpoint_to_memory(leat_endpoint **ret_endpoint, void *bytes, size_t capacity, size_t *ret_size);

/* A source or a sink that calls you. Each call comes from the thread that runs the pipeline, never two at once, and
 * must not block; to say "not yet" return -EAGAIN and later, from any thread, call leat_endpoint_notify. The functions
 * return 0 or a negative errno; any other answer, or a count that is too large, fails the pipeline with -EPROTO. */
struct leat_endpoint_callbacks {
    size_t size;
    /* Fill up to n bytes, store the count; 0 with *ret_n == 0 is the end. Sources must have it. */
    int (*read)(void *user, void *bytes, size_t n, size_t *ret_n);
    /* Take up to n bytes (at least one unless -EAGAIN or an error), store the count. Sinks must have it. */
    int (*write)(void *user, const void *bytes, size_t n, size_t *ret_n);
    /* Optional: everything was delivered and verified (0), or the pipeline failed (its code). Called once. An error
     * returned for 0 fails the pipeline. */
    int (*finish)(void *user, int code);
    /* Optional: the endpoint is freed; the last call. */
    void (*free)(void *user);
};
LEAT_API int leat_endpoint_from_callbacks(leat_endpoint **ret_endpoint, const struct leat_endpoint_callbacks *callbacks,
                                          void *user);

/* A callback endpoint that said -EAGAIN is ready. Any thread; async-signal-safe. Early and needless calls do no
 * harm. -EINVAL for an endpoint of another kind. */
LEAT_API int leat_endpoint_notify(leat_endpoint *endpoint);

/* Do two endpoints stand for the same file, device, pipe or socket, or for the same name of a file that does not exist
 * yet, however they are spelt? 1: they do. 0: they do not, as far as that is known when both were opened; endpoints of
 * memory, callbacks, children and connections are the same as nothing else. Any thread. */
LEAT_API int leat_endpoint_is_same(const leat_endpoint *a, const leat_endpoint *b);

/* One more reference. Pipelines take the reference handed to them, on failure too; this keeps one. */
LEAT_API leat_endpoint *leat_endpoint_ref(leat_endpoint *endpoint);

/* Drops a reference. NULL is allowed. Never call it for the last reference while a pipeline uses the endpoint. */
LEAT_API void leat_endpoint_close(leat_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
