// Package members holds the tests that zookit's groups and partitioners share a path with those of Kazoo
// and Curator, in processes of their own, on a real server: each sees the others come, change and go,
// is killed and missed, and partitions go around among the kinds without ever being two members'.
//
// A program in testdata is several members, each with a session of its own. It is told what they are
// to do on its standard input, a line for each order that begins with the member's name, and says on its
// standard output what has come of it, likewise:
//
//	open TIMEOUT            make a session, with a timeout in milliseconds: "opened"
//	join KIND PATH ID DATA  be a member; KIND is member (Curator's), party or shallow (Kazoo's, without DATA): "joined"
//	list KIND PATH          who is there: "listed" and id=data for each, ids only for shallow
//	leave                   be a member no more: "left"
//	divide PATH N WITNESS   Kazoo's: take part in dividing p-0 to p-(N-1), from now on: "owns", each time, and which
//	finish                  Kazoo's: take part no more: "finished"
//	failed WHY              said of whatever has failed
//
// The owner of a partition has a node in the witness directory, ephemeral and in its own session: who finds another one there when
// it begins says "clash".
package members
