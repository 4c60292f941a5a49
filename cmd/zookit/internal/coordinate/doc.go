// Package coordinate has the commands that run another command while they hold a lock, or lead.
package coordinate
