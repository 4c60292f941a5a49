//go:build race

package recipes_test

// manyWaiters is less with the race detector, which makes everything ten times slower.
const manyWaiters = 500
