// Package child runs a command under a grant: it lives no longer than the grant is
// certain to be held.
//
// The command is not run by the program that holds the grant but by a guard, a second process
// of the same program, which is told until when the grant is certain. The guard ends the
// command, all of its process group, with SIGTERM so long before that time that the grace
// is over with it, and with SIGKILL then, also when the holder is stopped, hangs or has been killed: nobody has
// to tell the guard that time is up. The time is one of CLOCK_MONOTONIC, which
// all processes of a machine share.
//
// What is left: a guard that is stopped together with the holder ends nothing, and a process
// that has left the group of the command (setsid, a daemon) is not reached.
package child
