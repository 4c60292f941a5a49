// Package nemesis is what is done to servers, links and processes: each fault by itself, with a name, a way to do it and a
// way to undo it. Faults that need what this machine cannot do are absent by name.
package nemesis
