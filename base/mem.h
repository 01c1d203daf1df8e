/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ND_BASE_MEM_H
#define ND_BASE_MEM_H
/* Cleanup attributes and hand-over, after systemd's convention. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define nd_cleanup(fn)                  __attribute__((cleanup(fn)))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Declares f##p for nd_cleanup: ND_DEFINE_CLEANUP(struct nd_nl *, nd_nl_free) gives nd_nl_freep. */
#define ND_DEFINE_CLEANUP(type, fn)       \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}

#define take_ptr(p)                               \
	({                                        \
		__typeof__(p) *take_p_ = &(p);    \
		__typeof__(p) take_v_ = *take_p_; \
		*take_p_ = NULL;                  \
		take_v_;                          \
	})
#define take_fd(fd)                     \
	({                              \
		int *take_p_ = &(fd);   \
		int take_v_ = *take_p_; \
		*take_p_ = -1;          \
		take_v_;                \
	})

static inline void nd_freep(void *p)
{
	free(*(void **)p);
}
static inline void nd_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}
static inline void nd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define nd_autofree  nd_cleanup(nd_freep)
#define nd_autoclose nd_cleanup(nd_closep)
#endif
