// Package jute holds the records of ZooKeeper's protocol: how they are laid out
// on the wire, the operation and error codes, and bounds checks for everything
// that is read.
//
// A record is encoded by appending to an [Encoder] and decoded from a [Decoder].
// Decoding never panics and never allocates more than the frame that it was given
// could hold: a length or a vector count that exceeds what is left of the frame is
// [ErrMalformed]. Decoded byte slices point into the frame; strings are copies.
//
// The layout follows zookeeper.jute of ZooKeeper 3.9; the trailing read-only byte
// of the handshake is optional on both sides, as servers before 3.4 and the
// go-zookeeper library leave it out.
package jute
