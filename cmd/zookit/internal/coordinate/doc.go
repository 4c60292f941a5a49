// Package coordinate has the commands that run another command while they hold something, and those that
// use the recipes by themselves.
package coordinate
