// Package inspect has the commands that say of nodes what recipe they are, who holds, who waits and who is there, and the one
// that takes a lock away from its holder. They only read, but for that one: what the recipes' own packages would make on the
// way, such as the nodes of a queue, is read here without them.
package inspect
