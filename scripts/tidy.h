/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clang's analyzer cannot know, since it reads one file at a time: these never return 0 or more, so what a failed call leaves unset is
 * not read after it. .ci/run includes this before each source, except the one that defines them.
 */
#include "base/error.h"

#define nd_fail(e, code, ...)      ((void)(nd_fail)(e, code, __VA_ARGS__), -1)
#define nd_fail_sys(e, err, ...)   ((void)(nd_fail_sys)(e, err, __VA_ARGS__), -1)
#define nd_wrap(e, ...)            ((void)(nd_wrap)(e, __VA_ARGS__), -1)
#define nd_wrap_code(e, code, ...) ((void)(nd_wrap_code)(e, code, __VA_ARGS__), -1)
