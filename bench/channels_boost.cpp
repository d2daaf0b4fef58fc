/* SPDX-License-Identifier: MIT */
// boost::interprocess::message_queue for channels.c
#include "channels.h"
#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

using boost::interprocess::message_queue;

namespace {
[[noreturn]] void fail(const std::exception &why)
{
    std::fprintf(stderr, "boost: %s\n", why.what());
    std::exit(1);
}
} // namespace

void *boost_open(size_t count, size_t size)
{
    try {
        const std::string name = "leat-bench-" + std::to_string(getpid());
        auto *queue = new message_queue(boost::interprocess::create_only, name.c_str(), count, size);
        message_queue::remove(name.c_str());
        return queue;
    } catch (const std::exception &why) {
        fail(why);
    }
}

void boost_put(void *queue, const void *bytes, size_t size)
{
    static_cast<message_queue *>(queue)->send(bytes, size, 0);
}

void boost_get(void *queue, void *bytes, size_t size)
{
    message_queue::size_type got = 0;
    unsigned priority = 0;
    static_cast<message_queue *>(queue)->receive(bytes, size, got, priority);
}
