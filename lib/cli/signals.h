// Being asked to stop. Most tools let a signal kill them (their output is atomic, so nothing half-written stays);
// a trainer asks for the flag instead, writes a checkpoint at the next step and throws nd::Interrupted.
#pragma once

namespace nd::cli {

// From here on SIGINT and SIGTERM set the flag. A second signal kills at once.
void catch_stop_signals();

// The signal that asked us to stop, 0 when none did. Cheap: call it every step.
int stop_requested();

// What every tool does first: standard streams that are closed are opened on nothing (so that a file of ours never
// takes the place of stdout), and a reader that goes away is a write error, not a silent death.
void prepare_process();

}  // namespace nd::cli
