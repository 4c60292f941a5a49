// Package wire is the frame-aware connection between the go-zookeeper library and
// the socket.
//
// go-zookeeper keeps a session alive: it dials again when a connection is gone,
// pings, and says goodbye. Everything else about its view of the wire is too
// coarse for a client that has to say honestly what happened: it cannot tell a
// request that was never sent from one whose answer was lost, it cannot be given
// a context, it hides the session's password, and several of its paths hang,
// panic or reorder (see the tests named for B1 to B12). So a [Link] is put under
// it, through its public dialer option:
//
//   - The whole handshake is done inside [Link.Dial]: bounded in time and size, with
//     the session's id and password, the newest zxid that was really seen, and the
//     user's SASL login and credentials, which a server has accepted before any
//     request is sent.
//     The library is handed a connection that is already established, and its own
//     handshake is answered from memory.
//   - All requests but pings and the closing of the session are sent by [Link.Send],
//     with negative xids. Several calls given together leave in one flight, in order.
//     When the connection ends each call knows whether it can have reached the server.
//   - The send time of every answered frame and of every committed write is recorded;
//     [Link.Proof] derives from them how long the session certainly lives.
//   - The library sets no watches, hence never re-sends any; a frame from it other
//     than the ones above is a violated assumption and ends the connection.
//   - Write never fails towards the library; the connection is closed instead.
//
// The package relies on two properties of go-zookeeper v1.0.4 that are not
// documented, and checks both at run time: each Write carries one whole frame, and
// the first frame of a connection is the connect request.
package wire
