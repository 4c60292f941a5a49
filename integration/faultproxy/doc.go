// Package faultproxy is a TCP proxy that stands between a ZooKeeper client and
// a server and breaks the line between them in chosen ways, at chosen moments.
//
// There are two kinds of trouble:
//
//   - The line: [Proxy.Cut] (FIN), [Proxy.Reset] (RST), [Proxy.Refuse] (new
//     connections are refused), [Proxy.BlackHole] (bytes vanish, nobody is
//     told), [Proxy.Delay], [Proxy.Jitter] and [Proxy.Hold] (bytes come later). The last four
//     work for each direction by itself; [Proxy.Heal] ends them.
//   - One request: [Proxy.DropRequest] (never delivered), [Proxy.SwallowReply]
//     (carried out, but the client never learns it), [Proxy.HoldRequest] and
//     [Proxy.HoldReply]. Each of them hits once. The [Fault] that they return
//     tells when, so that a test waits for the event and not for a time.
//
// The proxy reads the frames of ZooKeeper's protocol in order to know requests
// from each other, logs them ([Proxy.Requests], [Proxy.Replies]) and shows them
// to [Proxy.OnRequest] and [Proxy.OnReply]. It never changes a byte. What
// cannot be a ZooKeeper frame (TLS, a four-letter word, a frame over 64 MiB)
// makes its direction of its connection raw: from there on bytes pass as they
// come, they are neither logged nor matched, and only the faults of the line
// apply. [Raw] asks for that from the first byte.
//
// # What is guaranteed
//
//   - A whole frame is delivered or none of it, unless the connection breaks,
//     or Hold or BlackHole starts, while the receiver is slow to take it.
//   - When BlackHole or Hold has returned, nothing more of that direction is
//     handed to the receiver's socket.
//   - When Cut, Reset or Refuse has returned, it has happened. Bytes that were
//     still inside the proxy are lost with their connection.
//   - The end of a stream keeps its kind and its place: a FIN is passed on as a
//     FIN and an RST as an RST, behind the bytes that came before it, and it is
//     delayed, held or lost like them.
//   - A request is hit by at most one fault that concerns its delivery and one
//     that concerns its reply, and a fault hits at most one request.
//   - Close ends everything at once and waits for every goroutine of the proxy.
//
// # What is not
//
// The proxy's own sockets acknowledge what they receive. A black hole is
// therefore silent for the programs on both ends, but TCP's own timers see
// nothing of it. For the same reason a connection that is opened to a proxy
// that is a black hole is accepted; it is never connected to the server.
package faultproxy
