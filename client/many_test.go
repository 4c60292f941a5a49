//go:build !race

package client_test

// manyWatches is how many watches the tests of many set.
const manyWatches = 40_000
