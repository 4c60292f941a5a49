// Package prom gives a client's numbers to Prometheus.
//
//	metrics := prom.New()
//	prometheus.MustRegister(metrics)
//	cl, err := client.Connect(ctx, servers, client.WithHooks(metrics))
//
// It is a module of its own, so that its dependencies are only those of programs that use
// it. No metric has a node's path or data in a label.
//
// # Metrics
//
// Of operations, as client.HookOp has them:
//
//	zookit_operations_total{op,outcome}     outcome is ok, error (the server's answer), not_sent or unknown
//	zookit_operation_seconds{op}            histogram; waits and repeats included
//	zookit_retries_total{op}                attempts that failed and were to be repeated
//
// Of connections and sessions:
//
//	zookit_connections_total{server,result} attempts to reach a server; result is ok or failed
//	zookit_disconnections_total             connections that ended
//	zookit_session_state{state}             clients in the state: 1 or 0 if there is one client
//	zookit_sessions_total{event}            sessions opened and lost
//	zookit_confirmations_total{result}      transactions by which a quorum confirms a session; ok or failed
//	zookit_round_trip_seconds               moving average of the time to an answer, pings included; of the slowest client
//	zookit_bytes_total{direction}           sent and received, in frames
//	zookit_frames_total{kind}               request, reply and event
//	zookit_requests_in_flight               requests that wait for their answer
//	zookit_watches, zookit_holds            what the sessions have on the servers
//	zookit_cleanups                         what is still to be undone for callers that have gone
//
// Of what recipes hold, such as locks:
//
//	zookit_grants_held                      now
//	zookit_grant_wait_seconds{result}       histogram of the time until a call held or missed
//	zookit_grant_held_seconds{end}          histogram of the time until the grant was released or lost
package prom
