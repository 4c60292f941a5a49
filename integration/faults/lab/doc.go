// Package lab runs the fault laboratory: stages side by side, which go through the rounds of one schedule, and a report.
package lab
