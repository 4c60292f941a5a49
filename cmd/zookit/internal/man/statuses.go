package man

import "github.com/zookit/zookit/cmd/zookit/internal/app"

// statuses are the exit statuses of the tool, for people.
var statuses = []struct {
	code    int
	meaning string
}{
	{0, "It worked. Of a command that is run under a grant: its own exit status, 128 and the number of the signal if one has ended it."},
	{app.ExitFailed, "It did not work; the message says why. Of diff and grep: there is a difference, or no line that matches."},
	{app.ExitUsage, "The command line, a setting or a document is wrong."},
	{app.ExitUnavailable, "No server of the ensemble could be reached."},
	{app.ExitUnhealthy, "Servers were reached, and the ensemble is not healthy (zookit health)."},
	{app.ExitBusy, "Not acquired: somebody else has it, or not in time."},
	{app.ExitLost, "Lost while the command was running, which has been ended."},
	{app.ExitNoCommand, "The command that was to be run is not there."},
	{130, "Interrupted."},
}
