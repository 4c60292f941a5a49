//go:build !race

package recipes_test

// manyWaiters is how many stand in the line of the test of many.
const manyWaiters = 5_000
