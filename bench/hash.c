/* SPDX-License-Identifier: MIT */
/* hash BLOCK FILE: the SHA-256 of a file, read in blocks of BLOCK bytes, by libcrypto and nothing else. */
#include "tool.h"
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        tool_usage("hash BLOCK FILE");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    size_t block = (size_t)tool_number(argv[1]);
    char *buffer = tool_buffer(block);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        tool_fail(argv[2]);
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        tool_usage("libcrypto with sha256");
    ssize_t n;
    while ((n = read(fd, buffer, block)) > 0)
        EVP_DigestUpdate(context, buffer, (size_t)n);
    if (n < 0)
        tool_fail(argv[2]);
    EVP_DigestFinal_ex(context, digest, &length);
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < length; i++)
        printf("%02x", digest[i]);
    printf("\n");
    return 0;
}
