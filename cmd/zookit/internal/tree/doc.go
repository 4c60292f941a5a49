// Package tree has the commands that look at nodes and change them.
package tree
