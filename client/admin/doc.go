// Package admin asks ZooKeeper servers how they are: the four-letter words (ruok,
// srvr, mntr, cons, wchs, conf, isro) and the same answers from the admin endpoint
// (HTTP, port 8080, /commands/...), parsed for servers from 3.4 to 3.9.
//
//	s, err := admin.NewServer("zk1:2181")
//	srvr, err := s.Srvr(ctx)
//	fmt.Println(srvr.Mode, srvr.Version)         // leader 3.9.3
//
//	servers, err := admin.NewServers("zk1:2181,zk2:2181,zk3:2181")
//	for _, a := range admin.All(ctx, servers, (*admin.Server).Mntr) {
//		fmt.Println(a.Server, a.Took, a.Err)     // and a.Value, if Err is nil
//	}
//
// It needs no session, and asks one server for each call, on a connection of its own that
// is closed before the call returns. Nothing is repeated and nothing is remembered.
//
// # What servers allow
//
// A server answers only the words in its 4lw.commands.whitelist, since 3.5.3 by default srvr
// alone (in 3.4 all of the above); the others return [ErrNotAllowed]. The admin endpoint has no such
// list ([WithAdminURL]). Where there is TLS, the words go to the secure client port
// ([WithTLS]).
//
// # What an answer is worth
//
// An answer is complete or an error: nothing is cut at 8 kB, and one that ends early is
// [ErrMalformed], as far as its form shows that. Lines and values that this package does not
// know are passed over, or kept as text in the map that [Mntr] and [Conf] have.
//
// [Server.Ruok] tells that a process answers, not that it serves: a server without a quorum
// says imok, too. [Server.Srvr] returns [ErrNotServing] then. And a leader that was stopped
// and runs on calls itself leader for some milliseconds more; of followers in step tells
// [Leading.SyncedFollowers].
//
// # The servers' tick
//
// client.WithTick wants the servers' tickTime; [Conf.TickTime] is that.
//
//	conf, err := s.Conf(ctx)
//	cl, err := client.Connect(ctx, servers, client.WithTick(conf.TickTime))
//
// # Cost
//
// The words above are cheap; mntr has some 500 values since 3.6, cons a line for each
// connection. wchc, wchp and dump, which [Server.Command] can send, stop a server with many
// watches or sessions for as long as they take.
package admin
