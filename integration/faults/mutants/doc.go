// Package mutants plants defects into zookit, for the laboratory to find: who looks for what is not there does not know
// whether it would be found.
//
// A mutant is an edit of a source file, made by go build's -overlay, so that no trace of it is in the
// program that users get. An edit whose text the file does not have any more is an error, not a
// mutant that does nothing.
package mutants
