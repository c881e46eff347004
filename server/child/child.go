// Package child runs the programs that the server starts, git and the scanner,
// at a lower priority than the server itself: a webhook is to be answered in
// milliseconds whatever the scans take of the machine.
package child

import "os/exec"

// Niceness is by how much the priority is lower, as nice(1) counts.
const Niceness = 5

// Run runs the command to its end, as cmd.Run does, and so do the programs that
// it starts. A system that knows no priorities runs it at its own.
func Run(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	lower(cmd.Process.Pid)
	return cmd.Wait()
}
