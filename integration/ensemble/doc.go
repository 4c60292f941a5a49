// Package ensemble runs real ZooKeeper servers for tests and demonstrations,
// and breaks them on demand.
//
//	e := ensemble.Start(t, 3)                  // ends with the test
//	leader, err := e.Leader(t.Context())
//	err = leader.Kill(t.Context())             // SIGKILL
//	leader, err = e.Leader(t.Context())        // the new one
//
// # Where the servers come from
//
// Providers are tried in this order:
//
//   - external: the servers that ZOOKIT_TEST_SERVERS names (host:port,host:port).
//     They are used as they are: whatever would stop or change them returns
//     [ErrNotControllable].
//   - containers: where a Docker engine answers.
//   - jvm: local Java processes, from the jars of the ZooKeeper distribution that
//     ZOOKEEPER_HOME names or else of Debian's packages.
//
// ZOOKIT_TEST_PROVIDER forces one of them by name, [WithProvider] does so from
// code and goes before it. Where no provider can run, the error is
// [ErrNoProvider] and says for each what is missing and what to install.
//
// # What is guaranteed
//
// A server keeps its address for as long as the ensemble lives. Data survives
// [Server.Kill] and [Server.Restart]; only [Ensemble.Wipe] removes it. [Start]
// and [Open] return when the ensemble is whole: every server serves, one of them
// leads, and the others are in step with it. Kill returns when the server is
// gone, Stop when it stands still.
//
// Local Java processes end with the program that started them, also if it is
// killed: on Linux the kernel sees to it, on other Unix systems a watchdog process
// does. So do the network namespaces of [WithPeerCuts].
//
// # What is not
//
// [Server.Restart], [Server.Continue], [Server.HealPeers] and [Ensemble.Wipe] do not
// wait for the server to serve: a server without a quorum never would. Call
// [Ensemble.WaitServing] or [Ensemble.Leader] after them.
//
// The methods of an Ensemble and its Servers can be called from several goroutines.
package ensemble
