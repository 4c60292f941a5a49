// Package health has the command that asks all servers of an ensemble how they are.
package health
