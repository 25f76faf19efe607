// bench_plan JOBS EACH TIMES
//
// Finds, as for a configuration that has been read, the order of JOBS jobs of which each requires EACH before it at random:
// the nanoseconds of each of TIMES times.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "conf/references.h"

namespace {

using namespace procsup;

std::string name_of(std::size_t number) { return "b" + std::to_string(number); }

std::vector<JobDraft> jobs_that_require(std::size_t count, std::size_t each, const SourceFile& file) {
    std::mt19937 random(1);
    std::vector<JobDraft> jobs(count);
    for (std::size_t number = 0; number < count; ++number) {
        auto& job = jobs[number];
        job.spec.name = job.name = name_of(number);
        for (std::size_t i = 0; i < each && number > 0; ++i) {
            job.spec.dependencies.requirements.push_back({name_of(random() % number)});
            job.dependency_places.requirements.push_back({&file, {}});
        }
    }
    return jobs;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const SourceFile file{"procsup.toml", "/", false, {}};
    const auto number = [&](int index) { return std::strtoul(argv[index], nullptr, 10); };
    const auto jobs = jobs_that_require(number(1), number(2), file);
    for (auto left = number(3); left > 0; --left) {
        const auto begun = std::chrono::steady_clock::now();
        References references;
        Problems problems;
        for (const auto& job : jobs) references.add(job, job.spec);
        references.check(problems);
        const auto took = std::chrono::steady_clock::now() - begun;
        if (!problems.empty()) return 1;
        std::printf("%lld\n", static_cast<long long>(std::chrono::nanoseconds(took).count()));
    }
    return 0;
}
