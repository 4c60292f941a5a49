// Package peertest has the tests that every peer's worker passes: that it speaks as package work says, does each work on
// real servers, and says so where its library lacks one.
package peertest
