#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace procsup {

/// Records (JSON objects, each a line) that are not known to be in their files yet, by name, in order. A batch of a name at a
/// time can be under way. Bounded while nothing is written: of too many the oldest go that are not under way, and the next one of
/// that name says how many, with a member "lost".
class PendingRecords {
public:
    /// `record` is an object with at least one member.
    void add(const std::string& name, std::string record);

    /// Have a batch to send, and none under way or held.
    const std::set<std::string>& sendable() const { return sendable_; }
    /// One of these has a whole batch, and more is on its way if it is made to wait.
    bool is_pressing() const { return pressing_; }
    /// The next batch of a sendable name, as lines; under way from now on, known as `id`.
    std::string send(const std::string& name, std::int64_t id);
    /// That batch is in its file. Whose it is; empty: nobody's.
    std::string written(std::int64_t id);
    /// That batch is not, and is held, with all of its name, until release(). Whose it is; empty: nobody's.
    std::string hold(std::int64_t id);
    /// Whatever is sendable is held.
    void hold_all();
    void release();
    bool under_way() const { return !ids_.empty(); }

    struct Batch {
        std::int64_t id = 0;
        std::string name;
        std::string lines;
    };
    /// Everything that is under way.
    std::vector<Batch> sent() const;
    /// All records of a name, oldest first.
    std::vector<std::string> of(const std::string& name) const;

    static constexpr std::size_t kMostOfName = 128 * 1024;  ///< bytes; each name keeps one record at least
    static constexpr std::size_t kMost = 1024 * 1024;
    static constexpr std::size_t kBatch = 32 * 1024;

private:
    struct Record {
        std::string text;
        std::uint64_t lost = 0;  ///< how many before it were dropped
        std::string whole() const;
    };
    struct Queue {
        std::deque<Record> records;
        std::size_t bytes = 0;
        std::size_t sent = 0;  ///< of the oldest: under way
        std::int64_t id = 0;   ///< as which
        bool can_drop() const { return records.size() > sent + 1; }
    };

    void make_sendable(const std::string& name, const Queue& queue);
    void drop_oldest(Queue& queue);
    std::string taken(std::int64_t id);
    static std::string lines_of(const Queue& queue);

    std::map<std::string, Queue> queues_;
    std::map<std::int64_t, std::string> ids_;  ///< whose batch is known as that
    std::set<std::string> sendable_, held_;
    bool pressing_ = false;
    std::size_t bytes_ = 0;
};

}  // namespace procsup
