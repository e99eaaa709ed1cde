/* SPDX-License-Identifier: ISC */
/*
 * far CERT KEY PORT: the far end of a tunnel, a TLS server in front of a TCP
 * port of 127.0.0.1; with a request for a WebSocket it speaks that, without
 * one it passes on what it decrypts.  Prints its own port, ends with its
 * standard input.  For benchmarks: it trusts its client, and does all in
 * large pieces, so that what is measured is not this.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define PIECE (256 * 1024) /* read and sent at once */
#define HEAD 10		   /* of a frame of ours */

struct frame {
	uint8_t head[14]; /* of a client's */
	size_t head_len;
	uint64_t left; /* of the payload */
	uint64_t mask; /* twice, turned to where the payload is */
	bool close;
};

static SSL *ssl;
static int tls_fd, server;
static struct frame frame;
static uint8_t piece[HEAD + PIECE];

static _Noreturn void
give_up(const char *what)
{
	(void)fprintf(stderr, "far: %s\n", what);
	exit(1);
}

static bool
put_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* The records of one piece leave together. */
static bool
encrypt(const uint8_t *bytes, size_t len)
{
	int on = 1, off = 0;
	bool good;

	(void)setsockopt(tls_fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	good = SSL_write(ssl, bytes, (int)len) == (int)len;
	(void)setsockopt(tls_fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	return good;
}

/* The length of the head of which that much is known; 0: not yet. */
static size_t
head_length(const struct frame *f)
{
	static const size_t more[] = { [126] = 2, [127] = 8 };
	size_t len = f->head_len < 2 ? 0 : f->head[1] & 0x7f;

	if (f->head_len < 2)
		return 0;
	len = 2 + (len < 126 ? 0 : more[len]) + 4;
	return f->head_len < len ? 0 : len;
}

static bool
take_head(struct frame *f, uint8_t byte)
{
	size_t len;
	uint32_t mask;

	f->head[f->head_len++] = byte;
	len = head_length(f);
	if (len == 0)
		return false;
	f->left = f->head[1] & 0x7f;
	if (f->left >= 126) {
		f->left = 0;
		for (size_t i = 2; i < len - 4; i++)
			f->left = f->left << 8 | f->head[i];
	}
	memcpy(&mask, f->head + len - 4, 4);
	f->mask = (uint64_t)mask << 32 | mask;
	f->close = (f->head[0] & 15) == 8;
	f->head_len = 0;
	return true;
}

static void
unmask(uint8_t *p, size_t len, uint64_t *mask)
{
	size_t i = 0, turn = len % 8 * 8;
	uint64_t word;

	for (; i + 8 <= len; i += 8) {
		memcpy(&word, p + i, 8);
		word ^= *mask;
		memcpy(p + i, &word, 8);
	}
	for (; i < len; i++)
		p[i] ^= (uint8_t)(*mask >> i % 8 * 8);
	if (turn != 0)
		*mask = *mask >> turn | *mask << (64 - turn);
}

/* Payloads without their frames, together at the front; how many bytes. */
static size_t
unwrap(uint8_t *bytes, size_t len)
{
	size_t out = 0, in = 0;

	while (in < len) {
		size_t n;

		if (frame.left == 0) {
			(void)take_head(&frame, bytes[in++]);
			continue;
		}
		n = frame.left < len - in ? frame.left : len - in;
		unmask(bytes + in, n, &frame.mask);
		if ((frame.head[0] & 8) == 0) {
			memmove(bytes + out, bytes + in, n);
			out += n;
		}
		frame.left -= n;
		in += n;
	}
	return out;
}

/* What there is, up to a piece; 0 at the end. */
static size_t
decrypt(uint8_t *bytes, size_t size)
{
	size_t len = 0;

	do {
		int n = SSL_read(ssl, bytes + len, (int)(size - len));

		if (n <= 0)
			break;
		len += (size_t)n;
	} while (len < size && SSL_has_pending(ssl));
	return len;
}

/* A frame with the payload that stands at bytes; its head goes before it. */
static bool
put_frame(uint8_t opcode, uint8_t *bytes, size_t len)
{
	size_t more = len < 126 ? 0 : len < 65536 ? 2 : 8;
	uint8_t *head = bytes - more - 2;

	head[0] = 0x80 | opcode;
	head[1] = (uint8_t)(more == 0 ? len : more == 2 ? 126 : 127);
	for (size_t i = 0; i < more; i++)
		head[2 + i] = (uint8_t)((uint64_t)len >> 8 * (more - 1 - i));
	return encrypt(head, 2 + more + len);
}

/* False: not a WebSocket; what was read is in piece then, *ret_len long. */
static bool
upgrade(size_t *ret_len)
{
	char *text = (char *)piece, *key, *end, answer[256];
	unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
	size_t len = 0;

	do {
		len += decrypt(piece + len, sizeof(piece) - 1 - len);
		text[len] = '\0';
	} while (strncmp(text, "GET ", 4) == 0 && !strstr(text, "\r\n\r\n"));
	*ret_len = len;
	key = strstr(text, "Sec-WebSocket-Key: ");
	if (strncmp(text, "GET ", 4) != 0 || key == NULL)
		return false;
	key += strlen("Sec-WebSocket-Key: ");
	end = strstr(key, "\r\n");
	memcpy(end, GUID, sizeof(GUID));
	(void)SHA1((uint8_t *)key, strlen(key), digest);
	(void)EVP_EncodeBlock(accept, digest, sizeof(digest));
	len = (size_t)snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    (char *)accept);
	if (!encrypt((uint8_t *)answer, len))
		give_up("no answer");
	return true;
}

static void
end_up(void)
{
	(void)shutdown(server, SHUT_WR);
}

/*
 * Blocking writes: ssh and sshd, the only ones that are behind us, always
 * read.
 */
static void
carry(bool web)
{
	struct pollfd pfd[2] = { { tls_fd, POLLIN, 0 }, { server, POLLIN, 0 } };

	while (pfd[1].fd >= 0 && poll(pfd, 2, -1) > 0) {
		if (pfd[0].revents != 0 || SSL_has_pending(ssl)) {
			size_t len = decrypt(piece, PIECE);
			bool ended = len == 0;

			if (web)
				len = unwrap(piece, len);
			if (!put_all(server, piece, len))
				return;
			if (ended || frame.close) {
				end_up();
				pfd[0].fd = -1;
			}
		}
		if (pfd[1].revents != 0) {
			uint8_t *bytes = piece + HEAD;
			ssize_t n = recv(server, bytes, PIECE, 0);

			if (n <= 0)
				break;
			if (!(web ? put_frame(2, bytes, (size_t)n)
				  : encrypt(bytes, (size_t)n)))
				return;
		}
	}
	memcpy(piece + HEAD, "\x03\xe8", 2); /* 1000 */
	if (web && !put_frame(8, piece + HEAD, 2))
		return;
	(void)SSL_shutdown(ssl);
}

static void
serve(SSL_CTX *context, const struct sockaddr_in *to)
{
	size_t len;
	bool web;

	ssl = SSL_new(context);
	if (ssl == NULL || SSL_set_fd(ssl, tls_fd) != 1 || SSL_accept(ssl) != 1)
		give_up("no TLS");
	web = upgrade(&len);
	server = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(server, (const struct sockaddr *)to, sizeof(*to)) < 0)
		give_up("nobody there");
	if (!web && !put_all(server, piece, len))
		return;
	carry(web);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in to = at;
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct pollfd pfd[2] = { { STDIN_FILENO, POLLIN, 0 },
		{ listener, POLLIN, 0 } };

	if (argc != 4)
		return 64;
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	to.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	if (context == NULL ||
	    SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) !=
		1)
		give_up("certificate or key");
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, PIECE);
	(void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 128) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0)
		give_up("cannot listen");
	(void)printf("%u\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	while (poll(pfd, 2, -1) >= 0 && pfd[0].revents == 0) {
		tls_fd = accept(listener, NULL, NULL);
		if (tls_fd < 0)
			continue;
		(void)setsockopt(
		    tls_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (fork() == 0) {
			serve(context, &to);
			_exit(0);
		}
		(void)close(tls_fd);
	}
	return 0;
}
