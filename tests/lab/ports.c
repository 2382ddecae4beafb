#include "lab/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 200 };

void ports_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* cannot fail on a socket */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int ports_socket(int family, int type)
{
	int fd = socket(family, type, 0);
	if (fd >= 0)
		ports_prepare(fd);
	return fd;
}

static int bind_one(const struct addr *addr, int type, uint16_t port)
{
	struct sockaddr_storage name;
	struct addr at = *addr;
	at.port = port;
	int fd = ports_socket(addr->family, type);
	if (fd < 0)
		return -1;
	if (addr->family == AF_INET6) {
		int on = 1;
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); /* a default */
	}
	/* No SO_REUSEADDR: with it, another lab could listen where this one only reserves. */
	if (bind(fd, (struct sockaddr *)&name, addr_to_sockaddr(&at, &name)) != 0) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	struct addr addr;
	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0 ||
	    !addr_from_sockaddr(&addr, (struct sockaddr *)&name))
		return 0;
	return addr.port;
}

/* Binds all or nothing; `port` is 0 for a free one. */
static uint16_t bind_all(const struct addr *addrs, int *fds, size_t n, int type, uint16_t port)
{
	size_t i;
	for (i = 0; i < n; i++) {
		fds[i] = bind_one(&addrs[i], type, port);
		if (fds[i] >= 0 && port == 0)
			port = port_of(fds[i]);
		bool absent = fds[i] < 0 && addrs[i].family == AF_INET6 &&
			      (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT || errno == ENODEV);
		if (fds[i] < 0 && !absent)
			break;
	}
	if (i == n)
		return port;
	int error = errno;
	while (i-- > 0)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	errno = error;
	return 0;
}

uint16_t ports_bind(const struct addr *addrs, int *fds, size_t n, int type)
{
	uint16_t wanted = n ? addrs[0].port : 0;
	for (int try = 0; try < TRIES; try++) {
		errno = 0;
		uint16_t port = bind_all(addrs, fds, n, type, wanted);
		if (port || wanted || errno != EADDRINUSE)
			return port;
	}
	return 0;
}

void ports_raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* what cannot be had is told by accept */
	}
}
