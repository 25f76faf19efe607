// thread_parent
//
// Its first thread ends, so that /proc shows a zombie; its second has a child, prints the child's pid, and stays.

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_t first;

static void* second(void* unused) {
    pthread_join(first, NULL);
    const pid_t pid = fork();
    while (pid == 0) pause();
    printf("%d\n", pid);
    fflush(stdout);
    for (;;) pause();
    return unused;
}

int main(void) {
    pthread_t thread;
    first = pthread_self();
    if (pthread_create(&thread, NULL, second, NULL) != 0) return 2;
    pthread_exit(NULL);
}
