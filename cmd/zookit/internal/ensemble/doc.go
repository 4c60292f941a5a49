// Package ensemble has the commands about servers and sessions, where nodes are not what matters.
package ensemble
