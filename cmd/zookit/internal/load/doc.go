// Package load has the command that puts a small load on an ensemble, and says how fast it was.
package load
