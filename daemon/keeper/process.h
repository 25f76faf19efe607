#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace procsup::keeper {

/// Of /proc/PID/stat.
struct Stat {
    char state = '?';  ///< of the first thread
    pid_t parent = 0;
    /// In ticks since boot, the lower half; never 0. With the pid it names a process for good.
    std::uint32_t started = 0;

    /// It does nothing more, or nothing until it is continued.
    bool is_at_rest() const { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }
};

/// Holds a process (pidfd_open(2)): once it has been collected, reading and signalling fail even if its number is in use
/// again.
class Process {
public:
    Process() = default;
    explicit Process(pid_t pid) { hold(pid); }
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Only once.
    void hold(pid_t pid);
    bool is_held() const { return pidfd_ >= 0; }
    bool read(Stat& stat) const;
    /// Not collected yet, though perhaps a zombie.
    bool exists() const;
    void signal(int number) const;

private:
    pid_t pid_ = 0;
    int pidfd_ = -1;
};

/// The session of the process that has the number at the moment; 0: it cannot be named here.
pid_t session_of(pid_t pid);

/// The children of all threads of the process that has a number at the moment, read as one goes. The kernel may leave
/// one out while others end; a list that nothing changes is complete (proc_pid_children(5)).
class Children {
public:
    explicit Children(pid_t parent);
    ~Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;

    /// 0 when there is none left.
    pid_t next();

private:
    bool next_thread();
    bool open_list(pid_t thread);

    char task_[32];        ///< the directory of the threads
    int threads_fd_ = -1;  ///< -1: there is one thread
    int list_fd_ = -1;
    pid_t thread_;  ///< to be read next, if there is one thread; 0 once it was
    long threads_at_ = 0, threads_size_ = 0;
    long text_at_ = 0, text_size_ = 0;
    alignas(8) char threads_[1024];
    char text_[1024];
};

/// The digits that `text` begins with.
pid_t parse_pid(const char* text);

/// Whether /proc is there and counts as the caller does, who is `self`: it may belong to another pid namespace.
bool proc_counts_as(pid_t self);

}  // namespace procsup::keeper
