/* proc.c - containers by the cgroups of their processes */
#include "lib/proc.c"
#include "tap.h"

#define A "aaaa1111bbbb2222cccc3333dddd4444eeee5555ffff6666aaaa7777bbbb8888"
#define B "0123456789ab0123456789ab0123456789ab0123456789ab0123456789abcdef"
#define UID "12345678-1234-1234-1234-123456789abc"
#define MIRROR "0123456789abcdef0123456789abcdef"
#define POD "12345678_1234_1234_1234_123456789abc"

static const struct {
	const char *path, *id;
} cases[] = {
	{ "/kubepods.slice/kubepods-burstable-pod" POD ".slice/cri-containerd-" A ".scope",
	    "aaaa1111bbbb" },
	{ "/kubepods/besteffort/pod12345678-1234-1234-1234-123456789abc/" A, "aaaa1111bbbb" },
	{ "/kubepods.slice/kubepods-pod" POD ".slice/crio-" A ".scope", "aaaa1111bbbb" },
	{ "/kubepods.slice/kubepods-pod" POD ".slice/crio-conmon-" A ".scope", "" },
	{ "/machine.slice/libpod-conmon-" A ".scope", "" },
	{ "/machine.slice/libpod-" A ".scope/container", "aaaa1111bbbb" },
	{ "/system.slice/docker-" A ".scope", "aaaa1111bbbb" },
	{ "/docker/" A, "aaaa1111bbbb" },
	{ "/docker/" B "/kubelet.slice/kubelet-kubepods-pod" POD ".slice/cri-containerd-" A ".scope", "aaaa1111bbbb" },
	{ "/docker/" B "/docker/" A, "aaaa1111bbbb" },
	{ "/docker/" B "/machine.slice/libpod-conmon-" A ".scope", "0123456789ab" },
	{ "/ecs/55091c13-b8cf-4801-b527-f4601742204d/" A, "aaaa1111bbbb" },
	{ "/ecs/55091c13b8cf4801b527f4601742204d/34dc0b5e626f2c5c4c5170e34b10e765-1234567890",
	    "34dc0b5e626f" },
	{ "/jobs/34dc0b5e626f2c5c4c5170e34b10e765-1234567890", "" },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD ".slice:cri-containerd:" A,
	    "aaaa1111bbbb" },
	{ "/default/" A, "aaaa1111bbbb" },
	{ "/lxc.payload.mycontainer", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/run-u" A ".scope", "" },
	{ "/build/sha256-" A, "" },
	{ "/ci-job/nix-store-" B "/x", "" },
	{ "/docker/" A "0", "" },
	{ "/", "" },
};

static const char *
id_in(const char *text, size_t n)
{
	static char id[13];

	id[0] = '\0';
	return proc_container_in(text, n, id) ? id : "";
}

static const struct {
	const char *text, *uid;
} pods[] = {
	{ "0::/kubepods.slice/kubepods-burstable-pod" POD ".slice/cri-containerd-" A ".scope\n",
	    UID },
	{ "0::/kubepods/besteffort/pod" UID "/" A "\n", UID },
	{ "0::/system.slice/containerd.service/kubepods-burstable-pod" POD ".slice:cri-containerd:" A, UID },
	{ "0::/kubepods/pod" MIRROR "/" A, MIRROR },
	{ "4:cpu:/\n0::/kubepods/pod" UID, UID },
	{ "0::/kubepods/pod" UID "0/" A, "" },
	{ "0::/kubepods/podium/" A, "" },
	{ "0::/docker/" A, "" },
	{ "0::/kubepods/pod1234", "" },
};

static const char *
pod_in(const char *text)
{
	static char uid[37];

	return proc_pod_in(text, strlen(text), uid) ? uid : "";
}

int
main(void)
{
	char text[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int n = snprintf(text, sizeof(text), "0::%s\n", cases[i].path);

		ok(strcmp(id_in(text, n), cases[i].id) == 0, cases[i].path);
		n = snprintf(text, sizeof(text), "4:cpu,cpuacct:%s\n1:name=systemd:/\n0::/",
		    cases[i].path);
		ok(strcmp(id_in(text, n), cases[i].id) == 0, "the same in another hierarchy");
	}
	ok(!*id_in("0::/docker/" A, 70), "none of an id that is cut");
	ok(!*id_in("docker/" A, 71), "none in what is no line of the file");
	for (size_t i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
		ok(strcmp(pod_in(pods[i].text), pods[i].uid) == 0, pods[i].text);
	ok(proc_of_thread(getpid()) == getpid() &&
	    proc_of_thread(0) < 0, "the process of a thread");
	return done();
}
