//go:build race

package client_test

// manyWatches is less with the race detector, which makes everything ten times slower.
const manyWatches = 4_000
