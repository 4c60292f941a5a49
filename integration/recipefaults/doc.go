// Package recipefaults holds the tests that break something in every phase of every recipe, on
// one real server and on three: the reply to each single request is lost, the link is cut and
// the session expires with each request under way and while nothing is under way, and a leader is
// killed under all of them at once.
package recipefaults
