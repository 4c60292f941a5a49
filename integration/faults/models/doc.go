// Package models decides whether a history of package history keeps the promises: what is held is held by one,
// tokens grow, registers are linearizable (by porcupine), nothing is left behind. An operation whose
// outcome is unknown may have taken effect at any time after it began, or not at all.
package models
