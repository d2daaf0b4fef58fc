/* SPDX-License-Identifier: MIT */
/* emscripten: it has no libcrypto
 * labels: glibc
 * The digest filter: known answers, with threads and without; names; running values; reset. */
#include "base/digest_provider.h"
#include "feed.h"
#include <errno.h>

#define BIG ((1u << 20) + 1)

static uint8_t big[BIG];

/* Of nothing, of "abc" and of `big`. */
static const struct {
    const char *name, *nothing, *abc, *big;
} known[] = {
    {"md5", "d41d8cd98f00b204e9800998ecf8427e", "900150983cd24fb0d6963f7d28e17f72", "21b97025b086593b2a77cfd29929cdb8"},
    {"sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "3fd3ff669c4db731c6d213e3321f1b6b3741193e"},
    {"sha224", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
     "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
     "1f3815585fb385e3d16391cb1382fcef33d80659b4f26baee324f4d0"},
    {"sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "3d30e9e3ca4b74ece038aa2662347af9f29084c31b4e9faeab9bb17afa0f6200"},
    {"sha384", "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
     "a28bfa9bd85395cb81d9cea9e6d025f21065d122c73bb7b9631249811b23072f805c20603bd5d37b7c715a1b14783330"},
    {"sha512",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a"
     "538327af927da3e",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9ac94fa54ca49f",
     "fb1690345368ba9f23f253bdeabfac3493b3cdce9c45886919401d4fbf336201c3708080f3a8be7e6aee552c93daca7b00ccdf4abfe208195"
     "d1bf9aeb3511bb6"},
    {"sha512-224", "6ed0dd02806fa89e25de060c19d3ac86cabb87d6a0ddd05c333b84f4",
     "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
     "4f9e12b12b494ac248913e5aa5161b9d39cab55342aff528c5559a06"},
    {"sha512-256", "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a",
     "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
     "ecd374f4aa94c2bc779e2d8d5ae37709de1ed6766487f09d542751c9e13690ed"},
    {"sha3-224", "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7",
     "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
     "49045721ce3e02b933563bbac08da4c322409ee069445ca17218ab2e"},
    {"sha3-256", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
     "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
     "9dce2225a39eca45df1bc6f7c4ead3c83e42fd93e992830130ad85ed8099a19f"},
    {"sha3-384", "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004",
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
     "7a5d6a1c3224231acc66ff26fc48d505875755f1cc578dc5c4f91a34cc1456442dbc5253d3444d9b613bed97b0024b44"},
    {"sha3-512",
     "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e30"
     "1758586281dcd26",
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56"
     "592f8274eec53f0",
     "330308ce492cfadaf3b04e4d64146997d2010d85ebaf10f550e966ea84ca0696aea938f1d5b4e0bcd67da2e9121946dc626962b49c5ea7d08"
     "5eb99c21515b54d"},
    {"blake2b-512",
     "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d"
     "56f701afe9be2ce",
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab"
     "92386edd4009923",
     "72e2d1e26e90ee376194d869ac9365adea843adb93e91211aa4189185ac3d32e77d33307661fc6437ad0d219f8d72774870e1b0349ab79d15"
     "bc67a10b2927325"},
    {"blake2s-256", "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
     "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
     "7aa87ecc8007861e3802a84eb6b3fd9c65303b0f3e0b87410d07bed4133fac8b"},
    {"sm3", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
     "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
     "159c593f7bd6fe697bfc0b7c07d5cceae42ab58a02291c5ca032d8746c02a29a"},
    {"ripemd160", "9c1185a5c5e9fc54612808977ee8f548b2258d31", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
     "9f207c10cbd89527882107ad2f9bc91019fbf127"},
    {"crc32c", "00000000", "364b3fb7", "80f140f8"},
    {"xxh3", "2d06800538d394c2", "78af5f94892f3950", "93351979ec75d7d1"},
    {"xxh3-128", "99aa06d3014798d86001c324468d497f", "06b05ab6733a618578af5f94892f3950",
     "ccc226b11368513693351979ec75d7d1"},
};

static leat_filter *make(const char *algorithms, int threads)
{
    leat_filter *filter = NULL;
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    o.threads = threads;
    int r = leat_filter_digest(&filter, algorithms, &o, NULL);
    if (r < 0)
        fail_msg("%s: %s", algorithms, strerror(-r));
    return filter;
}

static void expect(leat_filter *filter, const char *algorithm, const char *value)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    assert_int_equal(leat_filter_digest_hex(filter, algorithm, hex, sizeof(hex)), 0);
    assert_string_equal(hex, value);
}

static void check_known(const char *name, int threads, const void *bytes, size_t n, const char *value)
{
    leat_filter *filter = make(name, threads);
    feed_all(filter, bytes, n);
    expect(filter, name, value);
    leat_filter_free(filter);
}

static void test_known_answers(void **state UNUSED)
{
    for (int threads = -1; threads <= 1; threads++)
        for (size_t i = 0; i < COUNT(known); i++) {
            check_known(known[i].name, threads, "", 0, known[i].nothing);
            check_known(known[i].name, threads, "abc", 3, known[i].abc);
            check_known(known[i].name, threads, big, BIG, known[i].big);
        }
}

static void check_all_at_once(int threads)
{
    char list[400] = "";
    for (size_t i = 0; i < COUNT(known); i++) {
        strcat(list, i ? "," : "");
        strcat(list, known[i].name);
    }
    leat_filter *filter = make(list, threads);
    feed_all(filter, big, BIG);
    for (size_t i = 0; i < COUNT(known); i++)
        expect(filter, known[i].name, known[i].big);
    uint64_t bytes = 0;
    assert_int_equal(leat_filter_bytes(filter, &bytes), 0);
    assert_true(bytes == BIG);
    leat_filter_free(filter);
}

static void test_all_at_once(void **state UNUSED)
{
    check_all_at_once(-1);
    check_all_at_once(1);
}

static void test_spellings(void **state UNUSED)
{
    static const char *const pairs[][2] = {
        {"SHA256", "sha256"},
        {"SHA-256", "sha256"},
        {"sha2-256", "sha256"},
        {"SHA-1", "sha1"},
        {"sha512/256", "sha512-256"},
        {"SHA-512/256", "sha512-256"},
        {"SHA2-512/224", "sha512-224"},
        {"BLAKE2b", "blake2b-512"},
        {"blake2b512", "blake2b-512"},
        {"blake2s", "blake2s-256"},
        {"SHA3-256", "sha3-256"},
        {"sha3_256", "sha3-256"},
        {"RIPEMD-160", "ripemd160"},
        {"MD5", "md5"},
        {"CRC32C", "crc32c"},
        {"XXH3", "xxh3"},
        {"xxh3_64", "xxh3"},
        {"XXH128", "xxh3-128"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        leat_filter *filter = make(pairs[i][0], 0);
        const char *algorithm, *provider, *why;
        char hex[LEAT_DIGEST_HEX_MAX], again[LEAT_DIGEST_HEX_MAX];
        assert_int_equal(filter->ops->result(filter, 0, &algorithm, hex, sizeof(hex), &provider, &why), 0);
        assert_string_equal(algorithm, pairs[i][1]);
        assert_null(why);
        assert_int_equal(leat_filter_digest_hex(filter, pairs[i][0], again, sizeof(again)), 0);
        assert_string_equal(hex, again);
        leat_filter_free(filter);
    }
}

static void test_lists(void **state UNUSED)
{
    leat_filter *filter = make("sha256,crc32c,SHA-256,sha2-256,xxh3", 0);
    static const char *const names[] = {"sha256", "crc32c", "xxh3"};
    static const char *const providers[] = {"libcrypto", "crc32c", "xxhash"};
    const char *algorithm, *provider, *why;
    char hex[LEAT_DIGEST_HEX_MAX];
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(filter->ops->result(filter, i, &algorithm, hex, sizeof(hex), &provider, &why), 0);
        assert_string_equal(algorithm, names[i]);
        assert_string_equal(provider, providers[i]);
    }
    assert_int_equal(filter->ops->result(filter, 3, &algorithm, hex, sizeof(hex), &provider, &why), -ENOENT);
    leat_filter_free(filter);
}

static void test_bad_lists(void **state UNUSED)
{
    static const char *const empty[] = {"", ",", "sha256,", ",sha256", "sha256,,md5"};
    static const char *const unknown[] = {"sha257",
                                          "sha256,nope",
                                          "sha2-1",
                                          "shake128",
                                          "null",
                                          " sha256",
                                          "a-name-that-is-much-longer-than-that-of-any-algorithm"};
    leat_filter *untouched = NULL;
    for (size_t i = 0; i < COUNT(empty); i++)
        assert_int_equal(leat_filter_digest(&untouched, empty[i], NULL, NULL), -EINVAL);
    for (size_t i = 0; i < COUNT(unknown); i++)
        assert_int_equal(leat_filter_digest(&untouched, unknown[i], NULL, NULL), -ENOENT);
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    o.provider = 7;
    assert_int_equal(leat_filter_digest(&untouched, "sha256", &o, NULL), -EINVAL);
    assert_null(untouched);
}

static void is_refused(const char *algorithms, struct leat_digest_options o, int code, uint64_t offset,
                       const char *text)
{
    leat_filter *untouched = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    o.size = o.size ? o.size : sizeof(o);
    assert_int_equal(leat_filter_digest(&untouched, algorithms, &o, &error), code);
    assert_null(untouched);
    assert_int_equal(error.offset, offset);
    assert_string_equal(error.node, "digest");
    if (strncmp(error.text, text, strlen(text)) != 0)
        fail_msg("%s", error.text);
}

static void test_sentences(void **state UNUSED)
{
    const struct leat_digest_options none = {0};
    is_refused("crc32c,xxh4,crc32", none, -ENOENT, 7,
               "There is no digest algorithm 'xxh4'; did you mean xxh3? Known are sha256, ");
    is_refused("nonsense", none, -ENOENT, 0, "There is no digest algorithm 'nonsense': known are sha256, ");
    is_refused("crc32c,", none, -EINVAL, 7, "There is no digest algorithm '': known are sha256, ");
    is_refused("crc32c,,xxh3", none, -EINVAL, 7, "There is no digest algorithm '': known are sha256, ");
    is_refused(NULL, none, -EINVAL, 0, "algorithms must be given");
    is_refused("crc32c", (struct leat_digest_options){.provider = LEAT_DIGEST_KERNEL + 1}, -EINVAL, 0,
               "provider must be LEAT_DIGEST_AUTO, LEAT_DIGEST_USER or LEAT_DIGEST_KERNEL");
    is_refused("crc32c", (struct leat_digest_options){.size = 1}, -EINVAL, 0,
               "The options are not those of this version");
}

static void test_values(void **state UNUSED)
{
    leat_filter *filter = make("md5,crc32c", 0), *meter = NULL;
    feed_all(filter, (const uint8_t *)"abc", 3);
    char hex[33] = "untouched";
    uint8_t bytes[16];
    size_t n = 99;
    assert_int_equal(leat_filter_digest_hex(filter, "md5", hex, 32), -ENOSPC);
    assert_int_equal(leat_filter_digest_hex(filter, "sha1", hex, sizeof(hex)), -ENOENT);
    assert_int_equal(leat_filter_digest_hex(filter, "", hex, sizeof(hex)), -ENOENT);
    assert_string_equal(hex, "untouched");
    assert_int_equal(leat_filter_digest_hex(filter, "MD5", hex, 33), 0);
    assert_int_equal(leat_filter_digest_bytes(filter, "md5", bytes, 15, &n), -ENOSPC);
    assert_int_equal(n, 99);
    assert_int_equal(leat_filter_digest_bytes(filter, "md5", bytes, 16, &n), 0);
    assert_int_equal(n, 16);
    assert_int_equal(bytes[0], 0x90);
    assert_int_equal(leat_filter_digest_bytes(filter, "crc32c", bytes, 16, &n), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "\x36\x4b\x3f\xb7", 4);
    assert_int_equal(leat_filter_meter(&meter), 0);
    assert_int_equal(leat_filter_digest_hex(meter, "md5", hex, 33), -EINVAL);
    assert_int_equal(leat_filter_digest_reset(meter), -EINVAL);
    leat_filter_free(meter);
    leat_filter_free(filter);
}

static void check_holes(int threads)
{
    static const uint8_t zeros[3 * FEED_CHUNK];
    leat_filter *holes = make("sha256,xxh3", threads), *plain = make("sha256,xxh3", -1);
    struct feed feed;
    feed_init(&feed);
    assert_int_equal(holes->ops->start(holes, 0, NULL), 0);
    feed_bytes(&feed, holes, big, 5000);
    feed_hole(&feed, holes, sizeof(zeros)); /* longer than a chunk's memory */
    feed_bytes(&feed, holes, big, 100);
    feed_hole(&feed, holes, 1);
    assert_int_equal(holes->ops->finish(holes, 0, NULL), 0);
    assert_int_equal(plain->ops->start(plain, 0, NULL), 0);
    feed_bytes(&feed, plain, big, 5000);
    feed_bytes(&feed, plain, zeros, sizeof(zeros));
    feed_bytes(&feed, plain, big, 100);
    feed_bytes(&feed, plain, zeros, 1);
    assert_int_equal(plain->ops->finish(plain, 0, NULL), 0);
    char hex[LEAT_DIGEST_HEX_MAX];
    assert_int_equal(leat_filter_digest_hex(plain, "sha256", hex, sizeof(hex)), 0);
    expect(holes, "sha256", hex);
    assert_int_equal(leat_filter_digest_hex(plain, "xxh3", hex, sizeof(hex)), 0);
    expect(holes, "xxh3", hex);
    leat_filter_free(holes);
    leat_filter_free(plain);
    feed_destroy(&feed);
}

static void test_holes(void **state UNUSED)
{
    check_holes(-1);
    check_holes(1);
}

/* After each piece the value is that of the bytes until there. */
static void test_running_value(void **state UNUSED)
{
    leat_filter *filter = make("sha256", -1);
    struct feed feed;
    feed_init(&feed);
    assert_int_equal(filter->ops->start(filter, BIG, NULL), 0);
    for (size_t n = 0; n < 50000; n += 7777) {
        char hex[LEAT_DIGEST_HEX_MAX];
        leat_filter *prefix = make("sha256", -1);
        feed_all(prefix, big, n);
        assert_int_equal(leat_filter_digest_hex(prefix, "sha256", hex, sizeof(hex)), 0);
        leat_filter_free(prefix);
        expect(filter, "sha256", hex);
        feed_bytes(&feed, filter, big + n, 7777);
    }
    assert_int_equal(filter->ops->finish(filter, 0, NULL), 0);
    leat_filter_free(filter);
    feed_destroy(&feed);
}

static void test_reset(void **state UNUSED)
{
    leat_filter *filter = make("sha256,crc32c,xxh3", 1);
    uint64_t bytes = 1;
    feed_all(filter, big, BIG);
    atomic_store(&filter->busy, true);
    assert_int_equal(leat_filter_digest_reset(filter), -EBUSY);
    atomic_store(&filter->busy, false);
    assert_int_equal(leat_filter_digest_reset(filter), 0);
    assert_int_equal(leat_filter_bytes(filter, &bytes), 0);
    assert_true(bytes == 0);
    expect(filter, "crc32c", "00000000");
    feed_all(filter, (const uint8_t *)"a", 1);
    feed_all(filter, (const uint8_t *)"bc", 2); /* a second pipeline goes on with it */
    expect(filter, "crc32c", "364b3fb7");
    expect(filter, "xxh3", "78af5f94892f3950");
    expect(filter, "sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    leat_filter_free(filter);
}

#define ROUNDS 300
static uint32_t prefixes[ROUNDS + 1];

struct reader {
    leat_filter *filter;
    atomic_bool stop;
    unsigned reads, strangers;
};

/* Every value that is seen is that of a prefix of whole chunks. */
static void *read_values(void *user)
{
    struct reader *reader = user;
    while (!atomic_load(&reader->stop)) {
        uint8_t b[4] = {0};
        size_t n, i = 0;
        char hex[LEAT_DIGEST_HEX_MAX];
        leat_filter_digest_bytes(reader->filter, "crc32c", b, sizeof(b), &n);
        leat_filter_digest_hex(reader->filter, "sha256", hex, sizeof(hex));
        uint32_t crc = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        while (i <= ROUNDS && prefixes[i] != crc)
            i++;
        reader->strangers += i > ROUNDS;
        reader->reads++;
    }
    return NULL;
}

static void feed_round(struct feed *feed, leat_filter *filter, size_t round)
{
    struct chunk *chunk = feed_get(feed);
    chunk->length = 1000;
    memcpy(chunk->data, big + round * 1000, chunk->length);
    filter->ops->observe(filter, chunk, NULL);
    chunk_unref(chunk);
}

static void check_reader(int threads)
{
    struct feed feed;
    struct reader reader = {.filter = make("crc32c,sha256", threads)};
    pthread_t thread;
    feed_init(&feed);
    assert_int_equal(reader.filter->ops->start(reader.filter, 0, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_values, &reader), 0);
    for (size_t i = 0; i < ROUNDS; i++)
        feed_round(&feed, reader.filter, i);
    assert_int_equal(reader.filter->ops->finish(reader.filter, 0, NULL), 0);
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(reader.strangers, 0);
    leat_filter_free(reader.filter);
    feed_destroy(&feed);
}

static void test_values_while_running(void **state UNUSED)
{
    struct feed feed;
    leat_filter *filter = make("crc32c", -1);
    feed_init(&feed);
    for (size_t i = 0; i < ROUNDS; i++) {
        uint8_t b[4];
        size_t n;
        feed_round(&feed, filter, i);
        assert_int_equal(leat_filter_digest_bytes(filter, "crc32c", b, sizeof(b), &n), 0);
        prefixes[i + 1] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    leat_filter_free(filter);
    feed_destroy(&feed);
    check_reader(-1);
    check_reader(1);
}

/* A pipeline that failed, and one that was given up without finish: no chunk is kept. */
static void test_given_up(void **state UNUSED)
{
    for (int finish = 0; finish < 2; finish++) {
        struct feed feed;
        leat_filter *filter = make("sha256,md5", 1);
        feed_init(&feed);
        assert_int_equal(filter->ops->start(filter, 0, NULL), 0);
        feed_bytes(&feed, filter, big, 300000);
        if (finish)
            assert_int_equal(filter->ops->finish(filter, -EIO, NULL), 0);
        leat_filter_free(filter);
        feed_destroy(&feed);
    }
}

/* Whoever computes it, the value is the same, and if it is not the kernel there is a reason. */
static void test_kernel_asked_for(void **state UNUSED)
{
    leat_filter *filter = NULL;
    struct leat_digest_options o = LEAT_INIT(struct leat_digest_options);
    o.provider = LEAT_DIGEST_KERNEL;
    assert_int_equal(leat_filter_digest(&filter, "sha256,xxh3", &o, NULL), 0);
    feed_all(filter, (const uint8_t *)"abc", 3);
    expect(filter, "sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *algorithm, *provider, *why;
    char hex[LEAT_DIGEST_HEX_MAX];
    for (size_t i = 0; filter->ops->result(filter, i, &algorithm, hex, sizeof(hex), &provider, &why) == 0; i++) {
        print_message("%s by %s%s%s\n", algorithm, provider, why ? ": " : "", why ? why : "");
        assert_true((strcmp(provider, "kernel") == 0) == (why == NULL));
    }
    assert_int_equal(filter->ops->splice_fd(filter), -1); /* xxh3 must be shown the bytes */
    leat_filter_free(filter);
}

int main(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = pattern(i);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_running_value),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_values_while_running),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_kernel_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
