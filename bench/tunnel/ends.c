// Both ends of a tunnel in one process: the clients, and the target that they are led to. In C, and without a look at
// what it is sent, so that the core it runs on has less to do than the one that is measured.
//
//   ends
//
// Says "port N", the target's; then answers each line on stdin with one:
//   open PORT WIRE N   "open": so many tunnels through PORT; WIRE is none (bytes, no handshake), binary or base64
//   take BYTES         microseconds until the clients together have so many bytes from the target
//   give BYTES         microseconds until the target has so many from the clients, in masked messages
//   trips N            "P50 P99", in microseconds, of N small messages that the target sends back, on the first tunnel
//   stall              the bytes that the target could send before nothing moved any more; no client reads
//   close              "closed"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// A message of the clients: 48 KB, which base64 makes 64 KB.
enum { PIECE = 48 * 1024, READ = 1 << 20, WRITE = 1 << 18, SMALL = 63, MOST = 64, STILL_MS = 300 };
enum wire { NONE, BINARY, BASE64 };

static int listener, count, clients[MOST], targets[MOST];
static enum wire wire;
static char source[WRITE], frame[PIECE * 2], answer[4096];
static size_t frame_length;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

static size_t on_wire(size_t bytes) { return wire == BASE64 ? bytes / 3 * 4 : bytes; }

static int ready(int fd) {
  int one = 1;
  if (fd < 0) fail("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// As a browser sends it, masked. What the bytes are does not matter but to base64, of which they are "eHh4".
static void make_frame(size_t bytes) {
  static const unsigned char mask[] = {0x12, 0x34, 0x56, 0x78};
  size_t length = on_wire(bytes), at = 2;
  if (wire == NONE) {
    memset(frame, 'x', frame_length = bytes);
    return;
  }
  frame[0] = (char)(wire == BASE64 ? 0x81 : 0x82);
  int extended = length < 126 ? 0 : length < 65536 ? 2 : 8;
  frame[1] = (char)(0x80 | (extended == 0 ? length : extended == 2 ? 126u : 127u));
  for (int i = extended - 1; i >= 0; i--) frame[at++] = (char)((uint64_t)length >> (8 * i));
  memcpy(frame + at, mask, 4);
  at += 4;
  for (size_t i = 0; i < length; i++) frame[at + i] = (char)((wire == BASE64 ? "eHh4" : "xxxx")[i & 3] ^ mask[i & 3]);
  frame_length = at + length;
}

static void open_one(int port, int i) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
  if (wire != NONE) {
    char text[512];
    // The token is "bench".
    int length = snprintf(text, sizeof text,
                          "GET /websockify?token=YmVuY2g HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                          wire == BASE64 ? "base64" : "binary");
    if (write(fd, text, length) != length) fail("handshake");
    for (size_t got = 0; got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4);)
      if (got == sizeof answer || read(fd, answer + got++, 1) != 1) fail("answer");
    if (memcmp(answer, "HTTP/1.1 101", 12)) fail("refused");
  }
  clients[i] = ready(fd);
  targets[i] = ready(accept(listener, 0, 0));
}

// Moves bytes from each of one side to the other until so many came; nobody looks at them, so they are not copied.
static uint64_t move(int *from, int *to, const char *bytes, size_t length, size_t each, size_t expected) {
  struct pollfd polled[MOST * 2];
  size_t left[MOST], at[MOST] = {0}, came = 0;
  for (int i = 0; i < count; i++) {
    left[i] = each;
    polled[i] = (struct pollfd){from[i], POLLOUT, 0};
    polled[count + i] = (struct pollfd){to[i], POLLIN, 0};
  }
  uint64_t begin = now();
  while (came < expected) {
    if (poll(polled, count * 2, 10000) <= 0) fail("nothing comes");
    for (int i = 0; i < count; i++) {
      if (polled[count + i].revents) {
        ssize_t got = recv(to[i], 0, READ, MSG_TRUNC);
        if (got == 0 || (got < 0 && errno != EAGAIN)) fail("recv");
        if (got > 0) came += got;
      }
      if (!polled[i].revents) continue;
      size_t most = length - at[i] < left[i] ? length - at[i] : left[i];
      ssize_t sent = send(from[i], bytes + at[i], most, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) fail("send");
      if (sent <= 0) continue;
      left[i] -= sent;
      at[i] = (at[i] + sent) % length;
      if (left[i] == 0) polled[i].fd = -1;
    }
  }
  return now() - begin;
}

static uint64_t take(size_t bytes) {
  size_t each = bytes / count / 3 * 3;
  return move(targets, clients, source, WRITE, each, on_wire(each) * count);
}

static uint64_t give(size_t bytes) {
  make_frame(PIECE);
  size_t messages = bytes / count / PIECE;
  return move(clients, targets, frame, frame_length, messages * frame_length, messages * PIECE * count);
}

static size_t stall(void) {
  struct pollfd polled[MOST];
  size_t sent = 0;
  for (int i = 0; i < count; i++) polled[i] = (struct pollfd){targets[i], POLLOUT, 0};
  while (poll(polled, count, STILL_MS) > 0)
    for (int i = 0; i < count; i++) {
      if (!polled[i].revents) continue;
      ssize_t some = send(targets[i], source, WRITE, MSG_NOSIGNAL);
      if (some < 0 && errno != EAGAIN) fail("send");
      if (some > 0) sent += some;
    }
  return sent;
}

// Reads until so many have come. Less than one read each, but for the message's header.
static void await(int fd, char *into, size_t most, size_t least) {
  struct pollfd polled = {fd, POLLIN, 0};
  for (size_t got = 0; got < least;) {
    if (poll(&polled, 1, 10000) <= 0) fail("nothing comes back");
    ssize_t some = recv(fd, into + got, most - got, 0);
    if (some <= 0) fail("recv");
    got += some;
  }
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void trips(int times) {
  char back[512];
  int *took = malloc(times * sizeof *took);
  make_frame(SMALL);
  size_t header = wire == NONE ? 0 : 2;
  for (int i = 0; i < times; i++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    if (send(clients[0], frame, frame_length, MSG_NOSIGNAL) != (ssize_t)frame_length) fail("send");
    await(targets[0], back, sizeof back, SMALL);
    if (send(targets[0], back, SMALL, MSG_NOSIGNAL) != SMALL) fail("send");
    await(clients[0], back, sizeof back, header + on_wire(SMALL));
    clock_gettime(CLOCK_MONOTONIC, &b);
    took[i] = (int)((b.tv_sec - a.tv_sec) * 1000000000 + (b.tv_nsec - a.tv_nsec));
  }
  qsort(took, times, sizeof *took, compare);
  printf("%.2f %.2f\n", took[times / 2] / 1e3, took[times * 99 / 100] / 1e3);
  free(took);
}

static void obey(const char *line) {
  char name[16];
  int port, n;
  size_t bytes;
  if (sscanf(line, "open %d %15s %d", &port, name, &n) == 3) {
    wire = !strcmp(name, "base64") ? BASE64 : !strcmp(name, "binary") ? BINARY : NONE;
    for (count = 0; count < n; count++) open_one(port, count);
    puts("open");
  } else if (sscanf(line, "take %zu", &bytes) == 1) printf("%llu\n", (unsigned long long)take(bytes));
  else if (sscanf(line, "give %zu", &bytes) == 1) printf("%llu\n", (unsigned long long)give(bytes));
  else if (sscanf(line, "trips %d", &n) == 1) trips(n);
  else if (!strncmp(line, "stall", 5)) printf("%zu\n", stall());
  else {
    for (; count > 0; count--) close(clients[count - 1]), close(targets[count - 1]);
    puts("closed");
  }
  fflush(stdout);
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  memset(source, 'x', sizeof source);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, MOST)) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  char line[256];
  while (fgets(line, sizeof line, stdin)) obey(line);
}
