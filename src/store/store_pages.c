/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store_pages-internal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The pages of a store, before LMDB reads any but the headers. It trusts them: a damaged
 * one is an endless loop, a failed assertion, or a read far outside the map, as soon as
 * somebody comes by it, which may be hours after the start. So all trees are walked once,
 * and of each page everything that LMDB computes addresses from is checked. What keys and
 * values say is none of our business here.
 *
 * The layout is that of LMDB 0.9 on 64-bit machines, the only one that mdb_env_open() takes
 * (MDB_DATA_VERSION 1). */

enum {
	PAGE_HEADER = 16,
	PAGE_NUMBER = 0, /* places in a page's header */
	PAGE_FLAGS = 10,
	PAGE_LOWER = 12, /* the end of the offsets of its nodes */
	PAGE_UPPER = 14, /* the first node */
	PAGE_COUNT = 12, /* instead of both: how many pages a large value has */

	PAGE_BRANCH = 0x01,
	PAGE_LEAF = 0x02,
	PAGE_OVERFLOW = 0x04,
	PAGE_KINDS =
		0x67, /* with leaves of keys alone and pages within pages, not ours */

	NODE_HEADER = 8,
	NODE_FLAGS = 4, /* places in a node */
	NODE_KEY_SIZE = 6,
	NODE_LARGE = 0x01, /* its value is the number of a page */
	NODE_TREE = 0x02,  /* its value is a table */

	TREE_SIZE = 48,
	TREE_DEPTH = 6, /* places in a table's description */
	TREE_ROOT = 40,
	DEPTH_MAX = 32, /* LMDB's own */

	HEADER_TREES =
		PAGE_HEADER + 24, /* of free pages, and of tables, in a header page */
	FIRST_PAGE = 2,
};

static const uint64_t NO_PAGE = UINT64_MAX;

struct walk {
	const uint8_t *map;
	size_t page_size;
	uint64_t pages; /* that the file has */
	uint64_t seen;	/* so far; a page that is met twice makes it too many */
	uint64_t bad;	/* the page that is not as it should be */
};

static unsigned get_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static bool check_tree(struct walk *w, const uint8_t *tree, bool holds_tables);

static const uint8_t *find_page(struct walk *w, uint64_t number, unsigned kind)
{
	const uint8_t *page;

	w->bad = number;
	if (number < FIRST_PAGE || number >= w->pages || ++w->seen > w->pages)
		return NULL;
	page = w->map + number * w->page_size;
	return get_u64(page + PAGE_NUMBER) == number &&
			       (get_u16(page + PAGE_FLAGS) & PAGE_KINDS) == kind
		       ? page
		       : NULL;
}

static bool check_large(struct walk *w, uint64_t number, uint64_t size)
{
	const uint8_t *page = find_page(w, number, PAGE_OVERFLOW);
	uint64_t count;

	if (!page)
		return false;
	count = get_u32(page + PAGE_COUNT);
	w->seen += count - 1;
	return count >= 1 && count <= w->pages - number &&
	       PAGE_HEADER + size <= count * w->page_size;
}

/* A node of a leaf; `room` is what there is from its begin to the end of the page. */
static bool check_node(struct walk *w, const uint8_t *node, size_t room,
		       bool holds_tables)
{
	const unsigned flags = get_u16(node + NODE_FLAGS);
	const size_t key_size = get_u16(node + NODE_KEY_SIZE);
	const uint64_t size = get_u32(node);
	const uint8_t *value = node + NODE_HEADER + key_size;
	size_t left = room - NODE_HEADER - key_size;

	if (flags & NODE_LARGE)
		return left >= sizeof(uint64_t) && check_large(w, get_u64(value), size);
	if (size > left)
		return false;
	return !(holds_tables && flags & NODE_TREE) ||
	       (size == TREE_SIZE && check_tree(w, value, false));
}

static bool check_page(struct walk *w, uint64_t number, unsigned depth, bool holds_tables)
{
	const uint8_t *page = find_page(w, number, depth > 1 ? PAGE_BRANCH : PAGE_LEAF);
	unsigned lower;
	unsigned upper;

	if (!page)
		return false;
	lower = get_u16(page + PAGE_LOWER);
	upper = get_u16(page + PAGE_UPPER);
	if (lower <= PAGE_HEADER || lower % 2 != 0 || lower > upper)
		return false;
	for (unsigned i = PAGE_HEADER; i < lower; i += 2) {
		size_t at = get_u16(page + i);
		const uint8_t *node = page + at;

		w->bad = number;
		if (at < upper || at + NODE_HEADER > w->page_size ||
		    at + NODE_HEADER + get_u16(node + NODE_KEY_SIZE) > w->page_size)
			return false;
		if (depth == 1) {
			if (!check_node(w, node, w->page_size - at, holds_tables))
				return false;
		} else if (!check_page(w,
				       get_u32(node) |
					       (uint64_t)get_u16(node + NODE_FLAGS) << 32,
				       depth - 1, holds_tables)) {
			return false;
		}
	}
	return true;
}

static bool check_tree(struct walk *w, const uint8_t *tree, bool holds_tables)
{
	unsigned depth = get_u16(tree + TREE_DEPTH);
	uint64_t root = get_u64(tree + TREE_ROOT);

	if (root == NO_PAGE)
		return depth == 0;
	return depth >= 1 && depth <= DEPTH_MAX &&
	       check_page(w, root, depth, holds_tables);
}

gaz_status store_check_pages(MDB_env *env, char *why, size_t cap)
{
	struct walk w = {0};
	const uint8_t *trees;
	MDB_envinfo info;
	MDB_stat stat_env;
	struct stat file;
	mdb_filehandle_t fd;
	void *map;
	bool is_good;

	(void)snprintf(why, cap, "cannot read its header");
	if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat_env) != 0 ||
	    mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) != 0)
		return GAZ_ESTORE;
	/* A fresh environment has no file worth the name; others have other layouts. */
	if (info.me_last_pgno < FIRST_PAGE || sizeof(size_t) != sizeof(uint64_t))
		return GAZ_OK;
	w.page_size = stat_env.ms_psize;
	/* The file may end before the last page: what a transaction took and gave back is
	 * not written. A page that is in use must be there, or reading it raises SIGBUS. */
	w.pages = (uint64_t)file.st_size / w.page_size;
	if (w.pages > info.me_last_pgno + 1)
		w.pages = info.me_last_pgno + 1;
	(void)snprintf(why, cap, "data.mdb is cut short");
	if (w.pages < FIRST_PAGE)
		return GAZ_ESTORE;
	map = mmap(NULL, w.pages * w.page_size, PROT_READ, MAP_SHARED, fd, 0);
	/* LMDB's map may have all the address space that there is (ulimit -v). */
	if (map == MAP_FAILED)
		return GAZ_OK;
	w.map = map;
	/* The two headers take turns. */
	trees = w.map + (info.me_last_txnid & 1) * w.page_size + HEADER_TREES;
	is_good = check_tree(&w, trees, false) && check_tree(&w, trees + TREE_SIZE, true);
	(void)munmap(map, w.pages * w.page_size);
	if (is_good)
		return GAZ_OK;
	if (w.bad < w.pages || w.bad > info.me_last_pgno)
		(void)snprintf(why, cap,
			       "page %" PRIu64 " of data.mdb is none of its tree", w.bad);
	return GAZ_ESTORE;
}
