// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOC: a fuzz target run over its corpus, as a test
 *
 * replay DIR: gives every file of DIR to the target's LLVMFuzzerTestOneInput(), each in a buffer of its exact
 * size so that the sanitizers see a byte read beyond it. An empty or unreadable DIR fails: a moved corpus
 * must not read as success. replay FILE does one, to look at a finding.
 */
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#define INPUT_MAX (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay_file(const char *path)
{
	nd_cleanup(nd_fclosep) FILE *f = fopen(path, "rbe");
	nd_autofree uint8_t *data = NULL;
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0 || st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: cannot be read (errno %d)\n", path, errno);
		return -1;
	}
	data = malloc((size_t)st.st_size ? (size_t)st.st_size : 1);
	if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		return -1;
	printf("%s (%lld bytes)\n", path, (long long)st.st_size);
	fflush(stdout); /* the last line names the input where the target aborts */
	return LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
}

static int replay_dir(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), cnt = 0, bad = 0;

	for (int i = 0; i < n; i++) {
		char file[4096];
		struct stat st;

		snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
		free(entries[i]);
		if (stat(file, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		cnt++;
		bad += replay_file(file) != 0;
	}
	if (n >= 0)
		free(entries);
	if (cnt == 0)
		fprintf(stderr, "%s: no input\n", path);
	return cnt > 0 && bad == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 2 || stat(argv[1], &st) < 0) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY|FILE\n", argv[0]);
		return 2;
	}
	return S_ISDIR(st.st_mode) ? replay_dir(argv[1]) : replay_file(argv[1]) != 0;
}
