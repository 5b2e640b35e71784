// What the machine allows: each subscriber is sent its bytes by one send() for all that are published together.
//
// Says "port N"; answers the lines "publish COUNT" with "published", "cpu" with microseconds of CPU time so far.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// As long as the frame of one notification: a WebSocket header, the topic, its data and the position.
static const char FRAME[] = "\x81\x37POST:/bench/users {\"m\":\"\x7f\"}\n@AAAAAAAA:1000000000000000\n";
enum { LENGTH = sizeof FRAME - 1, MOST = 1000 };

static int *subscribers, count;

static void send_all(const char *bytes, size_t length) {
  for (int i = 0; i < count; i++)
    if (send(subscribers[i], bytes, length, MSG_NOSIGNAL) != (ssize_t)length) {
      perror("send");
      exit(1);
    }
}

static void publish(int times) {
  static char together[LENGTH * MOST];
  for (int i = 0; i < times; i++) memcpy(together + i * LENGTH, FRAME, LENGTH);
  if (times > 0) send_all(together, times * LENGTH);
}

static void obey(char *line) {
  if (!strncmp(line, "publish ", 8)) {
    publish(atoi(line + 8));
    puts("published");
  } else {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%lld\n", (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
                         used.ru_stime.tv_usec);
  }
  fflush(stdout);
}

int main(void) {
  subscribers = calloc(1 << 20, sizeof *subscribers);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct pollfd waiting[] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
  char line[128];
  for (;;) {
    poll(waiting, 2, -1);
    if (waiting[0].revents & POLLIN) {
      int one = 1;
      subscribers[count] = accept(listener, 0, 0);
      setsockopt(subscribers[count++], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    if (!waiting[1].revents) continue;
    if (!fgets(line, sizeof line, stdin)) return 0;
    obey(line);
  }
}
