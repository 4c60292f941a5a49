// Package shell has the tool's own shell: all its commands, and those of zkCli.sh, in one session.
//
// Each line builds the tool's tree of commands anew, around the client of the shell; what zkCli.sh calls otherwise is
// added to it, and mostly calls the tool's commands in turn. So there is one implementation of each.
package shell
