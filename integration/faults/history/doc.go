// Package history is what the fault laboratory writes down: each process appends to a file of its
// own, as lines of JSON, what it began, what came of it, and what it saw. The files are merged by the
// machine's monotonic clock, and a checker decides.
//
// See [Event] for the form of a line, which programs in other languages write too, [Recorder] for writing
// and [ReadFiles] for reading. A process may be killed in the midst of a line.
package history
