#include "ctl/logs/merge.h"

#include <algorithm>

namespace procsup::ctl {
namespace {

bool is_later(const Source* a, const Source* b) {
    if (a->key() != b->key()) return a->key() > b->key();
    return a->stream().place > b->stream().place;
}

/// Moves the front to its place, which is seldom far: a stream tends to have several lines in a row.
void sink_front(std::vector<Source*>& heap) {
    Source* const moved = heap.front();
    std::size_t at = 0;
    for (;;) {
        std::size_t child = 2 * at + 1;
        if (child >= heap.size()) break;
        if (child + 1 < heap.size() && is_later(heap[child], heap[child + 1])) ++child;
        if (!is_later(moved, heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

}  // namespace

void Merge::add(Source& source) {
    if (!source.next()) return;
    heap_.push_back(&source);
    std::push_heap(heap_.begin(), heap_.end(), is_later);
}

Source* Merge::next() {
    if (front_is_given_) {
        if (heap_.front()->next()) {
            sink_front(heap_);
        } else {
            std::pop_heap(heap_.begin(), heap_.end(), is_later);
            heap_.pop_back();
        }
    }
    front_is_given_ = !heap_.empty();
    return heap_.empty() ? nullptr : heap_.front();
}

}  // namespace procsup::ctl
