/* SPDX-License-Identifier: Apache-2.0
 * main.c - tacitd: arguments, then the daemon. Exit status 0 after a signal or when `--once` is
 * done, 1 when it cannot start, 2 for wrong arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/daemon.h"
#include "server/logline.h"

static const char help[] =
    "usage: tacitd DIR [--port N] [--once] [--json-log]\n"
    "\n"
    "Serves the folder that `tacit init DIR` made: waits for runs (`tacit round DIR start`), runs\n"
    "them with the devices that come, publishes the models. Log on standard error.\n"
    "\n"
    "  --port N     listen there instead of the port in DIR/tacit.ini (0: any free one)\n"
    "  --once       end when no run is waiting\n"
    "  --json-log   one JSON object per log line\n"
    "  --help       this\n"
    "\n"
    "The port in use is written to DIR/port. SIGINT and SIGTERM end it; a cohort in flight is "
    "then\n"
    "lost, nothing else is.\n";

static int misused(const char *what, const char *argument) {
    fprintf(stderr, "tacitd: %s%s\n\n%s", what, argument, help);
    return 2;
}

static bool port_of(int32_t *port, const char *text) {
    char *end = NULL;
    long v = strtol(text, &end, 10);
    if (end == text || *end != 0 || v < 0 || v > 65535) return false;
    *port = (int32_t)v;
    return true;
}

int main(int argc, char **argv) {
    daemon_options options = {.port = -1};
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--once") == 0) {
            options.once = true;
        } else if (strcmp(argv[i], "--json-log") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--port") == 0) {
            if (i + 1 == argc || !port_of(&options.port, argv[i + 1]))
                return misused("--port wants a number from 0 to 65535", "");
            i++;
        } else if (argv[i][0] == '-') {
            return misused("unknown option ", argv[i]);
        } else if (options.dir != NULL) {
            return misused("one folder only, not also ", argv[i]);
        } else {
            options.dir = argv[i];
        }
    }
    if (options.dir == NULL) return misused("which folder?", "");
    logline_setup(stderr, json);
    char note[DAEMON_NOTE_LEN + 1];
    daemon_state *d = NULL;
    tacit_status st = daemon_new(&d, note, &options);
    if (st != TACIT_OK) {
        fprintf(stderr, "tacitd: %s\n", note[0] != 0 ? note : tacit_status_text(st));
        return 1;
    }
    printf("tacitd listens on %s port %u\n", daemon_address(d), daemon_port(d));
    fflush(stdout);
    logline l;
    logline_begin(&l, LOG_INFO, "listen");
    logline_number(&l, "port", daemon_port(d));
    logline_end(&l);
    daemon_run(d);
    daemon_free(d);
    return 0;
}
