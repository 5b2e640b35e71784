// What the machine allows: a relay that reads, frames or unframes, and writes, and knows nothing else. It believes
// what it is told, waits with `epoll`, and keeps one buffer for each direction.
//
//   limit TARGET-PORT
//
// Says "port N".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, HEADER = 14 };

// The client's key is always the same one.
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                             "Sec-WebSocket-Protocol: binary\r\n\r\n";

struct tunnel;

// One direction, from the socket that it belongs to; what is in the buffer waits for the other one.
struct end {
  struct tunnel *tunnel;
  int fd;
  size_t begin, end;
  char *buffer;
};

struct tunnel {
  struct end client, target;
  // Of the message that is on its way from the client.
  char header[HEADER];
  size_t have, left, at;
  unsigned char mask[8];
};

static int epoll;

static void set_events(struct end *end, int operation) {
  struct tunnel *tunnel = end->tunnel;
  struct end *other = end == &tunnel->client ? &tunnel->target : &tunnel->client;
  struct epoll_event event = {.data.ptr = end};
  event.events = (end->begin < end->end ? 0 : EPOLLIN) | (other->begin < other->end ? EPOLLOUT : 0);
  epoll_ctl(epoll, operation, end->fd, &event);
}

static void finish(struct tunnel *tunnel) {
  close(tunnel->client.fd);
  close(tunnel->target.fd);
  tunnel->client.fd = -1;
}

static int flush(struct end *from, int to) {
  ssize_t sent = send(to, from->buffer + from->begin, from->end - from->begin, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return -1;
  if (sent > 0) from->begin += sent;
  return from->begin < from->end;
}

static size_t header_length(const char *header, size_t have) {
  if (have < 2) return 2;
  int length = header[1] & 0x7f;
  return 6 + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

static void unmask(struct tunnel *tunnel, char *to, const char *bytes, size_t count) {
  unsigned char turned[8];
  for (int i = 0; i < 8; i++) turned[i] = tunnel->mask[(tunnel->at + i) & 3];
  uint64_t key, word;
  memcpy(&key, turned, 8);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    memcpy(&word, bytes + i, 8);
    word ^= key;
    memcpy(to + i, &word, 8);
  }
  for (; i < count; i++) to[i] = (char)(bytes[i] ^ turned[i & 7]);
  tunnel->at += count;
}

// Leaves the payloads in place of the messages.
static void unframe(struct tunnel *tunnel, size_t got) {
  struct end *client = &tunnel->client;
  char *bytes = client->buffer, *end = bytes + got, *to = bytes;
  while (bytes < end) {
    if (tunnel->left == 0) {
      tunnel->header[tunnel->have++] = *bytes++;
      size_t whole = header_length(tunnel->header, tunnel->have);
      if (tunnel->have < whole) continue;
      int length = tunnel->header[1] & 0x7f, extended = (int)whole - 6;
      tunnel->left = extended == 0 ? length : 0;
      for (int i = 0; i < extended; i++) tunnel->left = tunnel->left << 8 | (unsigned char)tunnel->header[2 + i];
      memcpy(tunnel->mask, tunnel->header + whole - 4, 4);
      tunnel->have = tunnel->at = 0;
      continue;
    }
    size_t some = (size_t)(end - bytes) < tunnel->left ? (size_t)(end - bytes) : tunnel->left;
    unmask(tunnel, to, bytes, some);
    tunnel->left -= some;
    bytes += some;
    to += some;
  }
  client->begin = 0;
  client->end = to - client->buffer;
}

// A header in front of what was read.
static void frame(struct end *target, size_t got) {
  unsigned char *header = (unsigned char *)target->buffer + HEADER;
  int extended = got < 126 ? 0 : got < 65536 ? 2 : 8;
  header -= 2 + extended;
  header[0] = 0x82;
  header[1] = extended == 0 ? got : extended == 2 ? 126 : 127;
  for (int i = 0; i < extended; i++) header[2 + i] = got >> (8 * (extended - 1 - i));
  target->begin = (char *)header - target->buffer;
  target->end = HEADER + got;
}

static void serve(struct end *end, uint32_t events) {
  struct tunnel *tunnel = end->tunnel;
  if (tunnel->client.fd < 0) return;
  struct end *other = end == &tunnel->client ? &tunnel->target : &tunnel->client;
  if (events & EPOLLOUT) {
    int left = flush(other, end->fd);
    if (left < 0) return finish(tunnel);
    if (!left) set_events(other, EPOLL_CTL_MOD), set_events(end, EPOLL_CTL_MOD);
  }
  if (!(events & ~EPOLLOUT) || end->begin < end->end) return;
  ssize_t got = recv(end->fd, end->buffer + (end == &tunnel->target ? HEADER : 0), BUFFER, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return finish(tunnel);
  if (end == &tunnel->client) unframe(tunnel, got);
  else frame(end, got);
  int left = end->begin < end->end ? flush(end, other->fd) : 0;
  if (left < 0) return finish(tunnel);
  if (left) set_events(other, EPOLL_CTL_MOD), set_events(end, EPOLL_CTL_MOD);
}

static void add(struct tunnel *tunnel, struct end *end, int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  *end = (struct end){.tunnel = tunnel, .fd = fd, .buffer = malloc(HEADER + BUFFER)};
  set_events(end, EPOLL_CTL_ADD);
}

static void begin(int listener, int port) {
  struct tunnel *tunnel = calloc(1, sizeof *tunnel);
  char asked[4096];
  int client = accept(listener, 0, 0), target = socket(AF_INET, SOCK_STREAM, 0);
  for (size_t got = 0; got < 4 || memcmp(asked + got - 4, "\r\n\r\n", 4);)
    if (got == sizeof asked || read(client, asked + got++, 1) != 1) exit(1);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(target, (struct sockaddr *)&address, sizeof address)) exit(1);
  if (write(client, ANSWER, sizeof ANSWER - 1) < 0) exit(1);
  add(tunnel, &tunnel->client, client);
  add(tunnel, &tunnel->target, target);
}

int main(int argc, char **argv) {
  int port = argc > 1 ? atoi(argv[1]) : 0, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64)) return 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  epoll = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN}, events[64];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
  for (;;) {
    int some = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < some; i++)
      if (events[i].data.ptr) serve(events[i].data.ptr, events[i].events);
      else begin(listener, port);
  }
}
