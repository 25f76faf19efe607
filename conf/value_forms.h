#pragma once

#include "conf/keys.h"

/// What the rows of the table in keys.cc may refer to.
namespace procsup::value_form {

extern const ValueForm kString, kBool, kCommand, kInstances, kPort, kName, kNames, kPath, kPaths, kUmask, kStrings,
    kEnvNames, kEnv, kTable, kDuration, kTimeout, kBackoff, kJitter, kStartLimit, kRestartLimit, kLooks, kHealthAction,
    kCpuAbove, kCron, kZone, kOverlap, kMissed, kStrategy, kGroupExhausted, kExitSet, kSignal, kStopSignal, kStopScope,
    kSignalTo, kOrphans, kZombies, kReadyFd, kExpression, kAddress, kPage, kJob, kJobs, kRequirements, kParentRestart,
    kType, kRestart, kExhausted, kOutput, kInput, kFormat, kLogSize, kLogAge, kKept, kCompress, kOnFull, kLineLimit,
    kCount, kSize, kCpuTime, kNiceLimit, kRealtimePriority, kRealtimeTime, kNice, kScheduling, kIoPriority, kCpus, kOom,
    kTreeMemory, kProcessors, kWeight, kTasks, kLogLevel, kContainment, kOnCrash, kClients, kAccess, kCapabilities,
    kSandboxPaths, kCredentials, kDirNames, kSockets;

}  // namespace procsup::value_form
