/* SPDX-License-Identifier: MIT */
/* leat/leat.h: everything. */
#ifndef LEAT_LEAT_H
#define LEAT_LEAT_H

#include <leat/base.h>
#include <leat/channel.h>
#include <leat/copy.h>
#include <leat/endpoint.h>
#include <leat/filter.h>
#include <leat/image.h>
#include <leat/pipe.h>
#include <leat/pipeline.h>
#include <leat/pool.h>
#include <leat/probe.h>
#include <leat/record.h>
#include <leat/report.h>
#include <leat/stages.h>
#include <leat/store.h>
#include <leat/stream.h>
#include <leat/trace.h>
#include <leat/tree.h>

#endif
