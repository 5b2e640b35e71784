// Many subscribers in one process: connects N of them, then counts a marker byte in all that they are sent.
//
//   subscribers PORT N HANDSHAKE [GROUPS [SINCE [AT_ONCE]]]
//
// Of a peer that has groups, each subscriber is in one of GROUPS: its patterns and its audience are those of that group.
// HANDSHAKE: none (bytes follow the connection), ws, reqcast (ws, and a first message), socketio. SINCE: the position to
// resume from, "-" for none. AT_ONCE: so many are on their way in at a time.
// Says "ready" on stdout when all are in, and answers pings from then on; then answers lines on stdin:
//   TOTAL  with TOTAL when so many markers were counted in all. It does not sleep meanwhile: who wakes it up is the
//          sender, on whose CPU time that would be, as no client of a network is
//   awake  with "awake"; it does not sleep until the next TOTAL
//   when   with the nanoseconds of the monotonic clock at which the last bytes came
//   lag    with the milliseconds from publish to receipt since it was asked last, the 99th percentile and the most, for
//          what is sent with a time: {"m":"MARKER","t":microseconds of the monotonic clock}
// Written in C so that it costs the other core less than what is measured.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MARKER = 0x7f, BUFFER = 1 << 18, STDIN = -1, MAX_LAG_MS = 60000 };
enum state { CONNECTING, UPGRADING, GREETING, OPEN };

struct subscriber {
  int fd;
  enum state state;
  char head[4];
};

static char buffer[BUFFER];
static struct subscriber *all;
static const char *handshake, *since;
static int epoll, port, groups, at_once;
static uint64_t counted, wanted, last;
static int asked, asked_lag, awake;
static uint64_t lags[MAX_LAG_MS + 1];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void say(int fd, const char *bytes, size_t length) {
  if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

/* One masked text frame, the mask zero. */
static void say_text(int fd, const char *text) {
  size_t length = strlen(text);
  char frame[512] = {(char)0x81};
  size_t at = 2;
  if (length < 126) frame[1] = (char)(0x80 | length);
  else {
    frame[1] = (char)(0x80 | 126);
    frame[2] = (char)(length >> 8);
    frame[3] = (char)length;
    at = 4;
  }
  at += 4;
  memcpy(frame + at, text, length);
  say(fd, frame, at + length);
}

static void start(int index) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
  all[index] = (struct subscriber){.fd = fd, .state = CONNECTING};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = index};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

/* With the headers of a browser: what a server keeps of them is a part of what a connection costs. */
static void upgrade(struct subscriber *one, int index) {
  int socketio = !strcmp(handshake, "socketio");
  char request[1024], path[32];
  snprintf(path, sizeof path, "/websockify?group=%d", index % groups);
  snprintf(request, sizeof request,
           "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
           "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
           "Safari/537.36\r\nUpgrade: websocket\r\nOrigin: http://localhost:%d\r\nSec-WebSocket-Version: 13\r\n"
           "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
           "Cookie: sid=s%%3AxQdT2yKc0bC1nqfuXrWcVh0kTzPq8m4L.%d\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n",
           socketio ? "/socket.io/?EIO=4&transport=websocket" : path, port, port, one->fd,
           !strcmp(handshake, "reqcast") ? "Sec-WebSocket-Protocol: reqcast.v1\r\n" : "");
  say(one->fd, request, strlen(request));
  one->state = UPGRADING;
}

static void greet(struct subscriber *one, int index) {
  if (!strcmp(handshake, "socketio")) say_text(one->fd, "40");
  else if (!strcmp(handshake, "reqcast")) {
    char text[128];
    snprintf(text, sizeof text, "since %s\n+*:/bench/**\n+POST:/group/%d", since, index % groups);
    say_text(one->fd, text);
  } else {
    one->state = OPEN;
    return;
  }
  one->state = GREETING;
}

/* Notes how long ago what stands at the marker was published, if that is told. */
static void note_lag(const char *at, const char *end, uint64_t now) {
  if (end - at < 24 || memcmp(at + 1, "\",\"t\":", 6)) return;
  int64_t lag = (int64_t)(now - strtoull(at + 7, 0, 10)) / 1000;
  lags[lag < 0 ? 0 : lag > MAX_LAG_MS ? MAX_LAG_MS : lag]++;
}

static void tell_lag(void) {
  uint64_t all = 0, seen = 0;
  int p99 = -1, most = 0;
  for (int ms = 0; ms <= MAX_LAG_MS; ms++) all += lags[ms];
  for (int ms = 0; ms <= MAX_LAG_MS; ms++) {
    seen += lags[ms];
    if (lags[ms]) most = ms;
    if (p99 < 0 && seen * 100 >= all * 99) p99 = ms;
  }
  printf("%d %d\n", p99, most);
  memset(lags, 0, sizeof lags);
}

static void count(size_t length) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  last = now.tv_sec * 1000000000ULL + now.tv_nsec;
  for (char *at = buffer, *end = buffer + length; (at = memchr(at, MARKER, end - at)); at++) {
    counted++;
    note_lag(at, end, last / 1000);
  }
}

/* Nobody may take it for dead. What else is sent is ASCII. */
static void answer_ping(int fd, size_t length) {
  if (memmem(buffer, length, "\x89\0", 2)) say(fd, "\x8a\x80\0\0\0\0", 6);
}

/* Returns 1 when the subscriber has become open. */
static int hear(struct subscriber *one, int index, size_t length) {
  if (one->state == OPEN) {
    count(length);
    answer_ping(one->fd, length);
    return 0;
  }
  if (one->state == UPGRADING) {
    if (!memmem(buffer, length, "\r\n\r\n", 4)) return 0;
    if (strncmp(buffer, "HTTP/1.1 101", 12)) {
      fprintf(stderr, "refused: %.60s\n", buffer);
      exit(1);
    }
    greet(one, index);
    return one->state == OPEN;
  }
  if (!strcmp(handshake, "socketio") && !memmem(buffer, length, "40{", 3)) return 0;
  one->state = OPEN;
  // A replay may come with the answer.
  count(length);
  return 1;
}

static void listen_to_stdin(void) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = STDIN};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event)) fail("stdin");
}

/* Returns how many have become open. */
static int turn(void) {
  struct epoll_event events[1024];
  int opened = 0;
  int count = epoll_wait(epoll, events, 1024, asked || awake ? 0 : -1);
  for (int i = 0; i < count; i++) {
    int index = (int)events[i].data.u32;
    if (index == STDIN) {
      char line[64];
      ssize_t length = read(0, line, sizeof line - 1);
      if (length <= 0) exit(0);
      line[length] = 0;
      if (!strncmp(line, "when", 4)) {
        printf("%llu\n", (unsigned long long)last);
        fflush(stdout);
        continue;
      }
      if (!strncmp(line, "awake", 5)) {
        awake = 1;
        puts("awake");
        fflush(stdout);
        continue;
      }
      asked = 1;
      awake = 0;
      asked_lag = !strncmp(line, "lag", 3);
      wanted = strtoull(line, 0, 10);
      continue;
    }
    struct subscriber *one = &all[index];
    if (one->state == CONNECTING && events[i].events & EPOLLOUT) {
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
      epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &event);
      if (strcmp(handshake, "none")) upgrade(one, index);
      else {
        one->state = OPEN;
        opened++;
      }
    }
    if (!(events[i].events & EPOLLIN)) continue;
    ssize_t length = recv(one->fd, buffer, BUFFER, 0);
    if (length == 0 || (length < 0 && errno != EAGAIN)) fail("a subscriber was cut off");
    if (length > 0) opened += hear(one, index, length);
  }
  return opened;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  port = atoi(argv[1]);
  int n = atoi(argv[2]);
  handshake = argv[3];
  groups = argc > 4 ? atoi(argv[4]) : 1;
  since = argc > 5 ? argv[5] : "-";
  at_once = argc > 6 ? atoi(argv[6]) : 256;
  struct rlimit files = {n + 64, n + 64};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  all = calloc(n, sizeof *all);
  epoll = epoll_create1(0);
  for (int started = 0, opened = 0; opened < n; opened += turn())
    while (started < n && started - opened < at_once) start(started++);
  puts("ready");
  fflush(stdout);
  for (listen_to_stdin();; turn()) {
    if (!asked || counted < wanted) continue;
    if (asked_lag) tell_lag();
    else printf("%llu\n", (unsigned long long)counted);
    fflush(stdout);
    asked = 0;
  }
}
