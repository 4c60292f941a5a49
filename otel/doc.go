// Package otel tells OpenTelemetry what a client does: a span for each operation and for
// each wait for a lock and the like, and metrics.
//
//	hooks, err := otel.NewHooks() // with the global providers
//	cl, err := client.Connect(ctx, servers, client.WithHooks(hooks))
//
// It is a module of its own, so that its dependencies are only those of programs that use
// it. It follows the semantic conventions for database clients where they have a
// name. Data of nodes is in nothing that it exports; paths are only with [WithPaths].
//
// # Spans
//
// Each operation, as client.HookOp has them, is a span of kind client, a child of the
// span in the caller's context. It is named for the operation, such as "getData", and has
// the attributes db.system.name ("zookeeper"), db.operation.name, server.address and
// server.port (of the server that the last attempt went to, as resolved), zookit.attempts,
// zookit.session and zookit.outcome, and after an error error.type, which is of few values:
// "no_node", "connection_lost", ... With paths also zookit.path, and the error's text is the span's
// status.
//
// Each call that asks for a grant (a lock, a leadership) is a span "acquire" of kind
// internal from the call until it holds or misses, with zookit.grant.result, zookit.grant.token and
// error.type.
//
// # Metrics
//
//	db.client.operation.duration   s, histogram by db.operation.name, server.address, server.port and error.type
//	zookit.operation.retries       counter by db.operation.name
//	zookit.connection.attempts     counter by server.address, server.port and error.type
//	zookit.grant.wait.duration     s, histogram by zookit.grant.result: held or missed
//	zookit.grant.held.duration     s, histogram by zookit.grant.end: released or lost
//	zookit.grants                  how many are held now
//	zookit.session.state           how many clients are in each zookit.state
//	zookit.session.losses          sessions that were lost
//	zookit.connection.losses       connections that ended
//	zookit.io                      bytes of frames, by network.io.direction
//	zookit.requests.in_flight      requests that wait for their answer
//	zookit.watches, zookit.holds   what the sessions have on the servers
package otel
