// Package recipe has the commands that use queues, counters, groups, settings and barriers.
package recipe
