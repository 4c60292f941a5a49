// Package complete knows which arguments of a command are paths of nodes, and completes them: for shells, through
// cobra's hidden command __complete, and for the tool's own shell.
//
// What is known comes from the line that says how a command is used: "cp FROM TO" takes two paths, "grep PATTERN [PATH]" one
// that may be missing. So a command that says what it takes has completion without a word of code.
package complete
