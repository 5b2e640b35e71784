// A few clients of an app, each of which asks again as soon as it has its answer.
//
//   load PORT CLIENTS
//
// Answers each line "MS" on stdin, when so many milliseconds are over, with how many answers came in that time and with
// the median, the 99th percentile and the most of their microseconds. What was asked and not answered counts with the
// time that it has waited. Written in C so that it costs the other core less than what is measured.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 256, MAX_ANSWERS = 1 << 22, BUFFER = 1 << 16 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char END[] = "\n\n\n";

static struct { int fd; uint64_t asked_at; } clients[MAX_CLIENTS];
static uint32_t took[MAX_ANSWERS];
static size_t answers;
static char buffer[BUFFER];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void ask(int i) {
  clients[i].asked_at = microseconds();
  if (send(clients[i].fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) < 0) fail("send");
}

static void note(int i) {
  if (answers < MAX_ANSWERS) took[answers++] = microseconds() - clients[i].asked_at;
}

/* The app ends each answer with three line feeds, and has them nowhere else. */
static void hear(int i) {
  ssize_t length = recv(clients[i].fd, buffer, BUFFER, 0);
  if (length <= 0) fail("the app hung up");
  if (length < 3 || memcmp(buffer + length - 3, END, 3)) return;
  note(i);
  ask(i);
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int count = atoi(argv[2]), epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < count; i++) {
    int fd = clients[i].fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    ask(i);
  }
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    answers = 0;
    for (int i = 0; i < count; i++) clients[i].asked_at = microseconds();
    uint64_t until = microseconds() + strtoull(line, 0, 10) * 1000;
    for (int64_t left; (left = until - microseconds()) > 0;) {
      struct epoll_event events[MAX_CLIENTS];
      int ready = epoll_wait(epoll, events, MAX_CLIENTS, left / 1000 + 1);
      for (int e = 0; e < ready; e++) hear(events[e].data.u32);
    }
    size_t answered = answers;
    for (int i = 0; i < count; i++) note(i);
    qsort(took, answers, sizeof *took, ascending);
    printf("%zu %u %u %u\n", answered, took[answers / 2], took[answers * 99 / 100], took[answers - 1]);
    fflush(stdout);
  }
}
