/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/cookiefile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "00112233445566778899aabbccddeeff"
#define OTHER  "ffeeddccbbaa99887766554433221100"

static char path[] = "/tmp/test_cookiefile.XXXXXX";

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static struct cookie_secrets secrets_of(const char *first, const char *second)
{
	struct cookie_secrets secrets = {.count = 0};

	assert_int_equal(cookie_secrets_add(&secrets, first, strlen(first)), GAZ_OK);
	if (second)
		assert_int_equal(cookie_secrets_add(&secrets, second, strlen(second)),
				 GAZ_OK);
	return secrets;
}

static void expect_secrets(const char *text, const struct cookie_secrets *wanted)
{
	struct cookie_secrets found;
	struct gaz_error err;

	write_file(text, strlen(text));
	if (cookiefile_read(path, &found, &err) != GAZ_OK)
		fail_msg("%s", err.text);
	assert_int_equal(found.count, wanted->count);
	assert_false(found.rotates);
	assert_memory_equal(found.keys, wanted->keys,
			    wanted->count * sizeof *wanted->keys);
}

static void test_secrets_are_read_in_their_order(void **state)
{
	const struct cookie_secrets one = secrets_of(SECRET, NULL);
	const struct cookie_secrets two = secrets_of(SECRET, OTHER);
	const struct cookie_secrets swapped = secrets_of(OTHER, SECRET);

	(void)state;
	expect_secrets(SECRET, &one);
	expect_secrets(SECRET "\n", &one);
	expect_secrets("00112233445566778899AaBbCcDdEeFf\r\n\r\n", &one);
	expect_secrets("# these are\n\n \t" SECRET "# in use\n  #" OTHER "\n", &one);
	expect_secrets(SECRET "\n" OTHER "\n", &two);
	expect_secrets(OTHER "\n\n\n" SECRET, &swapped);
}

/* `place` and a few words; the secrets that were there stay. */
static void expect_fault(gaz_status wanted, const char *place, const char *words)
{
	struct cookie_secrets found = secrets_of(OTHER, SECRET);
	const struct cookie_secrets before = found;
	struct gaz_error err;

	assert_int_equal(cookiefile_read(path, &found, &err), wanted);
	assert_int_equal(err.status, wanted);
	assert_memory_equal(&found, &before, sizeof found);
	assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
	assert_int_equal(strncmp(err.text + strlen(path), place, strlen(place)), 0);
	assert_non_null(strstr(err.text, words));
	assert_null(strstr(err.text, "112233"));
}

static void expect_bad(const char *text, size_t len, gaz_status wanted, const char *place)
{
	write_file(text, len);
	expect_fault(wanted, place,
		     wanted == GAZ_ELIMIT ? "4 secrets" : "32 hexadecimal");
}

static void test_what_is_no_secret_is_found_with_its_line(void **state)
{
	static const char with_nul[] = SECRET "\n\0" SECRET;
	static const char *const bad[] = {"0112233445566778899aabbccddeeff",
					  SECRET "0",
					  (SECRET " " OTHER),
					  "0x112233445566778899aabbccddeeff",
					  "0g112233445566778899aabbccddeeff",
					  SECRET ";",
					  ("\"" SECRET "\""),
					  ("\xef\xbb\xbf" SECRET)};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[256];

		expect_bad(bad[i], strlen(bad[i]), GAZ_EFORMAT, ":1: ");
		strcpy(text, "#\n" SECRET "\n\n");
		strcat(text, bad[i]);
		strcat(text, "\n");
		expect_bad(text, strlen(text), GAZ_EFORMAT, ":4: ");
	}
	expect_bad(with_nul, sizeof with_nul, GAZ_EFORMAT, ":2: ");
	expect_bad(SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n#\n" OTHER, 5 * 33 + 1,
		   GAZ_ELIMIT, ":6: ");
}

static void test_files_without_secrets_are_faults(void **state)
{
	const struct cookie_secrets one = secrets_of(SECRET, NULL);
	static char large[16385];

	(void)state;
	write_file("", 0);
	expect_fault(GAZ_EFORMAT, ": has no secret", "openssl rand -hex 16");
	write_file("\n# " SECRET "\n", 36);
	expect_fault(GAZ_EFORMAT, ": has no secret", "openssl rand -hex 16");
	memset(large, '#', sizeof large);
	memcpy(large, SECRET "\n", 33);
	write_file(large, sizeof large);
	expect_fault(GAZ_ELIMIT, ": too large", "16384 octets");
	large[sizeof large - 1] = '\0';
	expect_secrets(large, &one);
}

static void test_what_is_no_file_is_a_fault(void **state)
{
	(void)state;
	unlink(path);
	expect_fault(GAZ_EIO, ": No such file", "readable for gazetteerd");
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes: not to be waited for */
	expect_fault(GAZ_EIO, ": not a regular file", "read again");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_fault(GAZ_EIO, ": not a regular file", "read again");
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_read_in_their_order),
		cmocka_unit_test(test_what_is_no_secret_is_found_with_its_line),
		cmocka_unit_test(test_files_without_secrets_are_faults),
		cmocka_unit_test(test_what_is_no_file_is_a_fault), /* removes the file */
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
