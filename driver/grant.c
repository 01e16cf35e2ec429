/*
 * agentsight-grant - lets one user read a folder, and what will be in it
 *
 * agentsight-grant UID FOLDER
 *
 * The recording is written by a user id that nobody has, and the invoking user may
 * read it meanwhile. His group is no way to say so: on many systems it is that of all
 * users. So he is named in the access list of the folder, and in the one that files in
 * it begin with (acl(5); the form that the kernel takes is that of
 * linux/posix_acl_xattr.h). Exit status 1: the file system keeps none.
 */
#include <endian.h>
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/xattr.h>

struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
};

enum {
	ACL_VERSION = 2,
	USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 16, OTHER = 32,
	READ = 4, WRITE = 2, SEARCH = 1,
};

#define NOBODY UINT32_MAX

int
main(int argc, char **argv)
{
	char *end;
	unsigned long uid = argc == 3 ? strtoul(argv[1], &end, 10) : 0;
	/* the kernel wants little endian, and this order */
	struct acl acl = { htole32(ACL_VERSION), {
		{ htole16(USER_OBJ), htole16(READ | WRITE | SEARCH), NOBODY },
		{ htole16(USER), htole16(READ | SEARCH), htole32(uid) },
		{ htole16(GROUP_OBJ), 0, NOBODY },
		{ htole16(MASK), htole16(READ | SEARCH), NOBODY },
		{ htole16(OTHER), 0, NOBODY },
	} };

	if (argc != 3 || !argv[1][0] || *end || uid >= UINT32_MAX)
		errx(2, "usage: agentsight-grant UID FOLDER");
	return setxattr(argv[2], "system.posix_acl_access", &acl, sizeof(acl), 0) ||
	    setxattr(argv[2], "system.posix_acl_default", &acl, sizeof(acl), 0);
}
